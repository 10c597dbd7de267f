//! What a run's disturbances have changed, written down before they do: disturbances.json of the run's directory.

use std::io;

use serde::{Deserialize, Serialize};

use super::super::{backup, cluster_error::ClusterError};
use crate::platform::SettingsBackup;

/// Version of the file's format.
const VERSION: u32 = 1;

/// What the file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Saved {
    version: u32,
    pub(super) changes: Vec<SavedChange>,
}

/// A change of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedChange {
    /// The number of the disturbance in the spec.
    pub(super) disturbance: u32,
    pub(super) change: Change,
    /// Whether it was undone.
    pub(super) undone: bool,
}

/// What is changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Change {
    /// A Deployment has no replicas.
    Replicas {
        namespace: String,
        deployment: String,
        /// The replicas before.
        before: i32,
    },
    /// A node takes no new pods.
    Unschedulable { node: String },
}

/// Where the changes of one disturbance are written down.
pub(super) struct Changes<'a> {
    pub(super) backup: &'a SettingsBackup,
    pub(super) number: u32,
}

impl Changes<'_> {
    /// Writes down a change that is about to be made.
    ///
    /// # Errors
    /// A file that cannot be read or written.
    pub(super) fn note(&self, change: Change) -> Result<(), ClusterError> {
        let mut saved = Saved::read(self.backup)?;
        saved.changes.push(SavedChange { disturbance: self.number, change, undone: false });
        saved.write(self.backup)
    }
}

impl Saved {
    /// What was written down; nothing without a file.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(super) fn read(file: &SettingsBackup) -> Result<Self, ClusterError> {
        let read = backup::read::<Self>(file).and_then(|saved| match saved {
            Some(saved) if saved.version != VERSION => {
                Err(io::Error::other(format!("it has version {}; this daemon knows {VERSION}", saved.version)))
            }
            saved => Ok(saved),
        });
        let read = read.map_err(|source| failed(file, source))?;
        Ok(read.unwrap_or(Self { version: VERSION, changes: Vec::new() }))
    }

    /// Writes it atomically and durably.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn write(&self, file: &SettingsBackup) -> Result<(), ClusterError> {
        backup::write(self, file).map_err(|source| failed(file, source))
    }

    /// Writes down that a change was undone.
    ///
    /// # Errors
    /// A file that cannot be read or written.
    pub(super) fn undone(file: &SettingsBackup, place: usize) -> Result<(), ClusterError> {
        // Read again: others may have been added meanwhile.
        let mut saved = Self::read(file)?;
        if let Some(change) = saved.changes.get_mut(place) {
            change.undone = true;
        }
        saved.write(file)
    }
}

fn failed(file: &SettingsBackup, source: io::Error) -> ClusterError {
    ClusterError::Backup { path: file.path().to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_read_as_they_were_written() {
        let directory = tempfile::tempdir().unwrap();
        let backup = SettingsBackup::at(directory.path().join("disturbances.json"));
        assert_eq!(Saved::read(&backup).unwrap().changes, []);
        let replicas = Change::Replicas { namespace: "n".to_owned(), deployment: "d".to_owned(), before: 3 };
        let node = Change::Unschedulable { node: "w".to_owned() };
        Changes { backup: &backup, number: 4 }.note(replicas.clone()).unwrap();
        Changes { backup: &backup, number: 0 }.note(node.clone()).unwrap();
        Saved::undone(&backup, 0).unwrap();
        let expected = [
            SavedChange { disturbance: 4, change: replicas, undone: true },
            SavedChange { disturbance: 0, change: node, undone: false },
        ];
        assert_eq!(Saved::read(&backup).unwrap().changes, expected);
        let text = std::fs::read_to_string(backup.path()).unwrap();
        std::fs::write(backup.path(), text.replace("\"version\": 1", "\"version\": 2")).unwrap();
        assert!(Saved::read(&backup).unwrap_err().to_string().ends_with("it has version 2; this daemon knows 1"));
    }
}
