//! `[retention]` and `[traces]`: what is kept in the state directory.

use std::{path::PathBuf, time::Duration};

use super::read::Section;

/// `[retention]`: which runs are kept; nothing is bounded where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// How long after its end a run is kept.
    pub max_age: Option<Duration>,
    /// How many ended runs are kept.
    pub max_runs: Option<u64>,
    /// How many MiB ended runs may take, together.
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
    /// Directories below which specs may name traces by path.
    pub roots: Vec<PathBuf>,
    /// Largest upload, in MiB.
    pub max_upload_mib: u64,
    /// Most uploads.
    pub max_uploads: usize,
    /// Most uploads of one client.
    pub max_uploads_per_client: usize,
    /// How long an upload is kept that no run names.
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
