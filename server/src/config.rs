//! Configuration: one TOML file, all keys optional, checked before anything starts.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use cobijo_protocol::{
    limits::{RETENTION_DAYS_DEFAULT, RETENTION_DAYS_MAX, RETENTION_DAYS_MIN},
    link::RelayUrl,
};
use serde::Deserialize;

use crate::relay::{admission::AdmissionLimit, rate::RateLimit};

/// A configuration that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where people connect; the optional ones are left out where the machine has no such address.
    pub(crate) listen: Vec<Listen>,
    /// Where the operator connects: a loopback address.
    pub(crate) admin: SocketAddr,
    /// Where everything is kept.
    pub(crate) data_directory: PathBuf,
    /// Host names that people dial, in lower case.
    pub(crate) names: Vec<String>,
    /// Days a cell lives.
    pub(crate) retention_days: u16,
    /// The operator's certificate; without one, a development certificate is made.
    pub(crate) certificate: Option<CertificateFiles>,
    /// Free bytes below which writes are refused.
    pub(crate) disk_reserve_bytes: u64,
    /// How many connections there may be.
    pub(crate) admission: AdmissionLimit,
    /// How fast each may be.
    pub(crate) rate: RateLimit,
}

/// An address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listen {
    pub(crate) address: SocketAddr,
    pub(crate) optional: bool,
}

/// A certificate chain and its key, both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertificateFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("the configuration file {} can't be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It isn't TOML of the known keys.
    #[error("line {line} of the configuration is not understood: {}", source.message())]
    NotUnderstood {
        /// Where, counted from 1.
        line: usize,
        /// What.
        source: toml::de::Error,
    },
    /// `admin` would be reachable from outside.
    #[error("`admin` must be an address of this machine alone, such as 127.0.0.1:8444")]
    AdminNotLoopback,
    /// One of `certificate-file` and `key-file` without the other.
    #[error("`certificate-file` and `key-file` must be given together")]
    CertificateWithoutKey,
    /// Nowhere to listen.
    #[error("`listen` must name at least one address, such as [::]:443")]
    NoListen,
    /// A name is not a host name.
    #[error(
        "`names` must list host names as people dial them, such as relay.example.org, without port"
    )]
    Names,
    /// A limit that would let nobody in.
    #[error("the numbers in `limits` must be above zero")]
    LimitZero,
    /// Retention out of bounds.
    #[error("`retention-days` must be from {RETENTION_DAYS_MIN} to {RETENTION_DAYS_MAX}")]
    Retention,
}

impl Config {
    /// What a relay does without a file: for one machine, at its own loopback addresses.
    ///
    /// # Errors
    /// None in practice: the defaults pass their own check.
    pub fn without_file() -> Result<Self, ConfigError> {
        Self::parse("")
    }

    /// Reads and checks a file. Paths in it are relative to it.
    ///
    /// # Errors
    /// Says what to put right.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let mut config = Self::parse(&text)?;
        let directory = path.parent().unwrap_or(Path::new(""));
        config.data_directory = directory.join(&config.data_directory);
        if let Some(files) = &mut config.certificate {
            files.certificate = directory.join(&files.certificate);
            files.key = directory.join(&files.key);
        }
        Ok(config)
    }

    /// Checks the text of a file.
    ///
    /// # Errors
    /// Says what to put right.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let file: File = toml::from_str(text).map_err(|source| {
            let start = source.span().map_or(0, |span| span.start);
            let before = text.get(..start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            ConfigError::NotUnderstood { line, source }
        })?;
        file.check()
    }

    /// Where everything is kept.
    pub fn data_directory(&self) -> &Path {
        &self.data_directory
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct File {
    listen: Option<Vec<SocketAddr>>,
    admin: SocketAddr,
    data_directory: PathBuf,
    names: Vec<String>,
    retention_days: u16,
    certificate_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    disk_reserve_mebibytes: u32,
    limits: Limits,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Limits {
    connections: usize,
    connections_per_network: usize,
    connections_per_address: usize,
    frames_per_second: u32,
    kibibytes_per_second: u32,
}

impl Default for File {
    fn default() -> Self {
        Self {
            listen: None,
            admin: SocketAddr::from(([127, 0, 0, 1], 8444)),
            data_directory: PathBuf::from("data"),
            names: ["localhost", "127.0.0.1", "[::1]"]
                .map(str::to_owned)
                .into(),
            retention_days: RETENTION_DAYS_DEFAULT,
            certificate_file: None,
            key_file: None,
            disk_reserve_mebibytes: 512,
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    /// Many people may share one address (a shelter, a mobile network, a Tor exit), each with one
    /// connection a conversation; and carriers and operators of many exits have neighbouring addresses.
    /// 2 MiB a second is a file of 3 MB in two seconds.
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_network: 1024,
            connections_per_address: 512,
            frames_per_second: 100,
            kibibytes_per_second: 2048,
        }
    }
}

impl File {
    fn check(self) -> Result<Config, ConfigError> {
        if !self.admin.ip().is_loopback() {
            return Err(ConfigError::AdminNotLoopback);
        }
        if !(RETENTION_DAYS_MIN..=RETENTION_DAYS_MAX).contains(&self.retention_days) {
            return Err(ConfigError::Retention);
        }
        if self.names.is_empty() || !self.names.iter().all(|name| is_host_name(name)) {
            return Err(ConfigError::Names);
        }
        let listen = listen(self.listen);
        if listen.is_empty() {
            return Err(ConfigError::NoListen);
        }
        let certificate = match (self.certificate_file, self.key_file) {
            (Some(certificate), Some(key)) => Some(CertificateFiles { certificate, key }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return Err(ConfigError::CertificateWithoutKey),
        };
        let (admission, rate) = self.limits.check()?;
        Ok(Config {
            listen,
            admin: self.admin,
            data_directory: self.data_directory,
            names: self
                .names
                .iter()
                .map(|name| name.to_ascii_lowercase())
                .collect(),
            retention_days: self.retention_days,
            certificate,
            disk_reserve_bytes: u64::from(self.disk_reserve_mebibytes) * 1024 * 1024,
            admission,
            rate,
        })
    }
}

impl Limits {
    fn check(&self) -> Result<(AdmissionLimit, RateLimit), ConfigError> {
        let bytes_per_second = self.kibibytes_per_second.saturating_mul(1024);
        let some = self.connections > 0
            && self.connections_per_network > 0
            && self.connections_per_address > 0
            && self.frames_per_second > 0
            && bytes_per_second > 0;
        if !some {
            return Err(ConfigError::LimitZero);
        }
        let admission = AdmissionLimit {
            connections: self.connections,
            connections_per_network: self.connections_per_network,
            connections_per_address: self.connections_per_address,
        };
        let rate = RateLimit {
            frames_per_second: self.frames_per_second,
            bytes_per_second,
        };
        Ok((admission, rate))
    }
}

fn listen(addresses: Option<Vec<SocketAddr>>) -> Vec<Listen> {
    let required = |address| Listen {
        address,
        optional: false,
    };
    match addresses {
        Some(addresses) => addresses.into_iter().map(required).collect(),
        None => vec![
            required(SocketAddr::from(([127, 0, 0, 1], 8443))),
            Listen {
                address: SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 8443)),
                optional: true,
            },
        ],
    }
}

/// Whether a link could name this host, and nothing beside it. [K-8]
fn is_host_name(name: &str) -> bool {
    RelayUrl::parse(&format!("https://{name}"))
        .is_ok_and(|url| url.host() == name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_is_a_relay_for_this_machine_alone() {
        let config = Config::without_file().unwrap();
        assert!(config.listen.iter().all(|l| l.address.ip().is_loopback()));
        assert_eq!(config.names, ["localhost", "127.0.0.1", "[::1]"]);
        assert_eq!(config.retention_days, 90);
        assert_eq!(config.certificate, None);
    }

    #[test]
    fn names_are_taken_in_lower_case() {
        let config = Config::parse("names = [\"Relay.Example.org\"]").unwrap();
        assert_eq!(config.names, ["relay.example.org"]);
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("relay.toml");
        std::fs::write(&path, "data-directory = \"cells\"").unwrap();
        let config = Config::read(&path).unwrap();
        assert_eq!(config.data_directory(), directory.path().join("cells"));
    }

    #[test]
    fn every_mistake_is_named() {
        let cases = [
            ("retentiondays = 90", "retentiondays"),
            ("retention-days = 7", "`retention-days`"),
            ("admin = \"0.0.0.0:8444\"", "`admin`"),
            ("names = []", "`names`"),
            ("names = [\"https://relay.example.org\"]", "`names`"),
            ("names = [\"relay.example.org:443\"]", "`names`"),
            ("names = [\"relay.example.org:8443\"]", "`names`"),
            ("names = [\"relay.example.org/\"]", "`names`"),
            ("names = [\"\"]", "`names`"),
            ("listen = []", "`listen`"),
            ("listen = [\"relay.example.org:443\"]", "line 1"),
            ("certificate-file = \"a.pem\"", "`key-file`"),
            ("key-file = \"a.pem\"", "`certificate-file`"),
            ("[limits]\nconnections = 0", "`limits`"),
            ("[limits]\nframes-per-second = 0", "`limits`"),
            ("[limits]\nframes = 1", "frames"),
        ];
        for (text, named) in cases {
            let said = Config::parse(text).unwrap_err().to_string();
            assert!(said.contains(named), "{text}: {said}");
        }
    }
}
