//! Where saves go: the address and branch of the remote, parsed by part and never by prefix.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;

/// Address of a remote repository. It cannot hold credentials, options or a scheme that runs a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteAddress {
    text: String,
    scheme: Scheme,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    File,
    Http,
    Https,
}

impl RemoteAddress {
    /// Reads `https://host[:port]/path` or `file:///path`; with `allow_http`, also `http://` to an
    /// address of this machine.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(crate) fn parse(text: &str, allow_http: bool) -> Result<Self, String> {
        if !text.bytes().all(|b| b.is_ascii_graphic()) || text.contains('\\') {
            return Err("the address holds a blank or a character outside ASCII".to_owned());
        }
        let (scheme, rest) = match text.split_once("://") {
            Some(("file", rest)) => (Scheme::File, rest),
            Some(("https", rest)) => (Scheme::Https, rest),
            Some(("http", rest)) if allow_http => (Scheme::Http, rest),
            _ => return Err("only https:// and file:// addresses are accepted".to_owned()),
        };
        if rest.contains(['?', '#']) {
            return Err("the address has a query or a fragment; leave it out".to_owned());
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let parts_plain = path.split('/').all(|part| !matches!(part, "." | ".."));
        if path.trim_matches('/').is_empty() || !parts_plain {
            return Err("the address names no repository".to_owned());
        }
        if scheme == Scheme::File {
            if !authority.is_empty() {
                return Err("write a file address as file:///path, without a host".to_owned());
            }
        } else {
            check_authority(authority, scheme == Scheme::Http)?;
        }
        Ok(Self {
            text: text.to_owned(),
            scheme,
        })
    }

    /// The address of a repository on this machine's disk.
    pub(crate) fn of_folder(folder: &Path) -> Option<Self> {
        let absolute = folder.to_str().filter(|path| path.starts_with('/'))?;
        // git decodes percent signs of a file address
        Some(Self {
            text: format!("file://{}", absolute.replace('%', "%25")),
            scheme: Scheme::File,
        })
    }

    /// The address as git takes it and as it may be shown.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The one protocol that git may use for it.
    pub(crate) fn protocol(&self) -> &'static str {
        match self.scheme {
            Scheme::File => "file",
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    /// Whether a token makes sense for it.
    pub(crate) fn takes_token(&self) -> bool {
        self.scheme != Scheme::File
    }
}

impl fmt::Display for RemoteAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn check_authority(authority: &str, loopback_only: bool) -> Result<(), String> {
    if authority.contains('@') {
        return Err(
            "the address holds user information; put the token into a file and name it".to_owned(),
        );
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err() || port.starts_with('+')) {
        return Err("the port of the address is not a number up to 65535".to_owned());
    }
    let literal = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let named = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    let plain = !host.is_empty() && !host.starts_with('-') && host.bytes().all(named);
    let ip = literal.unwrap_or(host).parse::<IpAddr>().ok();
    let valid = plain || literal.is_some() && ip.is_some();
    if !valid {
        return Err("the address has no valid host".to_owned());
    }
    if loopback_only && host != "localhost" && !ip.is_some_and(|ip| ip.is_loopback()) {
        return Err("http:// is accepted to this machine only; use https://".to_owned());
    }
    Ok(())
}

/// Name of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Branch(String);

impl Branch {
    /// Reads a branch name as Git allows it, without options and reference syntax.
    ///
    /// # Errors
    /// A sentence that says what to write.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'/');
        let valid = text.len() <= 200
            && text.bytes().all(plain)
            && !text.starts_with('-')
            && git2::Reference::is_valid_name(&format!("refs/heads/{text}"));
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err("this is no branch name; write one like main")
        }
    }

    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// `refs/heads/NAME`.
    pub(crate) fn reference(&self) -> String {
        format!("refs/heads/{}", self.0)
    }
}

impl Default for Branch {
    fn default() -> Self {
        Self("main".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_file_addresses_pass() {
        for good in [
            "https://git.example/acme/shop.git",
            "https://git.example:8443/a",
            "https://[2001:db8::1]/a",
            "file:///srv/git/shop.git",
        ] {
            assert_eq!(RemoteAddress::parse(good, false).unwrap().as_str(), good);
        }
        assert!(RemoteAddress::parse("http://127.0.0.1:9/a", true).is_ok());
        assert!(RemoteAddress::parse("http://[::1]:9/a", true).is_ok());
    }

    #[test]
    fn whatever_could_run_a_program_or_leak_a_token_is_refused() {
        for bad in [
            "",
            "git.example/a",
            "ssh://git.example/a",
            "git@git.example:a",
            "ext::sh -c id",
            "git://h/a",
            "fd::17",
            "http://git.example/a",
            "https://",
            "https:///a",
            "https://user@h/a",
            "https://user:token@h/a",
            "https://h",
            "https://h/",
            "https://h/a?x",
            "https://h/a#x",
            "https://-oProxyCommand=x/a",
            "https://h:99999/a",
            "https://h:/a",
            "https://h:+1/a",
            "https://h\\@evil/a",
            "https://h/../a",
            "file://host/a",
            "file://",
            "file:///",
            "file:///a/../b",
            "--upload-pack=id",
            "-u",
            "https://h/a\n",
            "https://h/ä",
            "HTTPS://h/a",
            "https://[::1/a",
            "https://h%40evil/a",
        ] {
            assert!(RemoteAddress::parse(bad, false).is_err(), "{bad:?}");
        }
        for bad in [
            "http://git.example/a",
            "http://127.0.0.1.evil/a",
            "http://2130706433/a",
            "http://10.0.0.1/a",
        ] {
            assert!(RemoteAddress::parse(bad, true).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn branch_names_are_names() {
        for good in ["main", "release/1.2", "a-b_c"] {
            assert!(Branch::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "", "-f", "a..b", "a b", "a:b", "+main", "a~1", "a^", "x.lock", "/a", "a/", "@{u}",
            "a*",
        ] {
            assert!(Branch::parse(bad).is_err(), "{bad}");
        }
    }
}
