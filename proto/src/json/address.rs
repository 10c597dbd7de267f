//! Addresses as people write them.

use std::net::Ipv6Addr;

/// The form `[address]:port` of an IPv6 address and a port that lack the brackets, as in `::1:80`, wherever in the text they
/// stand behind a scheme; `None` for all other texts.
pub fn bracketed(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let (address, port) = rest.trim_end_matches('/').rsplit_once(':')?;
    let address: Ipv6Addr = address.parse().ok()?;
    let port: u16 = port.parse().ok()?;
    let scheme = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
    Some(format!("{scheme}[{address}]:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_version_6_gets_its_brackets() {
        for (text, expected) in [
            ("::1:80", "[::1]:80"),
            ("2001:db8::7:8080", "[2001:db8::7]:8080"),
            ("http://::1:9470", "http://[::1]:9470"),
            ("https://::1:9470/", "https://[::1]:9470"),
        ] {
            assert_eq!(bracketed(text).as_deref(), Some(expected));
        }
        for text in ["[::1]:80", "host:80", "10.0.0.7:80", "::", "80", "::1:99999", "http://host:1", ""] {
            assert_eq!(bracketed(text), None, "{text}");
        }
    }
}
