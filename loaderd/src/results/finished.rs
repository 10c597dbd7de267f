//! What becomes of a run's records when it is over.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};

use super::{
    columns,
    reader::{CSV, GZIPPED, PARQUET},
};
use crate::spec::Output;

/// Records that could not be converted to the requested form. They stay as they were.
#[derive(Debug, thiserror::Error)]
#[error("{} could not be written: {source}; the records are in {CSV}", path.display())]
pub struct FinishError {
    path: PathBuf,
    source: io::Error,
}

/// Turns invocations.csv into the requested form. At any instant the records exist in one form or the other.
///
/// # Errors
/// A failure to write the file. The records then stay as they were.
pub fn finish(directory: &Path, output: Output) -> Result<(), FinishError> {
    let name = match output {
        Output::Csv => return Ok(()),
        Output::GzippedCsv => GZIPPED,
        Output::Parquet => PARQUET,
    };
    let path = directory.join(name);
    let turned = turn(directory, &path, if output == Output::Parquet { parquet } else { gzip });
    turned.map_err(|source| FinishError { path, source })
}

fn turn(directory: &Path, path: &Path, write: fn(File, File) -> io::Result<File>) -> io::Result<()> {
    let old = directory.join(CSV);
    let records = match File::open(&old) {
        Ok(records) => records,
        // The run ended before there were any.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let new = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(directory)?;
    let mode = records.metadata()?.permissions();
    let written = write(records, new.as_file().try_clone()?)?;
    written.set_permissions(mode)?;
    written.sync_all()?;
    new.persist(path)?;
    File::open(directory)?.sync_all()?;
    fs::remove_file(&old)
}

fn gzip(mut records: File, file: File) -> io::Result<File> {
    let mut encoder = GzEncoder::new(file, Compression::default());
    io::copy(&mut records, &mut encoder)?;
    encoder.finish()
}

fn parquet(records: File, file: File) -> io::Result<File> {
    columns::write(records, file).map_err(io::Error::other)
}

#[cfg(test)]
mod tests;
