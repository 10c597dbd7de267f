//! Rows of a CSV file, found without parsing them.

/// Finds where rows end in text that comes in pieces: at a line end that is in no quoted field.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct RowScan {
    quoted: bool,
    rows: u64,
    /// Bytes since the last row's end.
    rest: u64,
}

impl RowScan {
    /// Goes on with the next piece; where in it the last whole row ends, if one does.
    pub(super) fn scan(&mut self, piece: &[u8]) -> Option<usize> {
        let mut end = None;
        for (index, byte) in piece.iter().enumerate() {
            self.rest += 1;
            match byte {
                b'"' => self.quoted = !self.quoted,
                b'\n' if !self.quoted => {
                    self.rows += 1;
                    self.rest = 0;
                    end = Some(index + 1);
                }
                _ => {}
            }
        }
        end
    }

    /// Whole rows so far, the header among them.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes behind the last whole row.
    pub(super) fn rest(&self) -> u64 {
        self.rest
    }
}
