//! `[retention]` and `[traces]`: what is kept in the state directory.

use std::{path::PathBuf, time::Duration};

use super::read::Section;

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

/// `[traces]`: uploads, and traces on the daemon's machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Traces {
    /// Directories below which specs can name traces by path.
    pub roots: Vec<PathBuf>,
    /// Largest upload, in MiB.
    pub max_upload_mib: u64,
    /// Maximum number of uploads.
    pub max_uploads: usize,
    /// Maximum number of uploads of one client.
    pub max_uploads_per_client: usize,
    /// How long an upload is kept that no run uses.
    pub expire: Option<Duration>,
}

impl Traces {
    pub(super) fn read(&mut self, section: &mut Section<'_>) {
        section.take("roots", &mut self.roots);
        section.take_within("max_upload_mib", &mut self.max_upload_mib, 1..=1 << 20);
        section.take_within("max_uploads", &mut self.max_uploads, 1..=1_000_000);
        section.take_within("max_uploads_per_client", &mut self.max_uploads_per_client, 1..=1_000_000);
        section.take("expire", &mut self.expire);
    }
}

impl Default for Traces {
    fn default() -> Self {
        Self { roots: Vec::new(), max_upload_mib: 4096, max_uploads: 1000, max_uploads_per_client: 500, expire: None }
    }
}
