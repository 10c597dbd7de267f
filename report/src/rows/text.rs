//! Rows of CSV, found without parsing what no report needs: a row without quotes is cut at its commas, and only one that has some
//! goes through the CSV reader.

use std::io::{self, Read};

use csv::{ByteRecord, ReaderBuilder};
use memchr::{memchr, memchr_iter};

/// Bytes that are read at once.
const PIECE: usize = 1 << 18;

/// Longest row. A row of ours has a few hundred bytes; a quotation mark that nobody closed must not fill the memory.
const LONGEST: usize = 1 << 20;

/// Whole rows of a text, one after the other. The last one counts only with its line end.
#[derive(Debug)]
pub(super) struct TextRows<R> {
    source: R,
    buffer: Vec<u8>,
    /// Where the next row begins.
    start: usize,
    /// Where the bytes that were read end.
    end: usize,
    at_end: bool,
    quoted: ByteRecord,
}

/// A row: its fields by place.
pub(super) enum Fields<'r> {
    /// Without quotes.
    Plain {
        /// The row without its line end.
        row: &'r [u8],
        /// Where its commas are.
        commas: &'r [usize],
    },
    /// Parsed.
    Quoted(&'r ByteRecord),
}

impl<'r> Fields<'r> {
    /// The field at that place.
    pub(super) fn get(&self, place: usize) -> Option<&'r [u8]> {
        match self {
            Self::Plain { row, commas } => {
                let begin = match place.checked_sub(1) {
                    None => 0,
                    Some(before) => commas.get(before)? + 1,
                };
                row.get(begin..commas.get(place).copied().unwrap_or(row.len()))
            }
            Self::Quoted(record) => record.get(place),
        }
    }

    /// The number of fields.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Plain { commas, .. } => commas.len() + 1,
            Self::Quoted(record) => record.len(),
        }
    }
}

impl<R: Read> TextRows<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, buffer: vec![0; PIECE], start: 0, end: 0, at_end: false, quoted: ByteRecord::new() }
    }

    /// The next row; `commas` is room for the places of its commas. None at the end, and behind the last whole row.
    ///
    /// # Errors
    /// A source that can't be read, or a row longer than a MiB.
    pub(super) fn next<'r>(&'r mut self, commas: &'r mut Vec<usize>) -> io::Result<Option<Fields<'r>>> {
        loop {
            let Some(length) = self.row_length()? else { return Ok(None) };
            let begin = self.start;
            self.start += length;
            let row = self.buffer.get(begin..begin + length).unwrap_or_default();
            let row = row.strip_suffix(b"\n").unwrap_or(row);
            let row = row.strip_suffix(b"\r").unwrap_or(row);
            if row.is_empty() {
                continue;
            }
            // Borrowed anew: the loop goes on with none of it.
            let bounds = begin..begin + row.len();
            let row = self.buffer.get(bounds).unwrap_or_default();
            if memchr(b'"', row).is_some() {
                parse(row, &mut self.quoted)?;
                return Ok(Some(Fields::Quoted(&self.quoted)));
            }
            commas.clear();
            commas.extend(memchr_iter(b',', row));
            return Ok(Some(Fields::Plain { row, commas }));
        }
    }

    /// Bytes behind the last whole row.
    pub(super) fn rest(&self) -> u64 {
        (self.end - self.start) as u64
    }

    /// The length of the row that begins now, with its line end.
    fn row_length(&mut self) -> io::Result<Option<usize>> {
        let (mut scanned, mut in_quotes) = (0, false);
        loop {
            let pending = self.buffer.get(self.start + scanned..self.end).unwrap_or_default();
            match memchr(b'\n', pending) {
                Some(at) => {
                    in_quotes ^= memchr_iter(b'"', pending.get(..at).unwrap_or_default()).count() % 2 == 1;
                    scanned += at + 1;
                    if !in_quotes {
                        return Ok(Some(scanned));
                    }
                }
                None => {
                    in_quotes ^= memchr_iter(b'"', pending).count() % 2 == 1;
                    scanned += pending.len();
                    if self.at_end || !self.fill()? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Reads on; whether there was more.
    fn fill(&mut self) -> io::Result<bool> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            if self.end >= LONGEST {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a row is longer than 1 MiB"));
            }
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let read = self.source.read(self.buffer.get_mut(self.end..).unwrap_or_default())?;
        self.end += read;
        self.at_end = read == 0;
        Ok(read > 0)
    }
}

fn parse(row: &[u8], record: &mut ByteRecord) -> io::Result<()> {
    ReaderBuilder::new().has_headers(false).flexible(true).from_reader(row).read_byte_record(record)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source that gives one byte at a time.
    struct Drops<'t>(&'t [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer.get_mut(..1).unwrap_or_default())
        }
    }

    fn rows(text: &[u8]) -> (Vec<Vec<String>>, u64) {
        let (mut rows, mut commas, mut found) = (TextRows::new(Drops(text)), Vec::new(), Vec::new());
        while let Some(fields) = rows.next(&mut commas).expect("reads") {
            let text = |place| String::from_utf8_lossy(fields.get(place).expect("a field")).into_owned();
            found.push((0..fields.len()).map(text).collect());
        }
        let rest = rows.rest();
        (found, rest)
    }

    #[test]
    fn rows_end_at_line_ends_outside_quotes() {
        let (found, rest) = rows(b"a,b,c\n1,\"x,\"\"y\"\"\nz\",3\r\n\n,,\n4,5");
        let expected = [vec!["a", "b", "c"], vec!["1", "x,\"y\"\nz", "3"], vec!["", "", ""]];
        assert_eq!((found, rest), (expected.map(|row| row.into_iter().map(str::to_owned).collect()).to_vec(), 3));
    }

    #[test]
    fn text_cut_off_at_any_byte_has_the_whole_rows_before_it() {
        let text = b"a,b\n1,\"x\ny\"\n2,z\n";
        let ends = [(4, 1), (12, 2), (16, 3)];
        for cut in 0..=text.len() {
            let whole = ends.iter().filter(|(end, _)| *end <= cut).count();
            let (found, rest) = rows(&text[..cut]);
            let begun = ends.iter().map(|(end, _)| *end).filter(|end| *end <= cut).max().unwrap_or(0);
            assert_eq!((found.len(), rest), (whole, (cut - begun) as u64), "cut at {cut}");
        }
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_is_an_error_and_not_all_memory() {
        let text = [b"a\n\"".to_vec(), vec![b'x'; 3 << 20]].concat();
        let (mut rows, mut commas) = (TextRows::new(&text[..]), Vec::new());
        assert!(rows.next(&mut commas).expect("a header").is_some());
        assert!(rows.next(&mut commas).is_err());
    }
}
