//! Line ends of one kind, so that lines can be counted.

use std::io::{self, Read};

/// The bytes of `file` with every line, also the last, ended by a line feed alone.
///
/// The CSV reader takes a carriage return as the end of a record but counts the line at the line feed after it, which it
/// reads with the next record; so in a Windows file its line numbers are behind.
pub(super) fn unix_lines(file: Box<dyn Read>) -> Box<dyn Read> {
    Box::new(WithoutReturns(file).chain(&b"\n"[..]))
}

struct WithoutReturns<R>(R);

impl<R: Read> Read for WithoutReturns<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.0.read(buffer)?;
            let kept = without_returns(&mut buffer[..read]);
            // Nothing kept of something read is not the end.
            if kept > 0 || read == 0 {
                return Ok(kept);
            }
        }
    }
}

/// Moves all but carriage returns to the front, and says how many those are.
fn without_returns(bytes: &mut [u8]) -> usize {
    let Some(first) = bytes.iter().position(|&byte| byte == b'\r') else { return bytes.len() };
    let mut kept = first;
    for place in first..bytes.len() {
        if bytes[place] != b'\r' {
            bytes[kept] = bytes[place];
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
                let mut lines = unix_lines(Box::new(io::BufReader::with_capacity(1, io::Cursor::new(text))));
                let (mut read, mut buffer) = (Vec::new(), vec![0; buffer]);
                while let n @ 1.. = lines.read(&mut buffer).unwrap() {
                    read.extend_from_slice(&buffer[..n]);
                }
                assert_eq!(String::from_utf8(read).unwrap(), expected);
            }
        }
    }
}
