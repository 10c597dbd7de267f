//! `[workers]`: workers of runs on other machines than the daemon's.

use std::net::SocketAddr;

use super::read::Section;

/// `[workers]`: where runs on a cluster are reached by their workers, and what these are made of; off by default. Workers on the daemon's
/// own machine need none of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workers {
    /// Where the daemon listens for the workers of a run, while one is under way; `None`: runs with workers on a cluster are refused.
    pub listen: Option<SocketAddr>,
    /// `host:port` by which workers reach that; `None`: the address itself.
    pub advertise: Option<String>,
    /// The daemon's image, of its version, from which workers are made.
    pub image: Option<String>,
}

impl Workers {
    pub(super) fn read(&mut self, section: &mut Section<'_>) {
        section.take("listen", &mut self.listen);
        section.take("advertise", &mut self.advertise);
        section.take("image", &mut self.image);
    }

    /// What is wrong with the values together.
    pub(super) fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        match (self.listen, &self.advertise) {
            (Some(listen), None) if listen.ip().is_unspecified() => {
                faults.push(format!("workers.advertise: is missing; nobody can connect to {listen}: give host:port by which workers reach it"));
            }
            (None, Some(_)) => faults.push("workers.advertise: needs workers.listen".to_owned()),
            (Some(_) | None, _) => {}
        }
        if let Some(advertise) = &self.advertise
            && !is_host_and_port(advertise)
        {
            faults.push(format!(
                "workers.advertise: must be host:port, such as \"loaderd.example:9490\", not {advertise:?}"
            ));
        }
        if self.image.as_deref() == Some("") {
            faults.push("workers.image: must not be empty".to_owned());
        }
        faults
    }
}

/// Whether a text is a host and a port that can be connected to; an address of IPv6 is in brackets.
fn is_host_and_port(text: &str) -> bool {
    let authority: Result<http::uri::Authority, _> = text.parse();
    authority
        .is_ok_and(|it| !it.host().is_empty() && it.port_u16().is_some_and(|port| port != 0) && !text.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_must_be_able_to_connect() {
        let config = |listen: &str, advertise: &str| Workers {
            listen: listen.parse().ok(),
            advertise: (!advertise.is_empty()).then(|| advertise.to_owned()),
            image: None,
        };
        for (listen, advertise, fault) in [
            ("", "", None),
            ("10.0.0.7:9490", "", None),
            ("127.0.0.1:0", "", None),
            ("0.0.0.0:9490", "loaderd.loader.svc:9490", None),
            ("[::]:9490", "[fd00::7]:9490", None),
            ("0.0.0.0:9490", "", Some("nobody can connect to 0.0.0.0:9490")),
            ("[::]:9490", "", Some("nobody can connect to [::]:9490")),
            ("", "loaderd:9490", Some("needs workers.listen")),
            ("10.0.0.7:9490", "loaderd", Some("must be host:port")),
            ("10.0.0.7:9490", "loaderd:0", Some("must be host:port")),
            ("10.0.0.7:9490", "me@loaderd:9490", Some("must be host:port")),
            ("10.0.0.7:9490", "https://loaderd:9490", Some("must be host:port")),
        ] {
            let faults = config(listen, advertise).check();
            match fault {
                None => assert_eq!(faults, [""; 0], "{listen} {advertise}"),
                Some(fault) => {
                    assert!(faults.len() == 1 && faults[0].contains(fault), "{listen} {advertise}: {faults:?}")
                }
            }
        }
    }
}
