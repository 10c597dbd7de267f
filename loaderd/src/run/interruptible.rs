//! Files that are read no further once nobody waits for what is made of them.

use std::io::{self, Read, Seek, SeekFrom};

use loader_trace::{Bytes, Source};
use tokio_util::sync::CancellationToken;

/// A source whose files fail to be read once `left` is cancelled.
pub(super) struct Interruptible<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) left: CancellationToken,
}

struct File {
    file: Box<dyn Bytes>,
    left: CancellationToken,
}

fn check(left: &CancellationToken) -> io::Result<()> {
    // Not `Interrupted`, after which readers try again.
    if left.is_cancelled() { Err(io::Error::other("the client has left")) } else { Ok(()) }
}

impl Source for Interruptible<'_> {
    fn location(&self) -> String {
        self.source.location()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.source.names()
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Bytes>> {
        check(&self.left)?;
        Ok(Box::new(File { file: self.source.open(name)?, left: self.left.clone() }))
    }

    fn focus(&self) -> Option<String> {
        self.source.focus()
    }

    fn folder_name(&self) -> String {
        self.source.folder_name()
    }
}

impl Read for File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        check(&self.left)?;
        self.file.read(buffer)
    }
}

impl Seek for File {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use loader_trace::Directory;

    use super::*;

    #[test]
    fn a_file_is_read_no_further_when_the_client_has_left() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("a.csv"), "0123456789").expect("writes");
        let source = Directory(directory.path().to_owned());
        let trace = Interruptible { source: &source, left: CancellationToken::new() };
        let (mut file, mut piece) = (trace.open("a.csv").expect("opens"), [0; 5]);
        file.read_exact(&mut piece).expect("reads");
        trace.left.cancel();
        assert_eq!(file.read_exact(&mut piece).expect_err("fails").to_string(), "the client has left");
        assert!(trace.open("a.csv").is_err());
    }
}
