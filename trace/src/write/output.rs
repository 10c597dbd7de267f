//! Files that appear together, when all of them are written.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use thiserror::Error;

/// Why files can't be written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// A file exists that would be replaced.
    #[error("{} exists", path.display())]
    Exists {
        /// The path of the file.
        path: PathBuf,
    },
    /// What is to be a folder is none.
    #[error("{} is no directory", path.display())]
    NoFolder {
        /// The path.
        path: PathBuf,
    },
    /// A file or the directory can't be made.
    #[error("can't create {}", path.display())]
    Create {
        /// The path of the file or directory.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A file can't be written.
    #[error("can't write {}", path.display())]
    Write {
        /// The path of the file.
        path: PathBuf,
        /// Why the file can't be written.
        source: io::Error,
    },
}

/// Files on their way into a directory. They are written into a folder beside it, and moved when all are complete; what is
/// dropped before leaves nothing.
#[derive(Debug)]
pub struct Output {
    target: PathBuf,
    staged: TempDir,
    names: Vec<PathBuf>,
    force: bool,
}

impl Output {
    /// For files of these `names`, which may have folders, in the directory `target`, which is made if it is not there. Files
    /// that exist are replaced if `force` is given, and refused otherwise.
    ///
    /// # Errors
    /// When a file exists, or nothing can be written there.
    pub fn new<N: AsRef<Path>>(
        target: &Path,
        names: impl IntoIterator<Item = N>,
        force: bool,
    ) -> Result<Self, WriteError> {
        let names: Vec<PathBuf> = names.into_iter().map(|name| name.as_ref().to_owned()).collect();
        if target.exists() && !target.is_dir() {
            return Err(WriteError::NoFolder { path: target.to_owned() });
        }
        let exists = names.iter().map(|name| target.join(name)).find(|path| path.symlink_metadata().is_ok());
        if let Some(path) = exists.filter(|_| !force) {
            return Err(WriteError::Exists { path });
        }
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| WriteError::Create { path, source }
        };
        // Beside the target, so that it is on the same file system. A path that ends with a folder's `..` has no name.
        let parent = match target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) if target.file_name().is_some() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(failed(parent))?;
        let staged = tempfile::Builder::new().prefix(".loader-trace-").tempdir_in(parent).map_err(failed(target))?;
        Ok(Self { target: target.to_owned(), staged, names, force })
    }

    /// A new file of one of the names.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn file(&self, name: impl AsRef<Path>) -> Result<BufWriter<File>, WriteError> {
        let path = self.staged.path().join(name.as_ref());
        let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| File::create(&path));
        made.map(BufWriter::new).map_err(|source| WriteError::Create { path: self.target.join(name.as_ref()), source })
    }

    /// A whole file.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn text(&self, name: impl AsRef<Path>, content: &str) -> Result<(), WriteError> {
        let name = name.as_ref();
        let mut file = self.file(name)?;
        let written = file.write_all(content.as_bytes()).and_then(|()| file.flush());
        written.map_err(|source| WriteError::Write { path: self.target.join(name), source })
    }

    /// Moves the files to where they belong.
    ///
    /// # Errors
    /// When one can't be moved, or exists by now.
    pub fn finish(self) -> Result<(), WriteError> {
        let Self { target, staged, names, force } = self;
        if !target.exists() {
            // The folder is private as long as files are missing.
            open_to_all(staged.path()).map_err(|source| WriteError::Create { path: target.clone(), source })?;
            let path = staged.keep();
            return fs::rename(&path, &target).map_err(|source| {
                let _what_is_left = fs::remove_dir_all(&path);
                WriteError::Create { path: target.clone(), source }
            });
        }
        for name in &names {
            let (from, path) = (staged.path().join(name), target.join(name));
            if !from.exists() {
                continue;
            }
            if path.symlink_metadata().is_ok() && !force {
                return Err(WriteError::Exists { path });
            }
            let moved = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::rename(&from, &path));
            moved.map_err(|source| WriteError::Write { path, source })?;
        }
        Ok(())
    }
}

/// Gives a folder the permissions that a new one has.
fn open_to_all(folder: &Path) -> io::Result<()> {
    let usual = folder.join("usual");
    fs::create_dir(&usual)?;
    let permissions = fs::metadata(&usual)?.permissions();
    fs::remove_dir(&usual)?;
    fs::set_permissions(folder, permissions)
}
