//! The files of a run's trace, for its workers: named by their content, and read in pieces.

use std::{
    io::{self, Read as _},
    sync::Arc,
};

use loader_trace::Source;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::TaskTracker;
use tonic::Status;

use super::bounds::PIECE;

/// Pieces that are read ahead.
const AHEAD: usize = 2;

/// Opens the trace of a run.
pub type OpenSource = Box<dyn Fn() -> Result<Box<dyn Source>, String> + Send + Sync>;

/// The trace of a run.
pub struct TraceFiles {
    hash: [u8; 32],
    /// Sorted.
    names: Vec<String>,
    focus: String,
    folder: String,
    open: OpenSource,
}

impl TraceFiles {
    /// Reads the whole of a trace for its hash: SHA-256 over the names and the bytes of its files, in the order of their names, each with
    /// its length. Blocks.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn read_all(open: OpenSource) -> Result<Self, String> {
        let source = open()?;
        let mut names = source.names().map_err(|error| error.to_string())?;
        let (focus, folder) = (source.focus().unwrap_or_default(), source.folder_name());
        names.sort_unstable();
        let mut hash = Sha256::new();
        for name in &names {
            add(&mut hash, &*source, name).map_err(|error| format!("{name}: {error}"))?;
        }
        drop(source);
        Ok(Self { hash: hash.finalize().into(), names, focus, folder, open })
    }

    /// Its hash.
    pub fn hash(&self) -> &[u8] {
        &self.hash
    }

    /// The names of its files.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The file that it was named by; empty where it was named by its directory.
    pub fn focus(&self) -> &str {
        &self.focus
    }

    /// The name of the folder that its files are in, which may say what they count.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// The bytes of a file, in pieces; a blocking task reads them.
    pub(super) fn read(self: Arc<Self>, name: String, tasks: &TaskTracker) -> ReceiverStream<Result<Vec<u8>, Status>> {
        let (pieces, receive) = mpsc::channel(AHEAD);
        drop(tasks.spawn_blocking(move || {
            if let Err(status) = self.pieces(&name, &pieces) {
                // The worker may have gone.
                let _gone = pieces.blocking_send(Err(status));
            }
        }));
        ReceiverStream::new(receive)
    }

    fn pieces(&self, name: &str, pieces: &mpsc::Sender<Result<Vec<u8>, Status>>) -> Result<(), Status> {
        if !self.names.iter().any(|known| known == name) {
            return Err(Status::not_found("the trace has no such file"));
        }
        let failed = |error: io::Error| Status::internal(format!("{name}: {error}"));
        let source = (self.open)().map_err(Status::internal)?;
        let mut file = source.open(name).map_err(failed)?;
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            (&mut file).take(PIECE as u64).read_to_end(&mut piece).map_err(failed)?;
            if piece.is_empty() || pieces.blocking_send(Ok(piece)).is_err() {
                return Ok(());
            }
        }
    }
}

fn add(hash: &mut Sha256, source: &dyn Source, name: &str) -> io::Result<()> {
    let mut file = source.open(name)?;
    hash.update((name.len() as u64).to_le_bytes());
    hash.update(name);
    let mut own = Sha256::new();
    let mut buffer = vec![0; PIECE];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            length => own.update(&buffer[..length]),
        }
    }
    hash.update(own.finalize());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, io::Cursor};

    use futures_util::StreamExt as _;
    use loader_trace::Bytes;

    use super::*;

    #[derive(Clone)]
    struct Files(BTreeMap<&'static str, Vec<u8>>);

    impl Source for Files {
        fn location(&self) -> String {
            "memory".to_owned()
        }

        fn names(&self) -> io::Result<Vec<String>> {
            Ok(self.0.keys().rev().map(|&name| name.to_owned()).collect())
        }

        fn open(&self, name: &str) -> io::Result<Box<dyn Bytes>> {
            let bytes = self.0.get(name).ok_or(io::ErrorKind::NotFound)?;
            Ok(Box::new(Cursor::new(bytes.clone())))
        }
    }

    fn files(of: &[(&'static str, usize)]) -> TraceFiles {
        let files = Files(of.iter().map(|&(name, length)| (name, vec![7; length])).collect());
        TraceFiles::read_all(Box::new(move || Ok(Box::new(files.clone())))).unwrap()
    }

    #[tokio::test]
    async fn files_come_whole_in_pieces_and_by_name() {
        let trace = Arc::new(files(&[("a.csv", PIECE + 5), ("b.csv", 0)]));
        assert_eq!(trace.names(), ["a.csv", "b.csv"]);
        let tasks = TaskTracker::new();
        let pieces: Vec<_> = Arc::clone(&trace).read("a.csv".to_owned(), &tasks).collect().await;
        let lengths: Vec<_> = pieces.into_iter().map(|piece| piece.unwrap().len()).collect();
        assert_eq!(lengths, [PIECE, 5]);
        assert_eq!(Arc::clone(&trace).read("b.csv".to_owned(), &tasks).count().await, 0);
        let other: Vec<_> = trace.read("../c".to_owned(), &tasks).collect().await;
        assert!(matches!(&other[..], [Err(status)] if status.code() == tonic::Code::NotFound), "{other:?}");
    }

    #[test]
    fn a_hash_is_of_names_and_content() {
        let hash = |of: &[(&'static str, usize)]| files(of).hash().to_vec();
        assert_eq!(hash(&[("a", 3), ("b", 1)]), hash(&[("b", 1), ("a", 3)]));
        for other in [&[("a", 1), ("b", 3)][..], &[("a", 4)], &[("ab", 4)], &[("a", 3), ("c", 1)]] {
            assert_ne!(hash(&[("a", 3), ("b", 1)]), hash(other), "{other:?}");
        }
    }
}
