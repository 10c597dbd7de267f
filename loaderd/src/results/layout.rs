//! A run's results as files, native or in the old loader's layout.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    ops::ControlFlow,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{
    invitro,
    piece::{ExportError, Piece, Sink},
};

/// Bytes of one piece.
const PIECE: usize = 1 << 18;

/// Which files, with which columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// The run's directory as it is.
    #[default]
    Native,
    /// The files of InVitro, the Go loader.
    Invitro,
}

/// A name that is no layout's.
#[derive(Debug, thiserror::Error)]
#[error("is {0:?}; must be \"native\" or \"invitro\"")]
pub struct UnknownLayout(String);

impl FromStr for Layout {
    type Err = UnknownLayout;

    fn from_str(name: &str) -> Result<Self, UnknownLayout> {
        match name {
            "" | "native" => Ok(Self::Native),
            "invitro" => Ok(Self::Invitro),
            other => Err(UnknownLayout(other.to_owned())),
        }
    }
}

/// Gives the files of a run, piece by piece, until `sink` has had enough.
///
/// # Errors
/// The first file that can't be read.
pub fn export(directory: &Path, layout: Layout, sink: &mut Sink<'_>) -> Result<(), ExportError> {
    match layout {
        Layout::Native => native(directory, sink),
        Layout::Invitro => invitro::export(directory, sink),
    }
}

fn native(directory: &Path, sink: &mut Sink<'_>) -> Result<(), ExportError> {
    for (name, path) in files(directory)? {
        let sent = send_file(&name, &path, sink).map_err(|source| ExportError::Io { path, source })?;
        if sent.is_break() {
            return Ok(());
        }
    }
    Ok(())
}

/// The files of a run's directory, by name.
pub(super) fn files(directory: &Path) -> Result<Vec<(String, PathBuf)>, ExportError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ExportError::Io { path, source }
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed(directory))? {
        let entry = entry.map_err(failed(directory))?;
        let regular = entry.file_type().map_err(failed(&entry.path()))?.is_file();
        // Nothing here has a name that is not UTF-8; what begins with a dot is on its way to another name.
        let name = entry.file_name().into_string().ok().filter(|name| regular && !name.starts_with('.'));
        files.extend(name.map(|name| (name, entry.path())));
    }
    files.sort();
    Ok(files)
}

fn send_file(name: &str, path: &Path, sink: &mut Sink<'_>) -> io::Result<ControlFlow<()>> {
    let mut file = File::open(path)?;
    let mut first = true;
    loop {
        let mut data = Vec::new();
        (&mut file).take(PIECE as u64).read_to_end(&mut data)?;
        if data.is_empty() && !first {
            return Ok(ControlFlow::Continue(()));
        }
        first = false;
        if sink(Piece { file: name.to_owned(), data }).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
}

#[cfg(test)]
mod tests;
