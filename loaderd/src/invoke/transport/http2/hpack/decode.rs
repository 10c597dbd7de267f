//! Decodes the header blocks of answers.

use std::rc::Rc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::{
    huffman, integer,
    malformed::Malformed,
    table::{self, Field, Table},
};

/// The size of the peer's table that is allowed: the default, which nothing has to be said of.
const TABLE: usize = 4096;

/// Most bytes of the fields of one block that are kept, counted as in SETTINGS_MAX_HEADER_LIST_SIZE.
pub(in crate::invoke::transport::http2) const MOST: usize = 64 << 10;

/// How many decoded blocks are kept: the head and the trailers of some kinds of answers.
const KEPT: usize = 8;

/// The fields of a block.
#[derive(Debug, Default, PartialEq)]
pub(in crate::invoke::transport::http2) struct Block {
    /// The status, in the head of an answer.
    pub(in crate::invoke::transport::http2) status: Option<StatusCode>,
    pub(in crate::invoke::transport::http2) headers: HeaderMap,
    /// Why it is no part of an answer, though both ends still agree on their tables.
    pub(in crate::invoke::transport::http2) fault: Option<&'static str>,
}

/// Decodes the blocks of one connection, in their order.
#[derive(Debug)]
pub(in crate::invoke::transport::http2) struct Decoder {
    table: Table,
    /// What was decoded by the table as it is.
    kept: Vec<(Vec<u8>, Rc<Block>)>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { table: Table::new(TABLE), kept: Vec::new() }
    }
}

impl Decoder {
    /// The fields of a block.
    ///
    /// # Errors
    /// A block after which the tables of both ends differ.
    pub(in crate::invoke::transport::http2) fn decode(&mut self, bytes: &[u8]) -> Result<Rc<Block>, Malformed> {
        if let Some((_, block)) = self.kept.iter().find(|(known, _)| known == bytes) {
            return Ok(Rc::clone(block));
        }
        let mut collected = Collected::default();
        let changes_table = self.read(bytes, &mut collected)?;
        let block = Rc::new(collected.block);
        if changes_table {
            self.kept.clear();
        } else {
            if self.kept.len() == KEPT {
                self.kept.remove(0);
            }
            self.kept.push((bytes.to_vec(), Rc::clone(&block)));
        }
        Ok(block)
    }

    /// Reads a block to its end; returns whether the table has changed.
    fn read(&mut self, mut bytes: &[u8], collected: &mut Collected) -> Result<bool, Malformed> {
        let (mut changes_table, mut begun) = (false, false);
        while let Some(&first) = bytes.first() {
            let field;
            (field, bytes) = match first {
                0x80.. => {
                    let (index, rest) = integer::read(bytes, 7)?;
                    (self.table.get(index)?, rest)
                }
                0x40.. => {
                    let (field, rest) = self.literal(bytes, 6)?;
                    self.table.add(field.clone());
                    changes_table = true;
                    (field, rest)
                }
                0x20.. if begun => return Err(Malformed("the table is resized in its middle")),
                0x20.. => {
                    let (size, rest) = integer::read(bytes, 5)?;
                    self.table.resize(size)?;
                    changes_table = true;
                    bytes = rest;
                    continue;
                }
                _ => self.literal(bytes, 4)?,
            };
            begun = true;
            collected.take(&field);
        }
        Ok(changes_table)
    }

    /// A field whose value, at least, is spelt out.
    fn literal<'a>(&self, bytes: &'a [u8], prefix: u32) -> Result<(Field, &'a [u8]), Malformed> {
        let (index, rest) = integer::read(bytes, prefix)?;
        let (name, rest) = if index == 0 { string(rest)? } else { (self.table.get(index)?.0, rest) };
        let (value, rest) = string(rest)?;
        Ok(((name, value), rest))
    }
}

fn string(bytes: &[u8]) -> Result<(Bytes, &[u8]), Malformed> {
    let is_coded = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let (length, rest) = integer::read(bytes, 7)?;
    let (text, rest) = rest.split_at_checked(length).ok_or(Malformed("a string is cut off"))?;
    let text = if is_coded { huffman::decode(text)?.into() } else { Bytes::copy_from_slice(text) };
    Ok((text, rest))
}

/// The fields of a block as far as they were read.
#[derive(Debug, Default)]
struct Collected {
    block: Block,
    size: usize,
}

impl Collected {
    fn take(&mut self, (name, value): &Field) {
        self.size += table::size(name, value);
        if self.block.fault.is_none()
            && let Err(fault) = self.add(name, value)
        {
            self.block.fault = Some(fault);
        }
    }

    /// Adds a field, or says why an answer can't have it (RFC 9113, section 8.2 and 8.3).
    fn add(&mut self, name: &Bytes, value: &Bytes) -> Result<(), &'static str> {
        let Block { status, headers, fault: _ } = &mut self.block;
        if self.size > MOST {
            return Err("its header fields are longer than 64 KiB");
        }
        if name.starts_with(b":") {
            if &name[..] != b":status" || status.is_some() || !headers.is_empty() {
                return Err("its pseudo-header fields are not those of an answer");
            }
            *status = Some(StatusCode::from_bytes(value).map_err(|_| "its status is none")?);
            return Ok(());
        }
        if name.iter().any(u8::is_ascii_uppercase) {
            return Err("the name of a header field has capital letters");
        }
        let name = HeaderName::from_bytes(name).map_err(|_| "the name of a header field is none")?;
        if name == header::CONNECTION || name == header::TRANSFER_ENCODING || name == header::UPGRADE {
            return Err("it has header fields of HTTP/1.1");
        }
        let value = HeaderValue::from_maybe_shared(value.clone()).map_err(|_| "the value of a header field is none")?;
        headers.try_append(name, value).map_err(|_| "it has too many header fields")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(decoder: &mut Decoder, bytes: &[u8]) -> (Option<u16>, Vec<(String, String)>) {
        let block = decoder.decode(bytes).expect("a block");
        assert_eq!(block.fault, None);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        let fields = block.headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect();
        (block.status.map(|status| status.as_u16()), fields)
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<_> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("hex");
        digits.chunks(2).map(byte).collect()
    }

    #[test]
    fn the_examples_of_the_specification_hold() {
        // RFC 7541, C.6: answers with Huffman coding, and a table of 256 bytes, so that fields leave it.
        let mut decoder = Decoder { table: Table::new(256), kept: Vec::new() };
        let date = "Mon, 21 Oct 2013 20:13:21 GMT";
        let owned = |fields: &[(&str, &str)]| -> Vec<_> {
            fields.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        let first = "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e
            919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3";
        let fields = [("cache-control", "private"), ("date", date), ("location", "https://www.example.com")];
        assert_eq!(decode(&mut decoder, &hex(first)), (Some(302), owned(&fields)));
        assert_eq!(decode(&mut decoder, &hex("4883 640e ffc1 c0bf")), (Some(307), owned(&fields)));
        let third = "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7
            821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07";
        let fields = [
            ("cache-control", "private"),
            ("date", "Mon, 21 Oct 2013 20:13:22 GMT"),
            ("location", "https://www.example.com"),
            ("content-encoding", "gzip"),
            ("set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"),
        ];
        assert_eq!(decode(&mut decoder, &hex(third)), (Some(200), owned(&fields)));
    }

    #[test]
    fn a_block_that_is_known_is_decoded_once() {
        let mut decoder = Decoder::default();
        // status 200, and a field that enters the table; then both by their index.
        decoder.decode(b"\x88\x40\x01a\x01b").expect("a block");
        let first = decoder.decode(b"\x88\xbe").expect("a block");
        assert!(Rc::ptr_eq(&first, &decoder.decode(b"\x88\xbe").expect("a block")));
        // Another field enters the table, so that the same bytes mean another one.
        decoder.decode(b"\x40\x01c\x01d").expect("a block");
        let after = decoder.decode(b"\x88\xbe").expect("a block");
        assert_eq!(
            (first.headers.get("a"), after.headers.get("c")),
            (Some(&HeaderValue::from_static("b")), Some(&HeaderValue::from_static("d")))
        );
        for number in 0..2 * KEPT {
            decoder.decode(&[0x00, 1, b'e', 1, b'0' + u8::try_from(number).expect("small")]).expect("a block");
        }
        assert_eq!(decoder.kept.len(), KEPT);
    }

    #[test]
    fn what_no_answer_has_is_a_fault_and_leaves_the_table_in_step() {
        for (fields, fault) in [
            (&b"\x88\x88"[..], "its pseudo-header fields are not those of an answer"),
            (b"\x82", "its pseudo-header fields are not those of an answer"),
            (b"\x00\x01a\x01b\x88", "its pseudo-header fields are not those of an answer"),
            (b"\x08\x017", "its status is none"),
            (b"\x88\x00\x01A\x01b", "the name of a header field has capital letters"),
            (b"\x88\x00\x02a \x01b", "the name of a header field is none"),
            (b"\x88\x00\x01a\x01\n", "the value of a header field is none"),
            (b"\x88\x00\x0aconnection\x05close", "it has header fields of HTTP/1.1"),
        ] {
            let mut decoder = Decoder::default();
            let block = decoder.decode(&[fields, b"\x40\x01c\x01d"].concat()).expect("both ends agree");
            assert_eq!(block.fault, Some(fault), "{fields:?}");
            assert_eq!(decode(&mut decoder, b"\xbe"), (None, vec![("c".to_owned(), "d".to_owned())]));
        }
        let mut decoder = Decoder::default();
        let long = [&b"\x40\x01a\x7f\xa1\x1e"[..], &[b'x'; 4000], &[0xbe; 20]].concat();
        assert_eq!(decoder.decode(&long).expect("a block").fault, Some("its header fields are longer than 64 KiB"));
    }

    #[test]
    fn a_block_that_is_none_ends_the_connection() {
        for bytes in
            [&b"\x80"[..], b"\xbe", b"\x40", b"\x40\x05abc", b"\x88\x20", b"\x3f\xe2\x1f", b"\x00\x81\x00\x01b"]
        {
            assert!(Decoder::default().decode(bytes).is_err(), "{bytes:?}");
        }
    }
}
