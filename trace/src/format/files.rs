//! The files of a trace by name, wherever they are stored: as they are, packed, or in archives.
//!
//! A file in a zip archive has the name `archive.zip/path/in/it`; reading it reads the archive in place. The bytes of all
//! files that are read count against one bound, after unpacking, so that a small file that unpacks to very much ends.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Seek as _};
use std::rc::Rc;

use super::parquet::{Text, is_parquet};
use super::problem::Problem;
use super::source::{Bytes, Source};
use super::tags::Tags;
use super::unpack::{is_zip, unpacked};
use super::zip::{self, Member};

/// Most files in a trace's folder.
const MOST_FILES: usize = 10_000;

/// What the files are called, and how they are opened.
pub(super) struct Files<'a> {
    source: &'a dyn Source,
    /// By name, those in archives with their archive.
    files: BTreeMap<String, Option<(String, Member)>>,
    /// The archives that can't be read, and why.
    unreadable: Vec<(String, io::Error)>,
    /// What the trace was named by: a file, or an archive with files; none: their folder.
    focus: Option<String>,
    /// The name of the folder that all are in.
    folder: String,
    /// Bytes that may still be read.
    left: Rc<Cell<u64>>,
    most_bytes: u64,
}

impl<'a> Files<'a> {
    /// Lists the files of `source`, of which `most_bytes` are read at most.
    pub(super) fn list(source: &'a dyn Source, most_bytes: u64) -> Result<Self, Problem> {
        let focus = source.focus();
        let mut names = source.names()?;
        if names.len() > MOST_FILES {
            // Beside a file there may be anything.
            match &focus {
                Some(focus) => names = vec![focus.clone()],
                None => return Err(Problem::TooMany { what: "files", most: MOST_FILES }),
            }
        }
        let left = Rc::new(Cell::new(most_bytes));
        let mut files = Self {
            source,
            files: BTreeMap::new(),
            unreadable: Vec::new(),
            focus,
            folder: source.folder_name(),
            left,
            most_bytes,
        };
        names.into_iter().for_each(|name| files.add(name));
        Ok(files)
    }

    fn add(&mut self, name: String) {
        match self.members(&name) {
            Ok(None) => {
                self.files.insert(name, None);
            }
            Ok(Some(members)) => {
                for member in members {
                    self.files.insert(format!("{name}/{}", member.path), Some((name.clone(), member)));
                }
            }
            Err(error) => self.unreadable.push((name, error)),
        }
    }

    /// The files of an archive; none where it is a file. One that can't be read is a file, whose reader says so.
    fn members(&self, name: &str) -> io::Result<Option<Vec<Member>>> {
        let Ok(mut file) = self.source.open(name) else { return Ok(None) };
        let mut head = [0; 4];
        if file.read_exact(&mut head).is_err() || !is_zip(&head) {
            return Ok(None);
        }
        zip::members(self.source.open(name)?).map(Some)
    }

    /// Where they are, for messages.
    pub(super) fn location(&self) -> String {
        self.source.location()
    }

    /// Their names, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Those that the trace can begin with: all, or what it was named by.
    pub(super) fn named(&self) -> impl Iterator<Item = &str> {
        let focus = self.focus.as_deref();
        let is_named = move |name: &&str| {
            focus.is_none_or(|focus| {
                name.strip_prefix(focus).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        self.names().filter(is_named)
    }

    /// Whether the trace was named by a file.
    pub(super) fn is_focused(&self) -> bool {
        self.focus.is_some()
    }

    /// The archives that can't be read, of those that the trace can begin with.
    pub(super) fn take_unreadable(&mut self) -> Vec<(String, io::Error)> {
        let mut unreadable = std::mem::take(&mut self.unreadable);
        unreadable.retain(|(name, _)| self.focus.as_ref().is_none_or(|focus| focus == name));
        unreadable
    }

    /// What the name of a file says; of one without a folder, the folder that all are in is its own.
    pub(super) fn tags(&self, name: &str) -> Tags {
        if name.contains('/') {
            return Tags::of(name);
        }
        Tags { group: String::new(), ..Tags::of(&format!("{}/{name}", self.folder)) }
    }

    /// The stored file that the file `name` is, or is in.
    pub(super) fn stored(&self, name: &str) -> String {
        let archive = self.files.get(name).and_then(Option::as_ref).map(|(archive, _)| archive);
        archive.map_or(name, String::as_str).to_owned()
    }

    /// The names of all files that are in the archive `stored`; none of a file that is no archive.
    pub(super) fn members_of(&self, stored: &str) -> impl Iterator<Item = &str> {
        let within = move |(_, member): &(&String, &Option<(String, Member)>)| {
            member.as_ref().is_some_and(|(archive, _)| archive == stored)
        };
        self.files.iter().filter(within).map(|(name, _)| name.as_str())
    }

    /// What the file `name` holds.
    pub(super) fn open(&self, name: &str) -> Result<Box<dyn Read>, Problem> {
        let file: Box<dyn Read> = match self.files.get(name) {
            Some(Some((archive, member))) => member.open(self.source.open(archive)?)?,
            Some(None) => {
                let mut stored = self.source.open(name)?;
                if begins(&mut stored, is_parquet)? { Box::new(Text::open(stored)?) } else { Box::new(stored) }
            }
            None => return Err(io::Error::from(ErrorKind::NotFound).into()),
        };
        Ok(Box::new(Metered { file: unpacked(file)?, left: Rc::clone(&self.left), most: self.most_bytes }))
    }
}

/// Whether the first bytes of a file are of some kind; it is read from its beginning afterwards.
fn begins(file: &mut Box<dyn Bytes>, is: impl Fn(&[u8]) -> bool) -> io::Result<bool> {
    let mut head = Vec::new();
    file.take(4).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(is(&head))
}

/// A file whose bytes count.
struct Metered {
    file: Box<dyn Read>,
    left: Rc<Cell<u64>>,
    most: u64,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        let left = self.left.get().checked_sub(read as u64);
        self.left.set(left.ok_or_else(|| {
            let mib = self.most >> 20;
            io::Error::other(format!("the trace has more than {mib} MiB unpacked; take a part of it"))
        })?);
        Ok(read)
    }
}
