//! Where a trace's files come from.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Named files. The name of a file in a folder is `folder/file`.
pub trait Source {
    /// Where they are, for messages.
    fn location(&self) -> String;

    /// The names of the files.
    ///
    /// # Errors
    /// When they can't be listed.
    fn names(&self) -> io::Result<Vec<String>>;

    /// The bytes of the file `name`; `ErrorKind::NotFound` when there is none.
    ///
    /// # Errors
    /// When it can't be opened.
    fn open(&self, name: &str) -> io::Result<Box<dyn Read>>;
}

/// The files of one directory and of the folders in it, but not of those in them; or one file alone, when the path leads
/// to one.
#[derive(Debug, Clone)]
pub struct Directory(pub PathBuf);

impl Source for Directory {
    fn location(&self) -> String {
        self.0.display().to_string()
    }

    /// Names that are not UTF-8 are passed over: no format has such. So are folders that can't be listed: if they hold
    /// a file that is needed, that one is missed.
    fn names(&self) -> io::Result<Vec<String>> {
        if let Some(name) = self.lone_file() {
            return Ok(vec![name.to_owned()]);
        }
        let mut names = Vec::new();
        for (name, path) in entries(&self.0)? {
            if path.is_dir() {
                let files = entries(&path).unwrap_or_default().into_iter().filter(|(_, path)| path.is_file());
                names.extend(files.map(|(file, _)| format!("{name}/{file}")));
            } else {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read>> {
        let path = match self.lone_file() {
            Some(file) if file == name => self.0.clone(),
            Some(_) => return Err(io::ErrorKind::NotFound.into()),
            None => self.0.join(name),
        };
        Ok(Box::new(File::open(path)?))
    }
}

impl Directory {
    /// The name of the file that the path leads to, if it does not lead to a directory.
    fn lone_file(&self) -> Option<&str> {
        self.0.is_file().then(|| self.0.file_name()?.to_str()).flatten()
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
    fn a_file_stands_for_itself() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.csv");
        fs::write(&path, "text").unwrap();
        fs::write(directory.path().join("b.csv"), "other").unwrap();
        let source = Directory(path);
        assert_eq!(source.names().unwrap(), ["a.csv"]);
        assert_eq!(text(&source, "a.csv").unwrap(), "text");
        assert_eq!(source.open("b.csv").err().unwrap().kind(), io::ErrorKind::NotFound);
    }
}
