//! Where a trace's files come from.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;

/// Named files.
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

/// The files of one directory.
#[derive(Debug, Clone)]
pub struct Directory(pub PathBuf);

impl Source for Directory {
    fn location(&self) -> String {
        self.0.display().to_string()
    }

    /// Names that are not UTF-8 are passed over: no format has such.
    fn names(&self) -> io::Result<Vec<String>> {
        let names = fs::read_dir(&self.0)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(io::Result::transpose).collect()
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(File::open(self.0.join(name))?))
    }
}
