//! From where a request may come. Pure.
//!
//! Every web page that a user has open can send requests to this machine. One that has its own name lead here (DNS rebinding) would
//! even be of the same origin, and read the answers: its requests have its name in `Host`. All others have theirs in `Origin` and
//! `Sec-Fetch-Site`, which browsers set, and scripts can't.

use core::net::IpAddr;

use http::{HeaderMap, HeaderValue, Uri, header, uri::Authority};

/// The names by which the page may be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    /// The address that is listened on.
    pub address: IpAddr,
    /// Names of the configuration.
    pub names: Vec<String>,
}

/// A request that is refused for where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Foreign {
    /// It asks for another host.
    #[error("this host is not known here: add its name to [http] hosts if it is this daemon's")]
    Host,
    /// It was made by a page of another origin.
    #[error("another site has sent you here: open the address by itself")]
    Site,
}

impl Hosts {
    /// The authority of a request that may come from there.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<Authority, Foreign> {
        let authority = authority(uri, headers).filter(|it| self.know(it)).ok_or(Foreign::Host)?;
        let own =
            |value: &HeaderValue| origin(value).is_some_and(|it| it.as_str().eq_ignore_ascii_case(authority.as_str()));
        let site = |value: &HeaderValue| matches!(value.as_bytes(), b"same-origin" | b"none");
        let is_own =
            headers.get_all(header::ORIGIN).iter().all(own) && headers.get_all("sec-fetch-site").iter().all(site);
        if is_own { Ok(authority) } else { Err(Foreign::Site) }
    }

    /// Whether the host of an authority is this daemon's. Its port may be another one, as that of a tunnel.
    fn know(&self, authority: &Authority) -> bool {
        let host = authority.host();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        match bare.parse::<IpAddr>() {
            Ok(address) => address.is_loopback() || address == self.address || self.address.is_unspecified(),
            Err(_) => {
                let mut names = self.names.iter().map(String::as_str).chain(["localhost"]);
                names.any(|name| name.eq_ignore_ascii_case(host))
            }
        }
    }
}

/// The authority of a request: of its target, which takes precedence, and of its one `Host`.
fn authority(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (host, more) = (hosts.next(), hosts.next());
    let named = host.filter(|_| more.is_none())?.to_str().ok()?;
    let named = named.parse::<Authority>().ok().filter(|_| !named.contains('@'))?;
    match uri.authority() {
        Some(target) if target.as_str() != named.as_str() => None,
        _ => Some(named),
    }
}

/// The authority of an origin.
fn origin(value: &HeaderValue) -> Option<Authority> {
    let text = value.to_str().ok()?;
    let authority = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
    authority.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(address: &str) -> Hosts {
        Hosts { address: address.parse().expect("an address"), names: vec!["Loader.example".to_owned()] }
    }

    fn check(hosts: &Hosts, target: &str, headers: &[(&'static str, &str)]) -> Result<String, Foreign> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a value"));
        }
        hosts.check(&target.parse().expect("a target"), &map).map(|it| it.to_string())
    }

    #[test]
    fn only_hosts_of_this_daemon_are_answered() {
        let (local, public) = (hosts("127.0.0.1"), hosts("10.0.0.7"));
        for (host, of_local, of_public) in [
            ("127.0.0.1:9480", true, true),
            ("localhost:9480", true, true),
            ("LOCALHOST", true, true),
            // The port of a tunnel.
            ("localhost:8080", true, true),
            ("[::1]:9480", true, true),
            ("loader.example:9480", true, true),
            ("10.0.0.7:9480", false, true),
            ("10.0.0.8:9480", false, false),
            ("evil.example:9480", false, false),
            ("localhost.evil.example", false, false),
            ("evil.localhost", false, false),
            ("localhost.", false, false),
            ("127.0.0.1.evil.example", false, false),
            ("user@localhost:9480", false, false),
            ("2130706433", false, false),
            ("", false, false),
            ("local host", false, false),
        ] {
            for (hosts, known) in [(&local, of_local), (&public, of_public)] {
                let expected = if known { Ok(host.to_owned()) } else { Err(Foreign::Host) };
                assert_eq!(check(hosts, "/", &[("host", host)]), expected, "{host} at {}", hosts.address);
            }
        }
        assert!(check(&hosts("0.0.0.0"), "/", &[("host", "10.0.0.8:9480")]).is_ok());
        assert_eq!(check(&hosts("0.0.0.0"), "/", &[("host", "evil.example")]), Err(Foreign::Host));
        assert_eq!(check(&local, "/", &[]), Err(Foreign::Host));
        assert_eq!(check(&local, "/", &[("host", "localhost"), ("host", "localhost")]), Err(Foreign::Host));
        assert_eq!(check(&local, "http://evil.example/", &[("host", "localhost")]), Err(Foreign::Host));
        assert!(check(&local, "http://localhost/", &[("host", "localhost")]).is_ok());
    }

    #[test]
    fn requests_of_other_sites_are_refused() {
        let local = hosts("127.0.0.1");
        for (name, value, known) in [
            ("origin", "http://localhost:9480", true),
            ("origin", "http://localhost:9481", false),
            ("origin", "http://localhost", false),
            ("origin", "http://127.0.0.1:9480", false),
            ("origin", "https://evil.example", false),
            // Of a sandboxed page, such as a report.
            ("origin", "null", false),
            ("origin", "", false),
            ("sec-fetch-site", "same-origin", true),
            ("sec-fetch-site", "none", true),
            // Of another port of this machine.
            ("sec-fetch-site", "same-site", false),
            ("sec-fetch-site", "cross-site", false),
            ("sec-fetch-site", "whatever", false),
        ] {
            let expected = if known { Ok("localhost:9480".to_owned()) } else { Err(Foreign::Site) };
            assert_eq!(check(&local, "/", &[("host", "localhost:9480"), (name, value)]), expected, "{name}: {value}");
        }
        let both = [("host", "localhost"), ("origin", "http://localhost"), ("origin", "http://evil.example")];
        assert_eq!(check(&local, "/", &both), Err(Foreign::Site));
    }
}
