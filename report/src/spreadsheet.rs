//! Cells of CSV files that a spreadsheet would run: formulas, which an error of a function can be as well.
//!
//! Such a cell gets a `'` in front, which spreadsheets take as "this is text". Nothing else changes, to the byte, and the way back is
//! exact: of a cell that would run behind its `'`s, one is taken away.
//!
//! ```text
//! =1+1          ─▶ '=1+1
//! "@a,b"        ─▶ "'@a,b"
//! '=1           ─▶ ''=1
//! -1.5, +2e3    ─▶ as they are: numbers
//! ```

/// Longest cell that can be a number.
const LONGEST_NUMBER: usize = 64;

/// Which way cells are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Guard,
    Undo,
}

/// Where in the file the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// At the beginning of a cell, before a quote that opens it.
    Start,
    /// At the beginning of its content: it is held back until it is known whether it would run.
    Content { quoted: bool },
    /// In the rest of a cell.
    Rest { quoted: bool },
    /// Behind a quote in a quoted cell, which ends it unless another one follows.
    Quote,
}

/// Changes a CSV file piece by piece.
#[derive(Debug)]
pub struct Cells {
    way: Way,
    at: At,
    /// The beginning of a cell's content.
    held: Vec<u8>,
}

impl Cells {
    /// Puts a `'` in front of cells that would run.
    pub const fn guard() -> Self {
        Self { way: Way::Guard, at: At::Start, held: Vec::new() }
    }

    /// Takes it away again.
    pub const fn undo() -> Self {
        Self { way: Way::Undo, at: At::Start, held: Vec::new() }
    }

    /// The next piece, changed; its end may be held back.
    pub fn push(&mut self, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(data.len() + 16);
        for &byte in data {
            self.take(byte, &mut out);
        }
        out
    }

    /// The end of the file: what was held back.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.decide(true, &mut out);
        self.at = At::Start;
        out
    }

    fn take(&mut self, byte: u8, out: &mut Vec<u8>) {
        match self.at {
            At::Start if byte == b'"' => {
                out.push(byte);
                self.at = At::Content { quoted: true };
            }
            At::Start => {
                self.at = At::Content { quoted: false };
                self.take(byte, out);
            }
            At::Content { quoted } if ends(byte, quoted) => {
                self.decide(true, out);
                self.leave(byte, quoted, out);
            }
            At::Content { quoted } => {
                self.held.push(byte);
                if self.decide(false, out) {
                    self.at = At::Rest { quoted };
                }
            }
            At::Rest { quoted } if ends(byte, quoted) => self.leave(byte, quoted, out),
            At::Rest { .. } => out.push(byte),
            At::Quote if byte == b'"' => {
                out.push(byte);
                self.at = At::Rest { quoted: true };
            }
            At::Quote => {
                out.push(byte);
                self.at = if ends(byte, false) { At::Start } else { At::Rest { quoted: false } };
            }
        }
    }

    fn leave(&mut self, byte: u8, quoted: bool, out: &mut Vec<u8>) {
        out.push(byte);
        self.at = if quoted { At::Quote } else { At::Start };
    }

    /// Lets go of what is held, if it is known whether the cell would run; at its end it is.
    fn decide(&mut self, is_whole: bool, out: &mut Vec<u8>) -> bool {
        let quotes = self.held.iter().take_while(|byte| **byte == b'\'').count();
        let Some(runs) = would_run(self.held.get(quotes..).unwrap_or_default(), is_whole) else { return false };
        match self.way {
            Way::Guard if runs => out.push(b'\''),
            Way::Undo if runs && quotes > 0 => drop(self.held.remove(0)),
            Way::Guard | Way::Undo => {}
        }
        out.append(&mut self.held);
        true
    }
}

/// Whether a byte ends a cell, or the quoted part of it.
const fn ends(byte: u8, quoted: bool) -> bool {
    if quoted { byte == b'"' } else { matches!(byte, b',' | b'\n' | b'\r') }
}

/// Whether a cell with this content would run; `None` where it depends on what follows.
fn would_run(content: &[u8], is_whole: bool) -> Option<bool> {
    match content.first() {
        None => is_whole.then_some(false),
        Some(b'=' | b'@' | b'\t' | b'\r') => Some(true),
        Some(b'+' | b'-')
            if content.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) =>
        {
            if content.len() > LONGEST_NUMBER {
                return Some(true);
            }
            let is_number = || str::from_utf8(content).is_ok_and(|text| text.parse::<f64>().is_ok());
            is_whole.then(|| !is_number())
        }
        Some(b'+' | b'-') => Some(true),
        Some(_) => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(mut cells: Cells, text: &str, piece: usize) -> String {
        let mut out = Vec::new();
        for piece in text.as_bytes().chunks(piece) {
            out.extend(cells.push(piece));
        }
        out.extend(cells.finish());
        String::from_utf8(out).expect("no letter was cut")
    }

    #[test]
    fn cells_that_would_run_are_text_and_all_else_is_as_it_was() {
        for (text, guarded) in [
            ("=1+1", "'=1+1"),
            ("a,=HYPERLINK(\"x\"),b\n", "a,'=HYPERLINK(\"x\"),b\n"),
            ("\"=cmd|' /C calc'!A0\",x\n", "\"'=cmd|' /C calc'!A0\",x\n"),
            ("\"=a\"\"b,\n=c\",@d\r\n\te", "\"'=a\"\"b,\n=c\",'@d\r\n'\te"),
            ("\"\r=x\"", "\"'\r=x\""),
            // Numbers, and what only begins like one.
            ("-1.5,+2,-3e-7,1-2,-", "-1.5,+2,-3e-7,1-2,'-"),
            ("-1+1,+SUM(A1),\"-2\",-inf", "'-1+1,'+SUM(A1),\"-2\",'-inf"),
            ("'=1,''@x,'plain,'-5", "''=1,'''@x,'plain,'-5"),
            ("a=b, =c,\"\",,\n\n", "a=b, =c,\"\",,\n\n"),
            ("Grüße,=é\n", "Grüße,'=é\n"),
        ] {
            for piece in [1, 2, 3, 1000] {
                assert_eq!(whole(Cells::guard(), text, piece), guarded, "{text:?} in pieces of {piece}");
                assert_eq!(whole(Cells::undo(), guarded, piece), text, "{guarded:?} in pieces of {piece}");
            }
        }
        let long = format!("-{}", "1".repeat(LONGEST_NUMBER));
        assert_eq!(whole(Cells::guard(), &long, 7), format!("'{long}"));
    }

    proptest::proptest! {
        #[test]
        fn the_way_back_is_exact(text in "[=@+\\-'\",\n\r\t0-9a.e]{0,60}", piece in 1_usize..9) {
            let guarded = whole(Cells::guard(), &text, piece);
            proptest::prop_assert_eq!(whole(Cells::undo(), &guarded, piece), text);
        }
    }
}
