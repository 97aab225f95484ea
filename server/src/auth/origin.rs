//! The address that people open: scheme, host and port, compared as browsers compare origins.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// `http://host:port` or `https://host:port`; the port is always written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    secure: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// Reads an address without path, query or user information.
    ///
    /// # Errors
    /// A sentence that says what to write.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let wrong = "write it like https://stackseal.example, without a path";
        let (secure, rest) = match text.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            _ => return Err(wrong),
        };
        Self::from_authority(secure, rest.strip_suffix('/').unwrap_or(rest)).ok_or(wrong)
    }

    /// Reads a `Host` header, which has no scheme.
    pub(crate) fn from_authority(secure: bool, authority: &str) -> Option<Self> {
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
                (
                    host,
                    if digits {
                        port.parse().ok()?
                    } else {
                        return None;
                    },
                )
            }
            _ => (authority, if secure { 443 } else { 80 }),
        };
        let named = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
        let plain = !host.is_empty() && host.bytes().all(named);
        let literal = host
            .strip_prefix('[')
            .and_then(|h| h.strip_suffix(']'))
            .is_some_and(|h| h.parse::<std::net::Ipv6Addr>().is_ok());
        (plain || literal).then(|| Self {
            secure,
            host: host.to_ascii_lowercase(),
            port,
        })
    }

    /// The addresses of a server that listens on this machine only.
    pub(crate) fn of_loopback(address: SocketAddr) -> Vec<Self> {
        let own = match address {
            SocketAddr::V4(v4) => v4.ip().to_string(),
            SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
        };
        let mut hosts = vec![own, "localhost".to_owned()];
        hosts.extend(["127.0.0.1", "[::1]"].map(str::to_owned));
        let port = address.port();
        hosts
            .into_iter()
            .map(|host| Self {
                secure: false,
                host,
                port,
            })
            .collect()
    }

    /// Whether it is reached over http from elsewhere than its own machine.
    pub(crate) fn is_exposed(&self) -> bool {
        let host = self.host.trim_matches(['[', ']']);
        let address = host.parse::<IpAddr>();
        let loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
        !self.secure && !loopback
    }

    /// Whether the scheme is https.
    pub(crate) fn is_secure(&self) -> bool {
        self.secure
    }
}

impl fmt::Display for Origin {
    /// As a browser writes it: without the scheme's usual port.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.secure {
            ("https", 443)
        } else {
            ("http", 80)
        };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == usual {
            Ok(())
        } else {
            write!(f, ":{}", self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_port_may_be_left_out() {
        let origin = Origin::parse("https://Stackseal.Example/").unwrap();
        assert_eq!(
            Some(origin.clone()),
            Origin::from_authority(true, "stackseal.example:443")
        );
        assert_eq!(origin.to_string(), "https://stackseal.example");
        assert_eq!(
            Origin::parse("http://[::1]:8080").unwrap().to_string(),
            "http://[::1]:8080"
        );
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "",
            "stackseal.example",
            "ftp://a",
            "https://",
            "https://a/b",
            "https://u@a",
            "https://a:b",
            "https://a:99999",
            "https://a b",
            "https://[::1",
            "null",
            "https://a?x",
            "https://a:",
        ] {
            assert!(Origin::parse(text).is_err(), "{text}");
        }
    }
}
