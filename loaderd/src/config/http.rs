//! `[http]`: the live page.

use std::net::SocketAddr;

use super::read::Section;

/// `[http]`: the live page under `/` of the metrics' address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Http {
    /// Whether there is one; `None`: on loopback.
    pub page: Option<bool>,
    /// Names by which browsers ask for it, beside `localhost` and the address itself.
    pub hosts: Vec<String>,
}

impl Http {
    pub(super) fn read(&mut self, section: &mut Section<'_>) {
        section.take("page", &mut self.page);
        section.take("hosts", &mut self.hosts);
    }

    /// Whether there is a page at this address.
    pub fn has_page(&self, address: SocketAddr) -> bool {
        self.page.unwrap_or(address.ip().is_loopback())
    }

    /// What is wrong with it, where the metrics are served at `address`.
    pub(super) fn check(&self, address: Option<SocketAddr>) -> Vec<String> {
        let is_name = |name: &String| {
            let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
            !name.is_empty() && name.bytes().all(is_letter)
        };
        let wrong = self.hosts.iter().filter(|name| !is_name(name));
        let wrong = wrong.map(|name| {
            format!("http.hosts must be names such as \"loader.example\", without scheme and port, not {name:?}")
        });
        let nowhere = (self.page == Some(true) && address.is_none())
            .then(|| "http.page needs metrics_listen: the page is served there".to_owned());
        wrong.chain(nowhere).collect()
    }
}
