//! Files that are stored packed: gzip and zstd are unpacked as they are read, never into memory or onto disk; of what can't
//! be read so, the message says how to unpack it.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

use super::problem::Problem;
use super::zstd::Frames;

/// Bytes at a file's beginning that tell what it is: a tar archive has its mark at 257.
const HEAD: usize = 512;

/// Most packings in each other: a `.csv.gz` in a zip archive has two.
const DEEPEST: u32 = 3;

/// What the first bytes of a file say of it.
enum Content {
    Plain,
    Gzip,
    Zstd,
    /// What it is, and how it is made readable.
    Refused(&'static str, &'static str),
}

/// The beginnings of files that are not read, with what to say of them.
const REFUSED: &[(&[u8], &str, &str)] = &[
    (b"Rar!\x1a\x07", "a rar archive", "unpack it first, with unrar x or 7z x"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first, with 7z x"),
    (b"\xfd7zXZ\0", "compressed with xz", "unpack it first, a .tar.xz with tar -xJf, others with xz -d"),
    (b"BZh", "compressed with bzip2", "unpack it first, a .tar.bz2 with tar -xjf, others with bzip2 -d"),
    (b"PK\x03\x04", "an archive in an archive", "unpack it first"),
    (b"PAR1", "a Parquet file in an archive", "unpack it first"),
    (b"\x80\x04\x95", "a Python pickle", "scripts/ibm2026-to-csv converts those of IBM Code Engine"),
    (b"\x80\x05\x95", "a Python pickle", "scripts/ibm2026-to-csv converts those of IBM Code Engine"),
    (b"version https://git-lfs", "a pointer of Git LFS", "fetch the file itself with git lfs pull"),
];

const TAR: &str = "unpack it first, with tar -xf";

/// Whether a file that begins so is a zip archive.
pub(super) fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04")
}

/// What is stored in a file.
pub(super) fn unpacked(file: Box<dyn Read>) -> Result<Box<dyn Read>, Problem> {
    layer(file, 0)
}

fn layer(file: Box<dyn Read>, depth: u32) -> Result<Box<dyn Read>, Problem> {
    let (head, file) = peek(file, HEAD)?;
    match content(&head) {
        Content::Plain => Ok(file),
        Content::Gzip if depth < DEEPEST => layer(damaged("gzip", MultiGzDecoder::new(file)), depth + 1),
        Content::Zstd if depth < DEEPEST => layer(damaged("zstd", Frames::new(file)), depth + 1),
        Content::Gzip | Content::Zstd => Err(Problem::Packed { what: "packed many times", advice: "unpack it first" }),
        Content::Refused(what, advice) => Err(Problem::Packed { what, advice }),
    }
}

fn content(head: &[u8]) -> Content {
    if head.starts_with(b"\x1f\x8b") {
        return Content::Gzip;
    }
    // A frame, or one that is skipped, as tools that pack in parallel write it first.
    if head.starts_with(b"\x28\xb5\x2f\xfd") || matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]) {
        return Content::Zstd;
    }
    if head.get(257..262) == Some(b"ustar") {
        return Content::Refused("a tar archive", TAR);
    }
    match REFUSED.iter().find(|(mark, ..)| head.starts_with(mark)) {
        Some(&(_, what, advice)) => Content::Refused(what, advice),
        None => Content::Plain,
    }
}

/// The first `most` bytes, fewer at the end of a file, and the file as if they had not been read.
pub(super) fn peek(mut file: Box<dyn Read>, most: usize) -> io::Result<(Vec<u8>, Box<dyn Read>)> {
    let mut head = Vec::with_capacity(most);
    (&mut file).take(most as u64).read_to_end(&mut head)?;
    let again: Box<dyn Read> = Box::new(io::Cursor::new(head.clone()).chain(file));
    Ok((head, again))
}

/// Whether an error is one of what was read, not of reading.
pub(super) fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
}

/// A decoder whose errors say what is damaged.
struct Decoder<R> {
    of: &'static str,
    inner: R,
}

fn damaged(of: &'static str, inner: impl Read + 'static) -> Box<dyn Read> {
    Box::new(Decoder { of, inner })
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let of = self.of;
        self.inner.read(buffer).map_err(|error| {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                io::Error::other(format!("its {of} data are cut off"))
            } else if is_damage(&error) {
                io::Error::other(format!("its {of} data are damaged: {error}"))
            } else {
                error
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn read(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
        let mut file = unpacked(Box::new(io::Cursor::new(bytes))).map_err(|problem| problem.to_string())?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map(|_| text).map_err(|error| Problem::from(error).to_string())
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    #[test]
    fn packed_files_are_what_was_packed() {
        let text: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9][..], &zstd(&text)].concat();
        for packed in [text.clone(), gzip(&text), zstd(&text), gzip(&zstd(&text)), skipped, gzip(&gzip(&gzip(&text)))] {
            assert_eq!(read(packed).map(|found| found == text), Ok(true));
        }
        // As `cat a.gz b.gz` and `zstd` in pieces make them.
        for two in [[gzip(b"one "), gzip(b"two")].concat(), [zstd(b"one "), zstd(b"two")].concat()] {
            assert_eq!(read(two), Ok(b"one two".to_vec()));
        }
        assert_eq!(read(Vec::new()), Ok(Vec::new()));
    }

    #[test]
    fn what_is_damaged_or_cut_off_is_said() {
        let text: Vec<u8> = (0..10_000_u32).flat_map(u32::to_le_bytes).collect();
        for (packed, of) in [(gzip(&text), "gzip"), (zstd(&text), "zstd")] {
            assert_eq!(
                read(packed[..packed.len() / 2].to_vec()),
                Err(format!("cannot be read: its {of} data are cut off"))
            );
            let mut wrong = packed.clone();
            let place = packed.len() - 3;
            wrong[place] ^= 0x55;
            let found = read(wrong).unwrap_err();
            assert!(found.starts_with(&format!("cannot be read: its {of} data are damaged: ")), "{found}");
        }
    }

    #[test]
    fn archives_that_are_not_read_are_named() {
        let mut tar = vec![0; 1024];
        tar[257..262].copy_from_slice(b"ustar");
        for (bytes, expected) in [
            (tar.clone(), "is a tar archive: unpack it first, with tar -xf"),
            (gzip(&tar), "is a tar archive: unpack it first, with tar -xf"),
            (zstd(&tar), "is a tar archive: unpack it first, with tar -xf"),
            (b"Rar!\x1a\x07\x01\x00".to_vec(), "is a rar archive: unpack it first, with unrar x or 7z x"),
            (gzip(&gzip(&gzip(&gzip(b"a")))), "is packed many times: unpack it first"),
        ] {
            assert_eq!(read(bytes), Err(expected.to_owned()));
        }
        assert!(read(b"\xfd7zXZ\0\0".to_vec()).unwrap_err().contains("xz -d"));
        assert!(read(b"\x80\x05\x95rest".to_vec()).unwrap_err().contains("scripts/ibm2026-to-csv"));
    }

    /// Else a small file could cost any memory.
    #[test]
    fn unpacking_holds_no_more_than_a_piece() {
        let long = io::repeat(b'0').take(64 << 20);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        io::copy(&mut { long }, &mut encoder).unwrap();
        let packed = encoder.finish().unwrap();
        assert!(packed.len() < 1 << 20);
        let mut file = unpacked(Box::new(io::Cursor::new(packed))).unwrap();
        let mut piece = [0; 1 << 16];
        file.read_exact(&mut piece).unwrap();
        assert!(piece.iter().all(|&byte| byte == b'0'));
    }
}
