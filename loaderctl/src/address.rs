//! Where the daemon is.

use std::{fmt, path::PathBuf, str::FromStr};

/// The address of a daemon's control API, `http://host:port` or `unix:/path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// TCP, as a URI without a path.
    Http(String),
    /// A Unix socket.
    Unix(PathBuf),
}

/// A text that is no address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("write it as http://host:port or unix:/path")]
pub struct InvalidAddress;

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        if let Some(path) = text.strip_prefix("unix:") {
            // Both forms of gRPC's naming: unix:/path and unix:///path.
            let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
            return if path.is_absolute() && path.file_name().is_some() {
                Ok(Self::Unix(path))
            } else {
                Err(InvalidAddress)
            };
        }
        let uri: tonic::transport::Uri = text.parse().map_err(|_| InvalidAddress)?;
        let plain = uri.scheme_str() == Some("http") && uri.path() == "/" && uri.query().is_none();
        let authority = uri.authority().filter(|it| plain && it.port_u16().is_some() && !it.as_str().contains('@'));
        authority.map(|authority| Self::Http(format!("http://{authority}"))).ok_or(InvalidAddress)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(uri) => formatter.write_str(uri),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let read = |text: &str| text.parse::<Address>().map(|address| address.to_string());
        assert_eq!(read("http://127.0.0.1:9470"), Ok("http://127.0.0.1:9470".to_owned()));
        assert_eq!(read("http://[::1]:9470/"), Ok("http://[::1]:9470".to_owned()));
        assert_eq!(read("unix:/run/loader/loaderd.sock"), Ok("unix:/run/loader/loaderd.sock".to_owned()));
        assert_eq!(read("unix:///run/loaderd.sock"), Ok("unix:/run/loaderd.sock".to_owned()));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "127.0.0.1:9470",
            "localhost",
            "https://host:1",
            "http://host",
            "http://host:1/path",
            "http://user@host:1",
            "http://host:99999",
            "unix:",
            "unix:relative",
            "unix:/",
            "tcp://host:1",
        ] {
            assert_eq!(text.parse::<Address>(), Err(InvalidAddress), "{text:?}");
        }
    }
}
