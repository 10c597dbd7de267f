//! Where a trace's files come from.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

/// What a file's bytes are read by; an archive is read from its end.
pub trait Bytes: Read + Seek + Send {}

impl<T: Read + Seek + Send> Bytes for T {}

/// Named files. The name of a file in a folder is `folder/file`.
pub trait Source {
    /// Where they are, for messages.
    fn location(&self) -> String;

    /// The names of the files.
    ///
    /// # Errors
    /// When they can't be listed.
    fn names(&self) -> io::Result<Vec<String>>;

    /// The bytes of the file `name`, as they are stored; `ErrorKind::NotFound` when there is none.
    ///
    /// # Errors
    /// When it can't be opened.
    fn open(&self, name: &str) -> io::Result<Box<dyn Bytes>>;

    /// The file that the trace was named by, of those in [`Source::names`], which then are the files beside it; absent when
    /// it was named by its directory.
    fn focus(&self) -> Option<String> {
        None
    }

    /// The name of the folder that the names start from, which may say what its files count; as its location has it, unless
    /// the source knows better.
    fn folder_name(&self) -> String {
        let location = self.location();
        let mut parts = location.rsplit('/').filter(|part| !matches!(*part, "" | "."));
        let own = if self.focus().is_some() { parts.nth(1) } else { parts.next() };
        own.unwrap_or_default().to_owned()
    }
}

/// The files of one directory and of the folders in it, but not of those in them; or, when the path leads to a file, that
/// file and those beside it.
#[derive(Debug, Clone)]
pub struct Directory(pub PathBuf);

impl Source for Directory {
    fn location(&self) -> String {
        self.0.display().to_string()
    }

    /// Names that are not UTF-8 are passed over: no format has such. So are folders that can't be listed: if they hold
    /// a file that is needed, that one is missed. And so is what is no file, such as a FIFO, which would be waited for.
    fn names(&self) -> io::Result<Vec<String>> {
        let is_file = |(name, path): (String, PathBuf)| path.is_file().then_some(name);
        let mut names = Vec::new();
        for (name, path) in entries(self.folder())? {
            if path.is_file() {
                names.push(name);
            } else if self.focus().is_none() && path.is_dir() {
                let files = entries(&path).unwrap_or_default().into_iter().filter_map(is_file);
                names.extend(files.map(|file| format!("{name}/{file}")));
            }
        }
        Ok(names)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Bytes>> {
        let path = self.folder().join(name);
        if path.is_file() { Ok(Box::new(File::open(path)?)) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn focus(&self) -> Option<String> {
        self.0.is_file().then(|| self.0.file_name()?.to_str().map(str::to_owned)).flatten()
    }

    /// Of the folder itself, by whatever path it was named: `.` is one, too.
    fn folder_name(&self) -> String {
        let folder = self.folder().canonicalize().unwrap_or_else(|_| self.folder().to_owned());
        folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

impl Directory {
    /// The directory that the names start from.
    fn folder(&self) -> &Path {
        match self.0.parent() {
            Some(parent) if self.0.is_file() && !parent.as_os_str().is_empty() => parent,
            Some(_) if self.0.is_file() => Path::new("."),
            _ => &self.0,
        }
    }
}

fn entries(directory: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let entries = fs::read_dir(directory)?.map(|entry| {
        let entry = entry?;
        Ok(entry.file_name().into_string().ok().map(|name| (name, entry.path())))
    });
    entries.filter_map(io::Result::transpose).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &Directory, name: &str) -> io::Result<String> {
        let mut text = String::new();
        source.open(name)?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn lists_a_directory_and_its_folders() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("days/old")).unwrap();
        for name in ["a.csv", "days/b.csv", "days/old/c.csv"] {
            fs::write(directory.path().join(name), name).unwrap();
        }
        let source = Directory(directory.path().to_owned());
        let mut names = source.names().unwrap();
        names.sort();
        assert_eq!(names, ["a.csv", "days/b.csv"]);
        assert_eq!(text(&source, "days/b.csv").unwrap(), "days/b.csv");
        assert_eq!(source.open("c.csv").err().unwrap().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_folder_has_its_own_name_whatever_its_path() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("requests_second");
        fs::create_dir_all(folder.join("inner")).unwrap();
        fs::write(folder.join("day_000.csv"), "").unwrap();
        for path in ["requests_second", "requests_second/", "requests_second/inner/..", "requests_second/day_000.csv"] {
            assert_eq!(Directory(directory.path().join(path)).folder_name(), "requests_second", "{path}");
        }
    }

    #[test]
    fn a_file_is_named_among_those_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.csv");
        fs::create_dir(directory.path().join("folder")).unwrap();
        for (name, content) in [("a.csv", "text"), ("b.csv", "other"), ("folder/c.csv", "")] {
            fs::write(directory.path().join(name), content).unwrap();
        }
        let source = Directory(path);
        let mut names = source.names().unwrap();
        names.sort();
        assert_eq!((names, source.focus()), (vec!["a.csv".to_owned(), "b.csv".to_owned()], Some("a.csv".to_owned())));
        assert_eq!((text(&source, "a.csv").unwrap(), text(&source, "b.csv").unwrap()), ("text".into(), "other".into()));
        assert_eq!(Directory(directory.path().to_owned()).focus(), None);
    }
}
