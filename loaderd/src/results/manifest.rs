//! manifest.json: what a run left, with lengths and checksums, so that a truncated or changed file is detected.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use super::{
    columns::ColumnReader,
    layout::files,
    piece::ExportError,
    reader::{GZIPPED, PARQUET},
    table::RowScan,
};

/// Its name. It is written last, and is not in itself.
pub const MANIFEST: &str = "manifest.json";

/// What may change after the manifest was written: the run's state, and settings of the cluster that are restored only then.
const CHANGING: [&str; 3] = ["run.json", SETTINGS_BACKUP, DISTURBANCES_BACKUP];

/// Where a run notes settings of the cluster before it changes them.
pub const SETTINGS_BACKUP: &str = "cluster_settings.json";

/// Where a run notes what its disturbances change, before they do.
pub const DISTURBANCES_BACKUP: &str = "disturbances.json";

/// Bytes that are read at once.
const PIECE: usize = 1 << 18;

/// A file of a run's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFile {
    /// Its name, without any folder.
    pub name: String,
    /// Length of the file, in bytes.
    pub bytes: u64,
    /// The SHA-256 of its content, in hex.
    pub sha256: String,
    /// Of a table: its rows, the header not counted.
    pub rows: Option<u64>,
    /// Of a table: bytes of a last row that a crash cut off; such a row is not counted.
    pub cut_off_bytes: u64,
}

/// The files of a run's directory, read whole.
///
/// # Errors
/// The first file that cannot be read.
pub fn inventory(directory: &Path) -> Result<Vec<ManifestFile>, ExportError> {
    let files =
        files(directory)?.into_iter().filter(|(name, _)| name != MANIFEST && !CHANGING.contains(&name.as_str()));
    let described = files.map(|(name, path)| describe(&name, &path).map_err(|source| ExportError::Io { path, source }));
    described.collect()
}

fn describe(name: &str, path: &Path) -> io::Result<ManifestFile> {
    let is_csv = Path::new(name).extension().is_some_and(|extension| extension == "csv");
    let mut file = File::open(path)?;
    let (mut hash, mut scan, mut bytes) = (Sha256::new(), RowScan::default(), 0);
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece)?;
        let Some(piece) = piece.get(..read).filter(|piece| !piece.is_empty()) else { break };
        hash.update(piece);
        bytes += piece.len() as u64;
        if is_csv {
            scan.scan(piece);
        }
    }
    let rows = match name {
        GZIPPED => Some(scanned(MultiGzDecoder::new(File::open(path)?))?),
        PARQUET => Some(ColumnReader::count(File::open(path)?).map_err(io::Error::other)?),
        _ => is_csv.then(|| scan.rows().saturating_sub(1)),
    };
    let cut_off_bytes = if is_csv { scan.rest() } else { 0 };
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(ManifestFile { name: name.to_owned(), bytes, sha256, rows, cut_off_bytes })
}

/// The rows of a table without its header.
fn scanned(mut table: impl io::Read) -> io::Result<u64> {
    let (mut scan, mut piece) = (RowScan::default(), vec![0; PIECE]);
    loop {
        let read = table.read(&mut piece)?;
        let Some(piece) = piece.get(..read).filter(|piece| !piece.is_empty()) else { break };
        scan.scan(piece);
    }
    Ok(scan.rows().saturating_sub(1))
}

#[cfg(test)]
mod tests;
