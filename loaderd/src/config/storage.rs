//! `[retention]` and `[traces]`: what is kept in the state directory.

use std::{path::PathBuf, time::Duration};

use toml::de::DeValue;

use super::read::{FromToml, Section};

/// `[retention]`: which ended runs are kept; unlimited by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// How long after its end a run is kept.
    pub max_age: Option<Duration>,
    /// Maximum number of ended runs.
    pub max_runs: Option<u64>,
    /// Maximum size of all ended runs together, in MiB.
    pub max_mib: Option<u64>,
}

impl Retention {
    pub(super) fn read(&mut self, section: &mut Section<'_>) {
        section.take("max_age", &mut self.max_age);
        section.take("max_runs", &mut self.max_runs);
        section.take("max_mib", &mut self.max_mib);
    }
}

/// How long something is kept that nobody uses; `None`: forever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry(pub Option<Duration>);

impl FromToml for Expiry {
    fn from_toml(value: &DeValue<'_>) -> Result<Self, &'static str> {
        if value.as_str() == Some("never") {
            return Ok(Self(None));
        }
        let wanted = "\"never\", or a duration such as \"30d\"";
        Duration::from_toml(value).map(|kept| Self(Some(kept))).map_err(|_| wanted)
    }
}

/// `[traces]`: uploads, and traces on the daemon's machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Traces {
    /// Directories below which specs can name traces by path.
    pub roots: Vec<PathBuf>,
    /// Largest upload, in MiB.
    pub max_upload_mib: u64,
    /// Maximum size of all uploads together, in MiB.
    pub max_mib: u64,
    /// Maximum size of the uploads of one client together, in MiB.
    pub max_mib_per_client: u64,
    /// Maximum number of uploads.
    pub max_uploads: usize,
    /// Maximum number of uploads of one client.
    pub max_uploads_per_client: usize,
    /// How long an upload is kept that no run uses.
    pub expire: Expiry,
}

impl Traces {
    pub(super) fn read(&mut self, section: &mut Section<'_>) {
        section.take("roots", &mut self.roots);
        section.take_within("max_upload_mib", &mut self.max_upload_mib, 1..=1 << 20);
        section.take_within("max_mib", &mut self.max_mib, 1..=1 << 30);
        section.take_within("max_mib_per_client", &mut self.max_mib_per_client, 1..=1 << 30);
        section.take_within("max_uploads", &mut self.max_uploads, 1..=1_000_000);
        section.take_within("max_uploads_per_client", &mut self.max_uploads_per_client, 1..=1_000_000);
        section.take("expire", &mut self.expire);
    }
}

impl Default for Traces {
    fn default() -> Self {
        Self {
            roots: Vec::new(),
            max_upload_mib: 4096,
            max_mib: 20_480,
            max_mib_per_client: 10_240,
            max_uploads: 1000,
            max_uploads_per_client: 500,
            expire: Expiry(Some(Duration::from_hours(30 * 24))),
        }
    }
}
