//! Batches that were not taken yet, on disk: what was recorded survives any break of the connection. The latest are in memory, too.
//!
//! ```text
//! segment 0 (removed) │ segment 1: 17 18 19 … │ segment 2: … 41 ◀─ push
//!                       ▲ first                  the last KEPT_IN_MEMORY are not read back
//! ```
//!
//! Segments are small, so that what was taken already takes little room on a disk that may be small. Only the last one is open: there
//! may be thousands when the coordinator is away for long.

use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use loader_proto::worker::EventBatch;
use tempfile::TempDir;
use tokio::sync::watch;

/// Batches in memory.
const KEPT_IN_MEMORY: usize = 16;

/// Bytes of a file, but for its last batch. Of what was taken no more than such a file is on disk.
const SEGMENT: u64 = 1 << 20;

/// What the spool can't keep.
#[derive(Debug, thiserror::Error)]
pub(super) enum SpoolError {
    /// The directory can't be made.
    #[error("the directory for what was recorded cannot be made in {place}: {source}")]
    Create {
        /// Where.
        place: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A batch can't be written.
    #[error("what was recorded cannot be kept in {place}: {source}")]
    Write {
        /// The directory.
        place: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A batch can't be read back.
    #[error("what was recorded cannot be read back from {place}: {source}")]
    Read {
        /// The directory.
        place: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The spool of a worker.
pub(super) struct Spool {
    inner: Mutex<Inner>,
    /// Changes when there is something more to send.
    news: watch::Sender<()>,
}

struct Inner {
    directory: TempDir,
    /// Most bytes that may be kept.
    limit: u64,
    segments: VecDeque<Segment>,
    /// The last of them.
    written: Option<File>,
    /// The number of the next one.
    next_segment: u64,
    entries: VecDeque<Entry>,
    /// The number of the first of these.
    first: u64,
    bytes: u64,
}

struct Segment {
    number: u64,
    length: u64,
}

struct Entry {
    segment: u64,
    offset: u64,
    compressed: usize,
    length: u32,
    memory: Option<Vec<u8>>,
}

impl Spool {
    /// An empty one, in a directory of its own.
    ///
    /// # Errors
    /// When that can't be made.
    pub(super) fn create(
        place: Option<&Path>,
        limit: Option<u64>,
        news: watch::Sender<()>,
    ) -> Result<Self, SpoolError> {
        let place = place.map_or_else(std::env::temp_dir, Path::to_owned);
        let directory = tempfile::Builder::new().prefix("loader-worker-").tempdir_in(&place);
        let directory = directory.map_err(|source| SpoolError::Create { place, source })?;
        let (segments, entries) = (VecDeque::new(), VecDeque::new());
        let limit = limit.unwrap_or(u64::MAX);
        let inner = Inner { directory, limit, segments, written: None, next_segment: 0, entries, first: 0, bytes: 0 };
        Ok(Self { inner: Mutex::new(inner), news })
    }

    /// Keeps the next batch.
    ///
    /// # Errors
    /// When it can't be written. It is as if it had not been there, then.
    pub(super) fn push(&self, batch: EventBatch) -> Result<(), SpoolError> {
        self.with(|inner| {
            let pushed = inner.push(batch);
            pushed.map_err(|source| SpoolError::Write { place: inner.directory.path().to_owned(), source })
        })?;
        self.news.send_replace(());
        Ok(())
    }

    /// The batch with this number; absent where it is not kept.
    ///
    /// # Errors
    /// When it can't be read back.
    pub(super) fn get(&self, number: u64) -> Result<Option<EventBatch>, SpoolError> {
        self.with(|inner| {
            let got = inner.get(number);
            got.map_err(|source| SpoolError::Read { place: inner.directory.path().to_owned(), source })
        })
    }

    /// Batches before this one were taken.
    pub(super) fn acknowledge(&self, next: u64) {
        self.with(|inner| inner.acknowledge(next));
        self.news.send_replace(());
    }

    /// The numbers of the first batch that is kept, and of the next one that will be.
    pub(super) fn range(&self) -> (u64, u64) {
        self.with(|inner| (inner.first, inner.first + inner.entries.len() as u64))
    }

    /// How many batches are kept, and their bytes.
    pub(super) fn kept(&self) -> (u64, u64) {
        self.with(|inner| (inner.entries.len() as u64, inner.bytes))
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Inner) -> T) -> T {
        // Nothing in here panics.
        use_it(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    fn push(&mut self, EventBatch { number: _, events, length }: EventBatch) -> io::Result<()> {
        let size = events.len() as u64;
        if self.bytes.saturating_add(size) > self.limit {
            return Err(io::Error::new(io::ErrorKind::StorageFull, format!("{} bytes are the most", self.limit)));
        }
        let (segment, file) = self.segment()?;
        file.write_all_at(&events, segment.length)?;
        let (number, offset) = (segment.number, segment.length);
        segment.length += size;
        let compressed = events.len();
        self.entries.push_back(Entry { segment: number, offset, compressed, length, memory: Some(events) });
        self.bytes += size;
        if let Some(older) = self.entries.len().checked_sub(KEPT_IN_MEMORY + 1).and_then(|at| self.entries.get_mut(at))
        {
            older.memory = None;
        }
        Ok(())
    }

    /// The file to write to.
    fn segment(&mut self) -> io::Result<(&mut Segment, &File)> {
        if self.written.is_none() || self.segments.back().is_none_or(|last| last.length >= SEGMENT) {
            let number = self.next_segment;
            let file = OpenOptions::new().write(true).create_new(true).open(self.path(number))?;
            self.next_segment += 1;
            self.segments.push_back(Segment { number, length: 0 });
            self.written = Some(file);
        }
        let gone = || io::Error::other("the file that is written to is gone");
        Ok((self.segments.back_mut().ok_or_else(gone)?, self.written.as_ref().ok_or_else(gone)?))
    }

    fn path(&self, segment: u64) -> PathBuf {
        self.directory.path().join(format!("{segment}.batches"))
    }

    fn get(&self, number: u64) -> io::Result<Option<EventBatch>> {
        let at = number.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
        let Some(entry) = at.and_then(|at| self.entries.get(at)) else { return Ok(None) };
        let events = match &entry.memory {
            Some(events) => events.clone(),
            None => {
                let mut events = vec![0; entry.compressed];
                File::open(self.path(entry.segment))?.read_exact_at(&mut events, entry.offset)?;
                events
            }
        };
        Ok(Some(EventBatch { number, events, length: entry.length }))
    }

    fn acknowledge(&mut self, next: u64) {
        while self.first < next
            && let Some(entry) = self.entries.pop_front()
        {
            self.first += 1;
            self.bytes -= entry.compressed as u64;
        }
        // Where nothing is kept, the last file may go, too.
        let needed = self.entries.front().map(|entry| entry.segment);
        while let Some(segment) = self.segments.front()
            && needed.map_or(segment.length >= SEGMENT, |needed| segment.number < needed)
        {
            // Whoever removed it before did the same.
            let _gone = fs::remove_file(self.path(segment.number));
            self.segments.pop_front();
            if self.segments.is_empty() {
                self.written = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool(limit: Option<u64>) -> (Spool, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        (Spool::create(Some(directory.path()), limit, watch::channel(()).0).unwrap(), directory)
    }

    fn batch(number: u64, size: usize) -> EventBatch {
        EventBatch { number, events: vec![u8::try_from(number % 251).unwrap(); size], length: 7 }
    }

    #[test]
    fn batches_are_kept_until_they_are_taken() {
        let (spool, _directory) = spool(None);
        for number in 0..50 {
            spool.push(batch(number, 100)).unwrap();
        }
        assert_eq!((spool.range(), spool.kept()), ((0, 50), (50, 5_000)));
        for number in [0, 20, 49] {
            assert_eq!(spool.get(number).unwrap(), Some(batch(number, 100)), "from disk, or memory");
        }
        spool.acknowledge(49);
        assert_eq!((spool.range(), spool.kept()), ((49, 50), (1, 100)));
        assert_eq!(spool.get(48).unwrap(), None);
        spool.acknowledge(60);
        assert_eq!(spool.range(), (50, 50), "no more than there are");
        spool.push(batch(50, 3)).unwrap();
        assert_eq!(spool.get(50).unwrap(), Some(batch(50, 3)));
    }

    #[test]
    fn files_go_with_their_last_batch() {
        let (spool, directory) = spool(None);
        let files =
            || fs::read_dir(fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap().path()).unwrap().count();
        let size = usize::try_from(SEGMENT / 2).unwrap();
        for number in 0..5 {
            spool.push(batch(number, size)).unwrap();
        }
        assert_eq!(files(), 3);
        spool.acknowledge(2);
        assert_eq!(files(), 2);
        spool.acknowledge(5);
        assert_eq!(files(), 1, "the one that is written to");
        drop(spool);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    /// However much passes through it, and however small its disk is: a healthy run has a few batches that were not taken.
    #[test]
    fn what_was_taken_takes_little_room() {
        let (spool, directory) = spool(None);
        let place = fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap().path();
        let used = || fs::read_dir(&place).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum::<u64>();
        let (size, mut most) = (200_000, 0);
        for number in 0..300 {
            spool.push(batch(number, size)).unwrap();
            spool.acknowledge((number + 1).saturating_sub(4));
            most = most.max(used());
        }
        assert!(most < 3 * SEGMENT, "{most} bytes of {}", 300 * size);
        spool.acknowledge(300);
        assert!(used() < SEGMENT + size as u64);
        for number in 300..330 {
            spool.push(batch(number, size)).unwrap();
        }
        assert_eq!(spool.get(300).unwrap(), Some(batch(300, size)), "from a file that is not open any more");
    }

    #[test]
    fn what_does_not_fit_is_not_there() {
        let (spool, _directory) = spool(Some(250));
        spool.push(batch(0, 100)).unwrap();
        spool.push(batch(1, 100)).unwrap();
        let error = spool.push(batch(2, 100)).unwrap_err().to_string();
        assert!(error.ends_with("250 bytes are the most"), "{error}");
        assert_eq!(spool.range(), (0, 2));
        spool.acknowledge(1);
        spool.push(batch(2, 100)).unwrap();
        assert_eq!(spool.get(2).unwrap(), Some(batch(2, 100)));
    }
}
