//! What the operator decides: options of the command line over environment variables over defaults.
//!
//! Everything is parsed here, so what a [`Config`] holds can be used without a further check. Secrets
//! are never options: a token comes from a file that is named.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::auth::origin::Origin;
use crate::git::path::RepositoryPath;
use crate::git::remote::{Branch, RemoteAddress};

/// The settings of one server.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) data: PathBuf,
    pub(crate) remote: Option<RemoteAddress>,
    pub(crate) remote_token_file: Option<PathBuf>,
    pub(crate) branch: Branch,
    pub(crate) cluster_file: RepositoryPath,
    pub(crate) log: Log,
    pub(crate) public_url: Option<Origin>,
    pub(crate) page: Option<PathBuf>,
}

/// How much of the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Log {
    /// All of it.
    #[default]
    Info,
    /// Warnings and errors; the audit trail stays in the database.
    Warn,
}

/// What the command line asked for.
#[derive(Debug)]
pub enum Asked {
    /// Print this text and stop.
    Print(String),
    /// Start with these settings.
    Start(Box<Config>),
}

/// An option or variable that cannot be used. The operator changes it.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: {reason}")]
pub struct ConfigError {
    setting: String,
    reason: String,
}

impl Config {
    /// How much of the log is written.
    pub fn log(&self) -> Log {
        self.log
    }

    /// Reads the arguments (without the program's name) and the environment.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting and what to write instead.
    pub fn read(
        arguments: impl IntoIterator<Item = OsString>,
        environment: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Asked, ConfigError> {
        let mut given = Given::from_environment(environment);
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next().map_err(|e| wrong("command line", e))? {
            match argument {
                lexopt::Arg::Short('h') | lexopt::Arg::Long("help") => {
                    return Ok(Asked::Print(HELP.to_owned()));
                }
                lexopt::Arg::Short('V') | lexopt::Arg::Long("version") => {
                    let version = env!("CARGO_PKG_VERSION");
                    return Ok(Asked::Print(format!("stackseal-server {version}\n")));
                }
                lexopt::Arg::Long("allow-http-remote") => given.allow_http = true,
                lexopt::Arg::Long(name) => {
                    let name = name.to_owned();
                    let Some(slot) = given.slot(&name) else {
                        return Err(wrong(
                            &format!("--{name}"),
                            "there is no such option; see --help",
                        ));
                    };
                    *slot = Some(parser.value().map_err(|e| wrong(&format!("--{name}"), e))?);
                }
                lexopt::Arg::Short(_) | lexopt::Arg::Value(_) => {
                    return Err(wrong("command line", argument.unexpected()));
                }
            }
        }
        given
            .check(environment)
            .map(|config| Asked::Start(Box::new(config)))
    }
}

/// Settings as given, not yet looked at.
struct Given {
    values: Vec<(&'static str, Option<OsString>)>,
    allow_http: bool,
}

impl Given {
    fn from_environment(environment: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let values = SETTINGS
            .iter()
            .map(|&(option, variable)| (option, environment(variable).filter(|v| !v.is_empty())))
            .collect();
        let allow_http = environment("STACKSEAL_ALLOW_HTTP_REMOTE").is_some_and(|v| v == "1");
        Self { values, allow_http }
    }

    fn slot(&mut self, option: &str) -> Option<&mut Option<OsString>> {
        self.values
            .iter_mut()
            .find(|(name, _)| *name == option)
            .map(|(_, value)| value)
    }

    fn path(&mut self, option: &str) -> Option<PathBuf> {
        self.slot(option).and_then(Option::take).map(PathBuf::from)
    }

    /// A path from the root on: programs that are started elsewhere are given it, too.
    fn absolute(&mut self, option: &str) -> Result<Option<PathBuf>, ConfigError> {
        let path = self.path(option).map(std::path::absolute).transpose();
        path.map_err(|_| wrong(&format!("--{option}"), "this cannot be a path"))
    }

    /// Parses a setting, if it was given.
    fn parsed<T, E: std::fmt::Display>(
        &mut self,
        option: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.slot(option).and_then(Option::take) else {
            return Ok(None);
        };
        let setting = format!("--{option}");
        let text = value
            .to_str()
            .ok_or_else(|| wrong(&setting, "this is not UTF-8"))?;
        parse(text).map(Some).map_err(|e| wrong(&setting, e))
    }

    fn check(
        mut self,
        environment: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Config, ConfigError> {
        let allow_http = self.allow_http;
        let listen = self.parsed("listen", |text| {
            text.parse::<SocketAddr>()
                .map_err(|_| "write an address and a port, like 127.0.0.1:8080")
        })?;
        let listen = listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
        let public_url = self.parsed("public-url", Origin::parse)?;
        if public_url.is_none() && !listen.ip().is_loopback() {
            return Err(wrong(
                "--listen",
                "an address that others can reach needs --public-url, the https address they will use",
            ));
        }
        if public_url.as_ref().is_some_and(Origin::is_exposed) {
            return Err(wrong(
                "--public-url",
                "over http, others could read along; write the https address that people use",
            ));
        }
        let data = match self.absolute("data")? {
            Some(data) => data,
            None => default_data(environment)
                .ok_or_else(|| wrong("--data", "there is no home directory; name a folder"))?,
        };
        let remote = self.parsed("remote", |text| RemoteAddress::parse(text, allow_http))?;
        let remote_token_file = self.absolute("remote-token-file")?;
        let takes_token = remote.as_ref().is_some_and(RemoteAddress::takes_token);
        if remote_token_file.is_some() && !takes_token {
            return Err(wrong(
                "--remote-token-file",
                "only an https remote takes a token",
            ));
        }
        Ok(Config {
            listen,
            data,
            remote,
            remote_token_file,
            branch: self.parsed("branch", Branch::parse)?.unwrap_or_default(),
            cluster_file: self
                .parsed("cluster-file", RepositoryPath::parse)?
                .unwrap_or_else(RepositoryPath::usual_cluster_file),
            log: self.parsed("log", Log::parse)?.unwrap_or_default(),
            public_url,
            page: self.absolute("page")?,
        })
    }
}

impl Log {
    fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "info" => Ok(Self::Info),
            "warn" => Ok(Self::Warn),
            _ => Err("write info or warn"),
        }
    }
}

fn default_data(environment: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name: &str| {
        environment(name)
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
    };
    absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
        .map(|base| base.join("stackseal"))
}

fn wrong(setting: &str, reason: impl std::fmt::Display) -> ConfigError {
    ConfigError {
        setting: setting.to_owned(),
        reason: reason.to_string(),
    }
}

/// Each option with its environment variable.
const SETTINGS: &[(&str, &str)] = &[
    ("branch", "STACKSEAL_BRANCH"),
    ("cluster-file", "STACKSEAL_CLUSTER_FILE"),
    ("data", "STACKSEAL_DATA"),
    ("listen", "STACKSEAL_LISTEN"),
    ("log", "STACKSEAL_LOG"),
    ("page", "STACKSEAL_PAGE"),
    ("public-url", "STACKSEAL_PUBLIC_URL"),
    ("remote", "STACKSEAL_REMOTE"),
    ("remote-token-file", "STACKSEAL_REMOTE_TOKEN_FILE"),
];

const HELP: &str = "\
Stackseal's server: serves the Stack Builder, checks that saves are sealed, commits and pushes them,
and keeps the private keys.

  stackseal-server
  stackseal-server --remote https://git.example/acme/gitops.git --remote-token-file token

Options, each with its environment variable:
  --listen ADDRESS           STACKSEAL_LISTEN             where to listen [127.0.0.1:8080]
  --public-url URL           STACKSEAL_PUBLIC_URL         https address that people open
  --data DIR                 STACKSEAL_DATA               database, keys, clone [~/.local/share/stackseal]
  --remote URL               STACKSEAL_REMOTE             https:// or file:// [a repository under DIR]
  --remote-token-file FILE   STACKSEAL_REMOTE_TOKEN_FILE  TOKEN or USER:TOKEN for an https remote
  --branch NAME              STACKSEAL_BRANCH             branch that saves go to [main]
  --cluster-file PATH        STACKSEAL_CLUSTER_FILE       in the repository [clusters/main/cluster.yaml]
  --log LEVEL                STACKSEAL_LOG                info, or warn for less [info]
  --page DIR                 STACKSEAL_PAGE               serve the page from a folder, while developing
  --allow-http-remote        STACKSEAL_ALLOW_HTTP_REMOTE=1  accept http:// to this machine, for tests
  -h, --help                 this text
  -V, --version              the version
";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Config, String> {
        let environment = |name: &str| {
            environment
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, value)| OsString::from(value))
        };
        match Config::read(arguments.iter().map(OsString::from), &environment) {
            Ok(Asked::Start(config)) => Ok(*config),
            Ok(Asked::Print(text)) => Err(text),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_defaults_need_nothing_but_a_home() {
        let config = read(&[], &[("HOME", "/home/ada")]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(
            config.data,
            PathBuf::from("/home/ada/.local/share/stackseal")
        );
        assert!(config.remote.is_none());
        let config = read(&[], &[("HOME", "/home/ada"), ("XDG_DATA_HOME", "/data")]).unwrap();
        assert_eq!(config.data, PathBuf::from("/data/stackseal"));
        assert!(read(&[], &[]).unwrap_err().starts_with("--data: "));
    }

    #[test]
    fn an_option_wins_over_its_variable() {
        let variables = [("STACKSEAL_DATA", "/a"), ("STACKSEAL_BRANCH", "trunk")];
        let config = read(&["--data", "/b"], &variables).unwrap();
        assert_eq!(
            (config.data, config.branch.as_str()),
            (PathBuf::from("/b"), "trunk")
        );
    }

    #[test]
    fn paths_are_meant_from_the_folder_that_the_server_starts_in() {
        let here = std::env::current_dir().unwrap();
        let variables = [("STACKSEAL_DATA", "data")];
        let config = read(&["--page", "page"], &variables).unwrap();
        assert_eq!(config.data, here.join("data"));
        assert_eq!(config.page, Some(here.join("page")));
    }

    #[test]
    fn a_public_address_is_https_unless_it_is_this_machine() {
        for fine in [
            "https://a.example",
            "http://127.0.0.1:8080",
            "http://127.8.0.1",
            "http://localhost",
            "http://[::1]:8080",
        ] {
            assert!(
                read(&["--data", "/d", "--public-url", fine], &[]).is_ok(),
                "{fine}"
            );
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (arguments, start) in [
            (vec!["--listen", "nowhere"], "--listen: "),
            (vec!["--listen", "0.0.0.0:80"], "--listen: "),
            (vec!["--remote", "http://git.example/x"], "--remote: "),
            (vec!["--remote-token-file", "t"], "--remote-token-file: "),
            (vec!["--branch", "a..b"], "--branch: "),
            (vec!["--log", "debug"], "--log: "),
            (vec!["--public-url", "http://a.example"], "--public-url: "),
            (
                vec!["--public-url", "http://127.1.example"],
                "--public-url: ",
            ),
            (
                vec!["--public-url", "http://10.0.0.1:8080"],
                "--public-url: ",
            ),
            (vec!["--token", "x"], "--token: "),
            (vec!["stray"], "command line: "),
        ] {
            let error = read(&[&["--data", "/d"], arguments.as_slice()].concat(), &[]).unwrap_err();
            assert!(error.starts_with(start), "{error}");
        }
    }

    #[test]
    fn every_option_is_in_the_help() {
        for (option, variable) in SETTINGS {
            assert!(
                HELP.contains(&format!("--{option} ")) && HELP.contains(variable),
                "{option}"
            );
        }
    }
}
