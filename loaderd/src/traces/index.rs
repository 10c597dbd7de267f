//! What the store holds, in memory: who began each upload, its bytes, and when it was last used. Pure, but for what is read once when
//! the store is opened.
//!
//! An entry has the name of its directory: a complete trace its id, an upload `<id>.<n>`, as several clients, or one client several
//! times, may send the same trace at once.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::manifest;
use crate::clock::UnixMicros;

/// How far a trace has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// All of it is stored.
    Complete,
    /// A client is sending it.
    UnderWay,
    /// Its client left before the end; it can resume.
    CutOff,
}

/// One trace, or one upload of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) stage: Stage,
    /// Who began to upload it; empty where that is not known.
    pub(super) client: String,
    /// Bytes on disk; of an upload under way those that were announced.
    pub(super) bytes: u64,
    /// When it was last written, or named.
    pub(super) used: UnixMicros,
}

/// A limit that a further upload would exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shortage {
    Count,
    Bytes,
    CountOfClient,
    BytesOfClient,
}

/// Most of everything, and of everything of one client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    pub(super) count: usize,
    pub(super) bytes: u64,
    pub(super) count_of_client: usize,
    pub(super) bytes_of_client: u64,
}

/// The entries, by the names of their directories.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) entries: BTreeMap<String, Entry>,
}

/// The id of the trace that a directory is for; absent for other names.
pub(super) fn id_of(name: &str) -> Option<&str> {
    let (id, number) = name.split_once('.').unwrap_or((name, "1"));
    (manifest::is_hash(id) && number.parse::<u32>().is_ok()).then_some(id)
}

impl Index {
    /// Reads what an earlier process left below `root`.
    pub(super) fn read(root: &Path) -> Self {
        number_uploads(root);
        let mut entries = BTreeMap::new();
        for (directory, stage) in [(root.join("partial"), Stage::CutOff), (root.to_owned(), Stage::Complete)] {
            for (name, path) in directories(&directory) {
                if name.contains('.') == (stage == Stage::Complete) {
                    continue;
                }
                let Some(used) = fs::metadata(&path).ok().map(|metadata| written(&metadata)) else { continue };
                let client = fs::read_to_string(root.join("clients").join(&name)).unwrap_or_default();
                entries.insert(name, Entry { stage, client, bytes: size(&path), used });
            }
        }
        Self { entries }
    }

    /// Whether the trace is stored as a whole.
    pub(super) fn is_complete(&self, id: &str) -> bool {
        self.entries.get(id).is_some_and(|entry| entry.stage == Stage::Complete)
    }

    /// The directory for an upload by `client`: that of its own that was cut off, else a new one.
    pub(super) fn name_for(&self, id: &str, client: &str) -> String {
        let is_own = |entry: &Entry| entry.stage == Stage::CutOff && entry.client == client;
        let mut of_trace = self.entries.iter().filter(|(name, _)| id_of(name) == Some(id));
        if let Some((name, _)) = of_trace.find(|(_, entry)| is_own(entry)) {
            return name.clone();
        }
        let mut names = (1_u32..).map(|number| format!("{id}.{number}"));
        // There are fewer entries than numbers.
        names.find(|name| !self.entries.contains_key(name)).unwrap_or_default()
    }

    /// Which limit an upload of `bytes` by `client` would exceed, its own entry aside.
    pub(super) fn shortage(&self, name: &str, client: &str, bytes: u64, most: Most) -> Option<Shortage> {
        let others = || self.entries.iter().filter(|(other, _)| *other != name).map(|(_, entry)| entry);
        let own = || others().filter(|entry| entry.client == client);
        let sum = |bytes: u64, entry: &Entry| bytes.saturating_add(entry.bytes);
        if own().count() >= most.count_of_client {
            return Some(Shortage::CountOfClient);
        }
        if own().fold(bytes, sum) > most.bytes_of_client {
            return Some(Shortage::BytesOfClient);
        }
        if others().count() >= most.count {
            return Some(Shortage::Count);
        }
        (others().fold(bytes, sum) > most.bytes).then_some(Shortage::Bytes)
    }

    /// The oldest upload that was cut off, which makes room for another one: of that client alone where its own limit is reached.
    pub(super) fn victim(&self, name: &str, client: &str, shortage: Shortage) -> Option<String> {
        let of_client = matches!(shortage, Shortage::CountOfClient | Shortage::BytesOfClient);
        let candidates = self.entries.iter().filter(|(other, entry)| {
            *other != name && entry.stage == Stage::CutOff && (!of_client || entry.client == client)
        });
        candidates.min_by_key(|(_, entry)| entry.used).map(|(name, _)| name.clone())
    }
}

/// Names uploads of an earlier version, which had no number, as this one does.
fn number_uploads(root: &Path) {
    for (name, path) in directories(&root.join("partial")).filter(|(name, _)| !name.contains('.')) {
        let numbered = format!("{name}.1");
        // One that can't be renamed is not resumed.
        let _not_resumed = fs::rename(path, root.join("partial").join(&numbered))
            .and_then(|()| fs::rename(root.join("clients").join(&name), root.join("clients").join(&numbered)));
    }
}

/// When a directory was last written, or named.
pub(super) fn written(metadata: &fs::Metadata) -> UnixMicros {
    UnixMicros(metadata.mtime().saturating_mul(1_000_000).saturating_add(metadata.mtime_nsec() / 1000))
}

/// The directories of traces in a directory, links aside.
fn directories(root: &Path) -> impl Iterator<Item = (String, PathBuf)> {
    fs::read_dir(root).into_iter().flatten().flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok().filter(|name| id_of(name).is_some())?;
        entry.file_type().is_ok_and(|kind| kind.is_dir()).then(|| (name, entry.path()))
    })
}

/// Bytes of a trace's files, which lie in at most one folder more.
pub(super) fn size(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.fold(0, |sum: u64, entry| {
        sum.saturating_add(match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
    })
}
