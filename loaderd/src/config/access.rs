//! `[tls]` and `[access]`: transport security and access control.

use std::{collections::BTreeMap, num::NonZeroU32, path::PathBuf};

use toml::de::DeValue;

use super::read::{FromToml, Section, named};
use crate::{
    access::{Policy, Role, Token},
    listener::Files,
};

/// Default limit of requests a second for each caller; far more than a person or a script makes.
// Checked at compile time.
const REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(1000).unwrap();

/// `[tls]`: the daemon's certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// The certificate, with its chain.
    pub certificate: Option<PathBuf>,
    /// The certificate's private key.
    pub key: Option<PathBuf>,
    /// The CA of client certificates.
    pub client_ca: Option<PathBuf>,
    /// Whether loopback addresses use TLS, too.
    pub loopback: bool,
}

/// `[access]`: who may do what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Role of callers on the Unix socket.
    pub socket: ListenerRole,
    /// Role of callers over loopback without TLS.
    pub loopback: ListenerRole,
    /// Limit of requests a second for each caller.
    pub requests_per_second: NonZeroU32,
    /// Bearer tokens, by which callers are authenticated.
    pub tokens: Tokens,
    /// Roles by the name (CN) in client certificates.
    pub certificates: Roles,
}

/// The role of callers on a listener without TLS; `None`: no access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenerRole(pub Option<Role>);

/// Tokens with their owners' names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tokens(pub Vec<Token>);

/// Roles by the name (CN) in client certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles(pub BTreeMap<String, Role>);

impl Access {
    /// The policy for [`crate::access::Guard`].
    pub fn policy(&self) -> Policy {
        Policy {
            socket: self.socket.0,
            loopback: self.loopback.0,
            tokens: self.tokens.0.clone(),
            certificates: self.certificates.0.clone(),
        }
    }
}

impl Default for Access {
    fn default() -> Self {
        Self {
            socket: ListenerRole(Some(Role::Admin)),
            loopback: ListenerRole(Some(Role::Admin)),
            requests_per_second: REQUESTS_PER_SECOND,
            tokens: Tokens::default(),
            certificates: Roles::default(),
        }
    }
}

impl Tls {
    pub(super) fn read(&mut self, section: &mut Section<'_>) {
        section.take("certificate", &mut self.certificate);
        section.take("key", &mut self.key);
        section.take("client_ca", &mut self.client_ca);
        section.take("loopback", &mut self.loopback);
    }

    /// Its files, if TLS is configured.
    pub fn files(&self) -> Option<Files> {
        let (certificate, key) = (self.certificate.clone()?, self.key.clone()?);
        Some(Files { certificate, key, client_ca: self.client_ca.clone() })
    }

    pub(super) fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.certificate.is_some() != self.key.is_some() {
            faults.push("tls.certificate and tls.key belong together: one of them is missing".to_owned());
        }
        if self.files().is_none() && (self.client_ca.is_some() || self.loopback) {
            faults.push("tls.client_ca and tls.loopback need tls.certificate and tls.key".to_owned());
        }
        faults
    }
}

impl Access {
    pub(super) fn read(&mut self, section: &mut Section<'_>) {
        section.take("socket", &mut self.socket);
        section.take("loopback", &mut self.loopback);
        let mut requests = self.requests_per_second.get();
        section.take_within("requests_per_second", &mut requests, 1..=1_000_000);
        self.requests_per_second = NonZeroU32::new(requests).unwrap_or(REQUESTS_PER_SECOND);
        section.take("tokens", &mut self.tokens);
        section.take("certificates", &mut self.certificates);
    }
}

impl FromToml for ListenerRole {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        let wanted = "\"none\", \"read\", \"submit\" or \"admin\"";
        match value.as_str() {
            Some("none") => Ok(Self(None)),
            Some(role) => role.parse().map(|role| Self(Some(role))).map_err(|_| wanted),
            None => Err(wanted),
        }
    }
}

impl FromToml for Tokens {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        let token = |name, value: &DeValue<'_>| {
            let DeValue::Table(token) = value else { return None };
            let text = |key: &str| token.get(key).and_then(|it| it.get_ref().as_str());
            let (role, digest) = (text("role")?.parse().ok()?, text("sha256")?.parse().ok()?);
            (token.len() == 2).then_some(Token { name, role, digest })
        };
        let wanted =
            "tokens such as NAME = { role = \"read\", sha256 = \"64 hexadecimal digits\" }; see loaderctl token";
        named(value, token).map(Self).ok_or(wanted)
    }
}

impl FromToml for Roles {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        let role = |name, value: &DeValue<'_>| Some((name, value.as_str()?.parse().ok()?));
        let wanted = "names of certificates and roles, such as alice = \"submit\"";
        named(value, role).map(|roles| Self(roles.into_iter().collect())).ok_or(wanted)
    }
}
