//! The cookie of a session. Pure.

use http::{HeaderMap, header, uri::Authority};

use crate::access::SESSION_LIFE;

/// The name of the cookie. Browsers send cookies to every port of a host, and each daemon there has its own.
fn name(authority: &Authority) -> String {
    format!("loader_session_{}", authority.port_u16().unwrap_or_default())
}

/// The value of the cookie that a request has.
pub(super) fn value<'h>(headers: &'h HeaderMap, authority: &Authority) -> Option<&'h [u8]> {
    let name = name(authority);
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(given, _)| *given == name).map(|(_, value)| value.as_bytes())
}

/// The line that sets the cookie, which no script can read and no other site sends.
pub(super) fn set(authority: &Authority, value: &str, is_tls: bool) -> String {
    line(authority, value, SESSION_LIFE.as_secs(), is_tls)
}

/// The line that removes it.
pub(super) fn remove(authority: &Authority, is_tls: bool) -> String {
    line(authority, "", 0, is_tls)
}

fn line(authority: &Authority, value: &str, seconds: u64, is_tls: bool) -> String {
    let secure = if is_tls { "; Secure" } else { "" };
    format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}", name(authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_daemon_of_a_host_finds_its_own_cookie() {
        let authority = |text: &str| text.parse::<Authority>().expect("an authority");
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "loader_session_9481=other; loader_session_9480=own".parse().expect("a value"));
        headers.append(header::COOKIE, "loader_session_0=third".parse().expect("a value"));
        assert_eq!(value(&headers, &authority("localhost:9480")), Some(&b"own"[..]));
        assert_eq!(value(&headers, &authority("loader.example")), Some(&b"third"[..]));
        assert_eq!(value(&headers, &authority("localhost:9")), None);
        let line = set(&authority("localhost:9480"), "abc", true);
        assert_eq!(line, "loader_session_9480=abc; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure");
        assert!(remove(&authority("localhost:9480"), false).contains("=; Path=/; Max-Age=0; "));
    }
}
