//! `[hooks]`: executables that studies run on this machine.

use std::{path::PathBuf, time::Duration};

use super::read::Section;

/// How long a hook may take: by default, and at most.
const TIMEOUTS: (Duration, Duration) = (Duration::from_mins(5), Duration::from_hours(24));

/// `[hooks]`: executables that studies run on this machine; off by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooks {
    /// Their directory; `None`: studies with hooks are refused.
    pub directory: Option<PathBuf>,
    /// How long one of them may take.
    pub timeout: Duration,
}

impl Default for Hooks {
    fn default() -> Self {
        Self { directory: None, timeout: TIMEOUTS.0 }
    }
}

impl Hooks {
    pub(super) fn read(&mut self, section: &mut Section<'_>) {
        section.take("directory", &mut self.directory);
        section.take("timeout", &mut self.timeout);
    }

    /// What is wrong with the values together.
    pub(super) fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.directory.as_ref().is_some_and(|directory| directory.is_relative()) {
            faults.push("hooks.directory: must be an absolute path".to_owned());
        }
        if self.timeout.is_zero() || self.timeout > TIMEOUTS.1 {
            faults.push("hooks.timeout: must be above 0 and at most 24h".to_owned());
        }
        faults
    }
}
