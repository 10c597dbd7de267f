//! Zip archives, as data sets are published in them: what they hold is read in place.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::source::Bytes;
use super::unpack::is_damage;

/// Most files of an archive: more are no trace, and each would take memory.
const MOST_MEMBERS: usize = 10_000;

/// Most bytes of an archive's directory that are read: that of so many files has less.
const MOST_DIRECTORY: usize = 16 << 20;

/// A file in an archive, and where its bytes are.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// Its path in the archive.
    pub(super) path: String,
    start: u64,
    packed: u64,
    size: u64,
    crc: u32,
    deflated: bool,
}

/// The files of an archive; those in folders too.
pub(super) fn members(archive: Box<dyn Bytes>) -> io::Result<Vec<Member>> {
    let directory = Directory { archive, left: MOST_DIRECTORY };
    let mut archive = ZipArchive::new(directory).map_err(|error| damaged(&error.to_string()))?;
    if archive.len() > MOST_MEMBERS {
        let rule =
            format!("the archive holds {} files; at most {MOST_MEMBERS} are looked at: unpack it", archive.len());
        return Err(io::Error::other(rule));
    }
    let mut members = Vec::new();
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index).map_err(|error| damaged(&error.to_string()))?;
        if !file.is_file() {
            continue;
        }
        let path = file.name().map_err(|error| damaged(&error.to_string()))?.into_owned();
        let method = file.compression();
        if file.encrypted() {
            return Err(io::Error::other(format!("{path} in the archive is encrypted: unpack it first")));
        }
        if !matches!(method, CompressionMethod::Stored | CompressionMethod::Deflated) {
            return Err(io::Error::other(format!("{path} in the archive is packed by {method}: unpack it first")));
        }
        let start = file.data_start().ok_or_else(|| damaged("no data"))?;
        members.push(Member {
            path,
            start,
            packed: file.compressed_size(),
            size: file.size(),
            crc: file.crc32(),
            deflated: method == CompressionMethod::Deflated,
        });
    }
    Ok(members)
}

impl Member {
    /// Its bytes, unpacked as they are read.
    pub(super) fn open(&self, mut archive: Box<dyn Bytes>) -> io::Result<Box<dyn Read>> {
        archive.seek(SeekFrom::Start(self.start))?;
        let packed = archive.take(self.packed);
        let file: Box<dyn Read> = if self.deflated { Box::new(DeflateDecoder::new(packed)) } else { Box::new(packed) };
        Ok(Box::new(Checked { file, crc: Crc::new(), read: 0, wanted: (self.size, self.crc) }))
    }
}

fn damaged(what: &str) -> io::Error {
    io::Error::other(format!("its zip data are damaged: {what}"))
}

/// An archive of which only the directory is read, and no more than it may have.
struct Directory {
    archive: Box<dyn Bytes>,
    left: usize,
}

impl Read for Directory {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.left);
        if most == 0 && !buffer.is_empty() {
            return Err(io::Error::other("its directory is too long"));
        }
        let read = self.archive.read(&mut buffer[..most])?;
        self.left -= read;
        Ok(read)
    }
}

impl Seek for Directory {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.archive.seek(to)
    }
}

/// A file whose size and checksum are compared at its end.
struct Checked {
    file: Box<dyn Read>,
    crc: Crc,
    read: u64,
    wanted: (u64, u32),
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer).map_err(|error| {
            if error.kind() == ErrorKind::UnexpectedEof {
                damaged("cut off")
            } else if is_damage(&error) {
                damaged(&error.to_string())
            } else {
                error
            }
        })?;
        self.crc.update(&buffer[..read]);
        self.read = self.read.saturating_add(read as u64);
        if read == 0 && !buffer.is_empty() && (self.read, self.crc.sum()) != self.wanted {
            return Err(damaged("size or checksum differ"));
        }
        Ok(read)
    }
}
