//! Fetches the files of a run into a directory: all of them or none.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use loader_proto::v1::{DownloadResultsRequest, DownloadResultsResponse};
use loader_report::spreadsheet;
use tempfile::NamedTempFile;

use super::session::Session;
use crate::{Failure, check::Checker, cli::Cells, file_name::is_plain};

/// What was fetched.
pub(super) struct Fetched {
    /// Names and sizes.
    pub(super) files: Vec<(String, u64)>,
    /// The content, to be checked.
    pub(super) checker: Checker,
}

/// Fetches the files of a run that has ended.
pub(super) async fn fetch(session: &Session, run: &str, layout: &str, folder: Folder) -> Result<Fetched, Failure> {
    let daemon = session.daemon().await?;
    let request = DownloadResultsRequest { run_id: run.to_owned(), layout: layout.to_owned() };
    let opened = daemon.api.clone().download_results(request).await.map_err(|status| daemon.failure(status))?;
    let mut stream = opened.into_inner();
    let (mut folder, mut checker) = (folder, Checker::default());
    while let Some(piece) = stream.message().await.map_err(|status| daemon.failure(status))? {
        checker.take(&piece.file, &piece.data);
        folder.take(piece)?;
    }
    Ok(Fetched { files: folder.keep()?, checker })
}

/// A directory that files are fetched into. They get their names when all are there; before, they go away on their own.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    cells: Cells,
    files: Vec<Part>,
}

/// A file that is on its way.
#[derive(Debug)]
struct Part {
    name: String,
    size: u64,
    file: NamedTempFile,
    /// Of a CSV file that is to be safe in a spreadsheet.
    guard: Option<spreadsheet::Cells>,
}

impl Part {
    fn write(&mut self, data: &[u8]) -> io::Result<()> {
        self.size += data.len() as u64;
        self.file.write_all(data)
    }
}

impl Folder {
    /// Creates the directory where it does not exist.
    ///
    /// # Errors
    /// A directory that cannot be used, or has files, unless `force` is given.
    pub(super) fn open(path: &Path, cells: Cells, force: bool) -> Result<Self, Failure> {
        let failed = |source| Failure::System { doing: format!("cannot use {}", path.display()), source };
        fs::create_dir_all(path).map_err(failed)?;
        let is_empty = fs::read_dir(path).map_err(failed)?.next().is_none();
        if !is_empty && !force {
            return Err(Failure::Input(format!("{} is not empty; use --force to write into it", path.display())));
        }
        Ok(Self { path: path.to_owned(), cells, files: Vec::new() })
    }

    /// Appends a piece to its file. Pieces of one file come one after another.
    fn take(&mut self, piece: DownloadResultsResponse) -> Result<(), Failure> {
        let DownloadResultsResponse { file: name, data } = piece;
        let failed = |source| Failure::System { doing: format!("cannot write {name}"), source };
        let at = match self.files.iter().position(|fetched| fetched.name == name) {
            Some(at) => at,
            None if is_plain(&name) => {
                let file = tempfile::Builder::new().prefix(".fetching-").tempfile_in(&self.path).map_err(failed)?;
                let is_guarded = self.cells == Cells::Safe && name.ends_with(".csv");
                let guard = is_guarded.then(spreadsheet::Cells::guard);
                self.files.push(Part { name: name.clone(), size: 0, file, guard });
                self.files.len() - 1
            }
            None => return Err(Failure::Answer(format!("{name:?} is not a plain file name; nothing was written"))),
        };
        let Some(fetched) = self.files.get_mut(at) else { return Ok(()) };
        let guarded = fetched.guard.as_mut().map(|guard| guard.push(&data));
        fetched.write(&guarded.unwrap_or(data)).map_err(failed)
    }

    /// Gives the files their names; returns names and sizes.
    fn keep(self) -> Result<Vec<(String, u64)>, Failure> {
        let mut kept = Vec::with_capacity(self.files.len());
        for mut fetched in self.files {
            let path = self.path.join(&fetched.name);
            let failed = |source| Failure::System { doing: format!("cannot write {}", path.display()), source };
            let rest = fetched.guard.as_mut().map(spreadsheet::Cells::finish).unwrap_or_default();
            fetched.write(&rest).map_err(failed)?;
            let Part { name, size, file, guard: _ } = fetched;
            readable(file.as_file()).map_err(failed)?;
            file.persist(&path).map_err(|error| failed(error.error))?;
            kept.push((name, size));
        }
        Ok(kept)
    }
}

/// Temporary files are their owner's alone; results are for the group, too, as other files are.
fn readable(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(file: &str, data: &[u8]) -> DownloadResultsResponse {
        DownloadResultsResponse { file: file.to_owned(), data: data.to_vec() }
    }

    fn names(path: &Path) -> Vec<String> {
        let entries = fs::read_dir(path).expect("a directory");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn files_get_their_names_when_all_are_there() {
        let directory = tempfile::tempdir().expect("a directory");
        let to = directory.path().join("new/results");
        let mut folder = Folder::open(&to, Cells::Safe, false).expect("opens");
        for (name, data) in [("a.csv", "one "), ("a.csv", "two"), ("empty.csv", "")] {
            folder.take(piece(name, data.as_bytes())).expect("taken");
        }
        assert!(names(&to).iter().all(|name| name.starts_with(".fetching-")));
        let kept = folder.keep().expect("kept");
        assert_eq!(kept, [("a.csv".to_owned(), 7), ("empty.csv".to_owned(), 0)]);
        assert_eq!(fs::read_to_string(to.join("a.csv")).expect("a file"), "one two");
        assert_eq!(names(&to), ["a.csv", "empty.csv"]);
    }

    #[test]
    fn cells_that_a_spreadsheet_would_run_are_text_unless_raw_ones_are_wanted() {
        for (cells, expected) in [(Cells::Safe, "error\n'=1+1\n-2"), (Cells::Raw, "error\n=1+1\n-2")] {
            let directory = tempfile::tempdir().expect("a directory");
            let mut folder = Folder::open(directory.path(), cells, false).expect("opens");
            for name in ["a.csv", "run.json", "a.csv.gz"] {
                folder.take(piece(name, b"error\n=1")).expect("taken");
                folder.take(piece(name, b"+1\n-2")).expect("taken");
            }
            folder.keep().expect("kept");
            let read = |name| fs::read_to_string(directory.path().join(name)).expect("a file");
            assert_eq!(read("a.csv"), expected);
            // Only text is changed.
            assert_eq!([read("run.json"), read("a.csv.gz")], ["error\n=1+1\n-2", "error\n=1+1\n-2"]);
        }
    }

    #[test]
    fn a_name_that_leads_elsewhere_leaves_nothing_behind() {
        let directory = tempfile::tempdir().expect("a directory");
        for name in ["../evil", "/etc/evil", "a/b", "..", ""] {
            let to = directory.path().join("to");
            let mut folder = Folder::open(&to, Cells::Safe, false).expect("opens");
            folder.take(piece("good.csv", b"1")).expect("taken");
            let refused = folder.take(piece(name, b"x"));
            assert!(matches!(refused, Err(Failure::Answer(_))), "{name:?}");
            drop(folder);
            assert_eq!(names(&to), [""; 0], "{name:?}");
        }
        assert_eq!(names(directory.path()), ["to"]);
    }

    #[test]
    fn a_directory_with_files_needs_force() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("a.csv"), "old").expect("written");
        assert!(matches!(Folder::open(directory.path(), Cells::Safe, false), Err(Failure::Input(_))));
        let mut folder = Folder::open(directory.path(), Cells::Raw, true).expect("opens");
        folder.take(piece("a.csv", b"new")).expect("taken");
        folder.keep().expect("kept");
        assert_eq!(fs::read_to_string(directory.path().join("a.csv")).expect("a file"), "new");
    }
}
