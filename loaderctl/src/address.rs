//! Where the daemon is.

use std::{fmt, net::IpAddr, os::unix::net::UnixStream, path::PathBuf, str::FromStr};

use loader_proto::json::bracketed;

/// The address of a daemon's control API: `http://host:port`, `https://host:port` or `unix:/path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// TCP, as a URI without a path.
    Http(String),
    /// TLS, as a URI without a path.
    Https(String),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// A text that is no address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", suggestion.as_ref().map_or_else(|| FORMS.to_owned(), |right| format!("did you mean {right}?")))]
pub struct InvalidAddress {
    /// What was meant, where that is clear.
    suggestion: Option<String>,
}

const FORMS: &str = "write it as http://host:port, https://host:port or unix:/path";

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let invalid = || {
            let suggestion = bracketed(text);
            let with_scheme = |right: String| if right.contains("://") { right } else { format!("http://{right}") };
            InvalidAddress { suggestion: suggestion.map(with_scheme) }
        };
        if let Some(path) = text.strip_prefix("unix:") {
            // Both forms of gRPC's naming: unix:/path and unix:///path.
            let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
            return if path.is_absolute() && path.file_name().is_some() {
                Ok(Self::Unix(path))
            } else {
                Err(invalid())
            };
        }
        let uri: tonic::transport::Uri = text.parse().map_err(|_| invalid())?;
        let bare = uri.path() == "/" && uri.query().is_none();
        let authority = uri.authority().filter(|it| bare && it.port_u16().is_some() && !it.as_str().contains('@'));
        let authority = authority.ok_or_else(invalid)?;
        match uri.scheme_str() {
            Some("http") => Ok(Self::Http(format!("http://{authority}"))),
            Some("https") => Ok(Self::Https(format!("https://{authority}"))),
            Some(_) | None => Err(invalid()),
        }
    }
}

/// Where the daemon's service has its socket.
const SERVICE_SOCKET: &str = "/run/loader/loaderd.sock";

impl Default for Address {
    /// The service's socket where there is one that may be opened, else loopback.
    fn default() -> Self {
        match UnixStream::connect(SERVICE_SOCKET) {
            Ok(_) => Self::Unix(PathBuf::from(SERVICE_SOCKET)),
            Err(_) => Self::Http("http://127.0.0.1:9470".to_owned()),
        }
    }
}

impl Address {
    /// Whether what goes there can be read on the way.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Http(_)) && !self.is_local()
    }

    /// Whether it is this machine's.
    pub(crate) fn is_local(&self) -> bool {
        let (Self::Http(uri) | Self::Https(uri)) = self else { return true };
        let host = uri.split("://").nth(1).and_then(|it| it.rsplit_once(':')).map_or("", |(host, _)| host);
        let host = host.trim_matches(['[', ']']);
        host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(uri) | Self::Https(uri) => formatter.write_str(uri),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_without_tls_is_closed_to_others() {
        let open = |text: &str| text.parse::<Address>().expect("an address").is_open();
        assert!(open("http://10.0.0.1:1") && open("http://host:1") && open("http://[2001:db8::1]:1"));
        assert!(!open("http://127.0.0.1:1") && !open("http://[::1]:1") && !open("http://localhost:1"));
        assert!(!open("https://host:1") && !open("unix:/run/x"));
    }

    #[test]
    fn every_form_is_read() {
        let read = |text: &str| text.parse::<Address>().map(|address| address.to_string());
        assert_eq!(read("http://127.0.0.1:9470"), Ok("http://127.0.0.1:9470".to_owned()));
        assert_eq!(read("http://[::1]:9470/"), Ok("http://[::1]:9470".to_owned()));
        assert_eq!(read("https://host:1"), Ok("https://host:1".to_owned()));
        assert_eq!(read("unix:/run/loader/loaderd.sock"), Ok("unix:/run/loader/loaderd.sock".to_owned()));
        assert_eq!(read("unix:///run/loaderd.sock"), Ok("unix:/run/loaderd.sock".to_owned()));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "127.0.0.1:9470",
            "localhost",
            "https://host",
            "ftp://host:1",
            "http://host",
            "http://host:1/path",
            "http://user@host:1",
            "http://host:99999",
            "unix:",
            "unix:relative",
            "unix:/",
            "tcp://host:1",
        ] {
            assert_eq!(text.parse::<Address>(), Err(InvalidAddress { suggestion: None }), "{text:?}");
        }
        for text in ["http://::1:9470", "::1:9470"] {
            let refused = text.parse::<Address>().expect_err("no brackets").to_string();
            assert_eq!(refused, "did you mean http://[::1]:9470?");
        }
    }
}
