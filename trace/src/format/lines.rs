//! Line ends of one kind, so that lines can be counted, and lines of a bounded length, so that memory is.

use std::io::{self, Read};

/// The bytes of a file with every line, also the last, ended by a line feed alone.
///
/// The CSV reader takes a carriage return as the end of a record but counts the line at the line feed after it, which it
/// reads with the next record; so in a Windows file its line numbers are behind. And it reads a record of any length: one
/// stray quotation mark makes the rest of a file one.
pub(super) struct Lines {
    file: Box<dyn Read>,
    /// Whether the end of the last line has been given.
    ended: bool,
    /// How many bytes may still be read before [`Self::begin_row`].
    left: usize,
}

impl Lines {
    /// The longest row, in bytes: that of a day in seconds takes a tenth.
    pub(super) const ROW: usize = 4 << 20;

    pub(super) fn new(file: Box<dyn Read>) -> Self {
        Self { file, ended: false, left: Self::ROW }
    }

    /// To be called after each row.
    pub(super) fn begin_row(&mut self) {
        self.left = Self::ROW;
    }
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if self.left == 0 {
                let mib = Self::ROW >> 20;
                return Err(io::Error::other(format!(
                    "the line has more than {mib} MiB; a quotation mark may be astray"
                )));
            }
            let limit = buffer.len().min(self.left);
            let read = self.file.read(&mut buffer[..limit])?;
            if read == 0 {
                self.ended = true;
                buffer[0] = b'\n';
                return Ok(1);
            }
            self.left -= read;
            let kept = without_returns(&mut buffer[..read]);
            // Nothing kept of something read is not the end.
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}

/// Moves all but carriage returns to the front, and returns how many those are.
fn without_returns(bytes: &mut [u8]) -> usize {
    let Some(first) = bytes.iter().position(|&byte| byte == b'\r') else { return bytes.len() };
    let mut kept = first;
    for index in first..bytes.len() {
        if bytes[index] != b'\r' {
            bytes[kept] = bytes[index];
            kept += 1;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_returns_and_ends_the_last_line() {
        for (text, expected) in [("", "\n"), ("a", "a\n"), ("a\r\nb\r\n", "a\nb\n\n"), ("\r\r\na\nb", "\na\nb\n")] {
            for buffer in [1, 2, 64] {
                let mut lines = Lines::new(Box::new(io::BufReader::with_capacity(1, io::Cursor::new(text))));
                let (mut read, mut buffer) = (Vec::new(), vec![0; buffer]);
                while let n @ 1.. = lines.read(&mut buffer).unwrap() {
                    read.extend_from_slice(&buffer[..n]);
                }
                assert_eq!(String::from_utf8(read).unwrap(), expected);
            }
        }
    }

    #[test]
    fn a_row_is_bounded() {
        let mut lines = Lines::new(Box::new(io::repeat(b'a')));
        let read = |lines: &mut Lines| {
            let (mut read, mut buffer) = (0, [0; 1000]);
            loop {
                match lines.read(&mut buffer) {
                    Ok(n) => read += n,
                    Err(error) => return (read, error.to_string()),
                }
            }
        };
        let expected = (Lines::ROW, "the line has more than 4 MiB; a quotation mark may be astray".to_owned());
        assert_eq!(read(&mut lines), expected);
        lines.begin_row();
        assert_eq!(read(&mut lines), expected);
    }
}
