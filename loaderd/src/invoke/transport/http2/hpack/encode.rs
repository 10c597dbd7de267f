//! Encodes the header blocks of requests.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::LazyLock,
};

use bytes::Bytes;

use super::{integer, table};

/// The most that is kept in the peer's table, though it may allow more.
const MOST: usize = 4096;

/// Indexes by name and value; by name alone under an empty value.
type Indexes = HashMap<(&'static [u8], &'static [u8]), usize>;

/// Those of the static table.
static STATIC: LazyLock<Indexes> = LazyLock::new(|| {
    let mut indexes = HashMap::new();
    for (index, (name, value)) in (1..).zip(table::STATIC) {
        indexes.entry((name.as_bytes(), value.as_bytes())).or_insert(index);
        indexes.entry((name.as_bytes(), &[][..])).or_insert(index);
    }
    indexes
});

/// What the peer's table holds of a name.
#[derive(Debug, Default)]
struct Named {
    /// By value: how many fields had been added before.
    values: HashMap<Bytes, usize>,
    /// The same of the first field with this name.
    first: usize,
}

/// Encodes the blocks of one connection, in their order. What enters the peer's table stays there, so that a block that was
/// encoded once is good until more is added.
#[derive(Debug)]
pub(in crate::invoke::transport::http2) struct Encoder {
    names: HashMap<Bytes, Named>,
    added: usize,
    size: usize,
    most: usize,
    /// Whether the peer's table must be emptied before the next block.
    resized: bool,
}

/// Fields that are encoded already, as long as the table is as it was.
#[derive(Debug, Clone, Default)]
pub(in crate::invoke::transport::http2) struct Prepared {
    bytes: Vec<u8>,
    /// How many fields had been added then.
    added: usize,
}

impl Default for Encoder {
    fn default() -> Self {
        Self { names: HashMap::new(), added: 0, size: 0, most: MOST, resized: false }
    }
}

impl Encoder {
    /// The peer allows a table of so many bytes. What it holds is forgotten where that is less than before.
    pub(in crate::invoke::transport::http2) fn allow(&mut self, most: usize) {
        let most = most.min(MOST);
        if most != self.most {
            *self = Self { most, resized: true, added: self.added + 1, ..Self::default() };
        }
    }

    /// Begins a block.
    pub(in crate::invoke::transport::http2) fn begin(&mut self, into: &mut Vec<u8>) {
        if std::mem::take(&mut self.resized) {
            integer::write(0, 5, 0x20, into);
            integer::write(self.most, 5, 0x20, into);
        }
    }

    /// Writes fields that come again in other blocks.
    pub(in crate::invoke::transport::http2) fn shared<'a>(
        &mut self,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        prepared: &mut Prepared,
        into: &mut Vec<u8>,
    ) {
        if prepared.added != self.added || prepared.bytes.is_empty() {
            let (begin, before) = (into.len(), self.added);
            fields.for_each(|(name, value)| self.field(name, value, true, into));
            // What was added is an index the next time.
            prepared.bytes.clear();
            if self.added == before {
                prepared.bytes.extend_from_slice(&into[begin..]);
                prepared.added = self.added;
            }
            return;
        }
        into.extend_from_slice(&prepared.bytes);
    }

    /// Writes a field whose value does not come again.
    pub(in crate::invoke::transport::http2) fn own(&mut self, name: &[u8], value: &[u8], into: &mut Vec<u8>) {
        let is_new = !self.names.contains_key(name) && !STATIC.contains_key(&(name, &[][..]));
        self.field(name, value, is_new, into);
    }

    fn field(&mut self, name: &[u8], value: &[u8], comes_again: bool, into: &mut Vec<u8>) {
        if let Some(index) =
            STATIC.get(&(name, value)).copied().filter(|&index| table::STATIC[index - 1].1.as_bytes() == value)
        {
            return integer::write(index, 7, 0x80, into);
        }
        let known = self.names.get(name);
        if let Some(&before) = known.and_then(|named| named.values.get(value)) {
            return integer::write(self.index(before), 7, 0x80, into);
        }
        let of_name = STATIC.get(&(name, &[][..])).copied().or_else(|| known.map(|named| self.index(named.first)));
        let enters = comes_again && self.size + table::size(name, value) <= self.most;
        let (prefix, pattern) = if enters { (6, 0x40) } else { (4, 0) };
        integer::write(of_name.unwrap_or(0), prefix, pattern, into);
        if of_name.is_none() {
            string(name, into);
        }
        string(value, into);
        if enters {
            self.enter(name, value);
        }
    }

    /// The index of the field before which so many had been added.
    fn index(&self, before: usize) -> usize {
        table::STATIC.len() + self.added - before
    }

    fn enter(&mut self, name: &[u8], value: &[u8]) {
        self.size += table::size(name, value);
        let value = Bytes::copy_from_slice(value);
        match self.names.entry(Bytes::copy_from_slice(name)) {
            Entry::Occupied(named) => drop(named.into_mut().values.insert(value, self.added)),
            Entry::Vacant(none) => {
                none.insert(Named { values: HashMap::from([(value, self.added)]), first: self.added });
            }
        }
        self.added += 1;
    }
}

/// A string as it is: what is sent again and again is an index anyway.
fn string(text: &[u8], into: &mut Vec<u8>) {
    integer::write(text.len(), 7, 0, into);
    into.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::decode::Decoder, *};

    type Fields = Vec<(String, String)>;

    /// What the decoder makes of it; it knows no requests, so names have no colons here.
    fn read(decoder: &mut Decoder, bytes: &[u8]) -> Fields {
        let block = decoder.decode(bytes).expect("a block");
        assert_eq!(block.fault, None);
        let text = |value: &http::HeaderValue| value.to_str().expect("text").to_owned();
        block.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
    }

    fn pairs(fields: &Fields) -> impl Iterator<Item = (&[u8], &[u8])> {
        fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()))
    }

    fn shared(encoder: &mut Encoder, fields: &Fields, prepared: &mut Prepared) -> Vec<u8> {
        let mut block = Vec::new();
        encoder.begin(&mut block);
        encoder.shared(pairs(fields), prepared, &mut block);
        block
    }

    #[test]
    fn what_comes_again_is_an_index() {
        let (mut encoder, mut prepared) = (Encoder::default(), Prepared::default());
        let fields: Fields =
            [("te", "trailers"), ("accept-encoding", "gzip, deflate"), ("content-type", "application/grpc")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        let first = shared(&mut encoder, &fields, &mut prepared);
        assert_eq!(first, b"\x40\x02te\x08trailers\x90\x5f\x10application/grpc");
        for _ in 0..3 {
            assert_eq!(shared(&mut encoder, &fields, &mut prepared), b"\xbf\x90\xbe");
        }
        let mut own = Vec::new();
        encoder.own(b"x", b"1", &mut own);
        encoder.own(b"x", b"2", &mut own);
        encoder.own(b"age", b"3", &mut own);
        assert_eq!(own, b"\x40\x01x\x011\x0f\x2f\x012\x0f\x06\x013");
        assert_eq!(shared(&mut encoder, &fields, &mut prepared), b"\xc0\x90\xbf");
    }

    #[test]
    fn a_smaller_table_is_said_and_nothing_of_the_larger_one_is_used() {
        let (mut encoder, mut prepared) = (Encoder::default(), Prepared::default());
        let mut decoder = Decoder::default();
        let fields: Fields = vec![("a".to_owned(), "b".to_owned()), ("c".to_owned(), "d".to_owned())];
        for most in [MOST, 40, 40, 0, 1 << 30] {
            encoder.allow(most);
            for _ in 0..3 {
                let block = shared(&mut encoder, &fields, &mut prepared);
                assert_eq!(read(&mut decoder, &block), fields, "{most}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            blocks in prop::collection::vec(
                (prop::collection::btree_map("[a-z-]{1,9}", "[ -~]{0,300}", 0..9), "[0-9]{0,5}", any::<bool>()),
                1..40,
            ),
        ) {
            let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
            for (fields, own, again) in &blocks {
                let mut fields: Fields = fields.clone().into_iter().map(|(name, value)| (format!("x{name}"), value)).collect();
                let mut prepared = Prepared::default();
                for _ in 0..=usize::from(*again) {
                    let mut block = shared(&mut encoder, &fields, &mut prepared);
                    encoder.own(b"number", own.as_bytes(), &mut block);
                    let mut expected = fields.clone();
                    expected.push(("number".to_owned(), own.clone()));
                    prop_assert_eq!(read(&mut decoder, &block), expected);
                }
                fields.clear();
            }
        }
    }
}
