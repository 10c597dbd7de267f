//! Runs as their directories tell of them: given as directories, or fetched from the daemon.

use std::{
    io::{self, Write as _},
    path::Path,
};

use loader_report::run::{ReadError, Run};

use super::{
    fetch::{Folder, fetch},
    session::Session,
    study,
};
use crate::{Failure, cli::Cells};

/// Reads runs, in the order in which they are named. What is a directory is read as it is; all else is asked of the daemon, and its
/// files are kept only until they have been read. The id of a study, or its directory, stands for its samples.
pub(super) async fn read(session: &Session, names: &[String]) -> Result<Vec<Run>, Failure> {
    let mut runs = Vec::with_capacity(names.len());
    for name in names {
        let path = Path::new(name);
        if study::is_directory(path) {
            for directory in study::sample_directories(path)? {
                runs.push(of_directory(&directory)?);
            }
        } else if path.is_dir() {
            runs.push(of_directory(path)?);
        } else if path.exists() || name.contains('/') {
            return Err(Failure::Input(format!("{name} is not a directory, and not the id of a run")));
        } else if study::is_id(name) {
            for id in study::samples(session, name).await? {
                runs.push(fetched(session, &id).await?);
            }
        } else {
            runs.push(fetched(session, name).await?);
        }
    }
    Ok(runs)
}

/// A run that the daemon has. Its files are kept only until they have been read.
pub(super) async fn fetched(session: &Session, id: &str) -> Result<Run, Failure> {
    let directory = tempfile::Builder::new().prefix("loader-report-").tempdir();
    let failed = |source| Failure::System { doing: "cannot make a temporary directory".to_owned(), source };
    let directory = directory.map_err(failed)?;
    fetch(session, id, "", Folder::open(directory.path(), Cells::Raw, false)?).await?;
    of_directory(directory.path())
}

/// A run in a directory.
pub(super) fn of_directory(path: &Path) -> Result<Run, Failure> {
    Run::read(path).map_err(|error| match error {
        ReadError::NoRun(_) => Failure::Input(error.to_string()),
        ReadError::Io { path, source } => Failure::System { doing: format!("cannot read {}", path.display()), source },
    })
}

/// Writes a file whole, replacing an earlier one.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    replace(path, content)
        .map_err(|source| Failure::System { doing: format!("cannot write {}", path.display()), source })
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    // What is no regular file, such as /dev/stdout, cannot be replaced.
    if path.symlink_metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return std::fs::OpenOptions::new().write(true).open(path)?.write_all(content);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".loader-").tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("report.html");
        write(&path, b"one").expect("writes");
        write(&path, b"two").expect("writes");
        assert_eq!(std::fs::read(&path).expect("reads"), b"two");
        assert_eq!(std::fs::read_dir(folder.path()).expect("lists").count(), 1);
        assert!(matches!(write(folder.path(), b"x"), Err(Failure::System { .. })));
        write(Path::new("/dev/null"), b"x").expect("writes");
    }
}
