//! The smaller tables of a run, row by row, with columns found by name.

use std::{fs::File, io, path::Path};

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::remark::Remark;

/// A row of a table.
pub(super) struct Row<'r> {
    header: &'r ByteRecord,
    record: &'r ByteRecord,
}

impl Row<'_> {
    /// The field of that column; absent where it is empty, and where there is no such column.
    pub(super) fn text(&self, column: &str) -> Option<&str> {
        let place = self.header.iter().position(|name| name == column.as_bytes())?;
        let field = std::str::from_utf8(self.record.get(place)?).ok()?;
        (!field.is_empty()).then_some(field)
    }

    /// The same as a number.
    pub(super) fn number(&self, column: &str) -> Option<f64> {
        self.text(column)?.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// The same as a whole number.
    pub(super) fn integer(&self, column: &str) -> Option<i64> {
        self.text(column)?.parse().ok()
    }
}

/// Hands out the rows of a table; none where there is no such file. A row that was cut off, or has another number of fields than
/// the header, is left out.
pub(super) fn each(directory: &Path, name: &str, remarks: &mut Vec<Remark>, mut take: impl FnMut(&Row<'_>)) {
    let file = match File::open(directory.join(name)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return remarks.push(Remark::serious(format!("cannot read {name}: {error}"))),
    };
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(file);
    let skipped = rows(&mut reader, &mut take);
    match skipped {
        Ok(0) => {}
        Ok(skipped) => {
            remarks.push(Remark::serious(format!("{skipped} rows of {name} are cut off or damaged, and were skipped")))
        }
        Err(error) => remarks.push(Remark::serious(format!("{name} can be read only in part: {error}"))),
    }
}

fn rows(reader: &mut Reader<File>, take: &mut impl FnMut(&Row<'_>)) -> csv::Result<u64> {
    let header = reader.byte_headers()?.clone();
    let (mut record, mut skipped) = (ByteRecord::new(), 0);
    while reader.read_byte_record(&mut record)? {
        if record.len() == header.len() {
            take(&Row { header: &header, record: &record });
        } else {
            skipped += 1;
        }
    }
    Ok(skipped)
}
