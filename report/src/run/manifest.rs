//! Whether the files of a run are still what the run left.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use loader_proto::v1::{Manifest, ManifestFile};
use sha2::{Digest as _, Sha256};

use super::{documents::Documents, remark::Remark};
use crate::{rows::Found, spreadsheet::Cells};

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
    let path = directory.join(name);
    let opened = File::open(&path).ok().filter(|_| is_plain);
    let Some(opened) = opened else { return Some("is missing".to_owned()) };
    let length = opened.metadata().map_or(0, |metadata| metadata.len());
    let read = found.rows + found.unreadable;
    let is_rows = found.file.is_some_and(|rows| rows == name);
    let fault = if length != *bytes {
        let how = if length < *bytes { "is cut off" } else { "has grown" };
        format!("{how}: it has {length} bytes, the manifest says {bytes}")
    } else if let Some(rows) = rows.filter(|rows| is_rows && *rows != read) {
        format!("has {read} rows, the manifest says {rows}")
    } else if length <= LONGEST {
        match digest(opened, None) {
            Ok(digest) if digest.1 == *sha256 => return None,
            Ok(_) => "was changed after the run: its checksum is not the manifest's".to_owned(),
            Err(error) => return Some(format!("cannot be read: {error}")),
        }
    } else {
        return None;
    };
    // Fetched results may have cells that are safe in a spreadsheet; as the run left them they had fewer signs.
    let undone = name.ends_with(".csv").then(|| File::open(path).and_then(|file| digest(file, Some(Cells::undo()))));
    let is_safe_copy = undone.is_some_and(|undone| undone.is_ok_and(|undone| undone == (*bytes, sha256.clone())));
    (!is_safe_copy).then_some(fault)
}

/// Length and checksum of a file, or of what a change makes of it.
fn digest(mut file: File, mut change: Option<Cells>) -> io::Result<(u64, String)> {
    let (mut hash, mut length, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    let mut take = |data: &[u8]| {
        hash.update(data);
        length += data.len() as u64;
    };
    loop {
        let read = file.read(&mut piece)?;
        let data = piece.get(..read).unwrap_or_default();
        match &mut change {
            Some(cells) if data.is_empty() => take(&cells.finish()),
            Some(cells) => take(&cells.push(data)),
            None => take(data),
        }
        if data.is_empty() {
            return Ok((length, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()));
        }
    }
}
