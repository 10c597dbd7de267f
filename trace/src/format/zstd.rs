//! zstd: one frame after another, as `zstd` and `pzstd` write them.

use std::io::{self, ErrorKind, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// What the frames of a file hold. Memory is that of one frame's window, at most 128 MiB.
pub(super) struct Frames {
    file: Tracked,
    decoder: FrameDecoder,
    is_open: bool,
}

/// Knows whether its file has ended, which the decoder's errors don't tell.
struct Tracked {
    file: Box<dyn Read>,
    cut_off: bool,
    failed: Option<io::Error>,
}

impl Read for Tracked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.file.read(buffer) {
            Ok(0) if !buffer.is_empty() => {
                self.cut_off = true;
                Ok(0)
            }
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                let told = io::Error::new(error.kind(), error.to_string());
                self.failed = Some(error);
                Err(told)
            }
            read => read,
        }
    }
}

impl Frames {
    pub(super) fn new(file: Box<dyn Read>) -> Self {
        let file = Tracked { file, cut_off: false, failed: None };
        Self { file, decoder: FrameDecoder::new(), is_open: false }
    }

    /// Begins the next frame; false at the end of the file.
    fn begin(&mut self) -> io::Result<bool> {
        loop {
            let mut first = [0];
            if retried(|| self.file.read(&mut first))? == 0 {
                return Ok(false);
            }
            match self.decoder.init((&first[..]).chain(&mut self.file)) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut (&mut self.file).take(length), &mut io::sink())? < length {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(self.error(&error)),
            }
        }
    }

    /// What went wrong: reading, the file's end, or what was read.
    fn error(&mut self, error: &FrameDecoderError) -> io::Error {
        match self.file.failed.take() {
            Some(failed) => failed,
            None if self.file.cut_off => ErrorKind::UnexpectedEof.into(),
            None => io::Error::new(ErrorKind::InvalidData, error.to_string()),
        }
    }

    /// Compares the checksum, where the frame has one.
    fn end(&self) -> io::Result<()> {
        let (wanted, found) = (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum());
        match (wanted, found) {
            (Some(wanted), Some(found)) if wanted != found => {
                Err(io::Error::new(ErrorKind::InvalidData, "the checksum differs"))
            }
            _ => Ok(()),
        }
    }
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.is_open {
                if !self.begin()? {
                    return Ok(0);
                }
                self.is_open = true;
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let decoded = self.decoder.decode_blocks(&mut self.file, BlockDecodingStrategy::UptoBlocks(1));
                decoded.map_err(|error| self.error(&error))?;
            }
            let read = self.decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            self.end()?;
            self.is_open = false;
        }
    }
}

fn retried(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}
