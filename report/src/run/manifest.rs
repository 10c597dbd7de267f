//! Whether the files of a run are still what the run left.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use loader_proto::v1::{Manifest, ManifestFile};
use sha2::{Digest as _, Sha256};

use super::{documents::Documents, remark::Remark};
use crate::rows::Found;

/// Longest file whose checksum is computed; of longer ones the length, and of rows their number, must do. `loaderctl check` reads all.
const LONGEST: u64 = 64 << 20;

/// Bytes that are read at once.
const PIECE: usize = 1 << 18;

/// Most files that are named.
const NAMED: usize = 10;

/// Compares the files with the manifest.
pub(super) fn check(directory: &Path, documents: &Documents, found: &Found) -> Vec<Remark> {
    let Some(Manifest { files, .. }) = &documents.manifest else {
        let text = "there is no manifest: the run has not ended, or the file was removed, so nothing says whether files are complete";
        return vec![Remark::slight(text)];
    };
    let faults = files.iter().filter_map(|file| fault(directory, file, found).map(|fault| (file, fault)));
    let mut remarks: Vec<_> =
        faults.map(|(file, fault)| Remark::serious(format!("{} {fault}", file.name))).take(NAMED + 1).collect();
    if remarks.len() > NAMED {
        remarks.pop();
        remarks.push(Remark::serious("further files are not what the manifest says; see loaderctl check"));
    }
    remarks
}

/// What is wrong with a file, if anything.
fn fault(directory: &Path, file: &ManifestFile, found: &Found) -> Option<String> {
    let ManifestFile { name, bytes, sha256, rows, cut_off_bytes: _ } = file;
    let is_plain = !name.contains(['/', '\\']) && !name.starts_with('.');
    let opened = File::open(directory.join(name)).ok().filter(|_| is_plain);
    let Some(mut opened) = opened else { return Some("is missing".to_owned()) };
    let length = opened.metadata().map_or(0, |metadata| metadata.len());
    if length != *bytes {
        let how = if length < *bytes { "is cut off" } else { "has grown" };
        return Some(format!("{how}: it has {length} bytes, the manifest says {bytes}"));
    }
    let is_rows = found.file.is_some_and(|rows| rows == name);
    if let Some(rows) = rows.filter(|rows| is_rows && *rows != found.rows + found.unreadable) {
        return Some(format!("has {} rows, the manifest says {rows}", found.rows + found.unreadable));
    }
    if length > LONGEST {
        return None;
    }
    match digest(&mut opened) {
        Ok(digest) if digest == *sha256 => None,
        Ok(_) => Some("was changed after the run: its checksum is not the manifest's".to_owned()),
        Err(error) => Some(format!("cannot be read: {error}")),
    }
}

fn digest(file: &mut File) -> io::Result<String> {
    let (mut hash, mut piece) = (Sha256::new(), vec![0; PIECE]);
    loop {
        let read = file.read(&mut piece)?;
        match piece.get(..read) {
            Some(data) if !data.is_empty() => hash.update(data),
            _ => return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
        }
    }
}
