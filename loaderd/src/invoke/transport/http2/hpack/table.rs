//! The tables of header fields (RFC 7541, section 2.3).

use std::collections::VecDeque;

use bytes::Bytes;

use super::malformed::Malformed;

/// What an entry takes besides its name and its value (section 4.1).
const OVERHEAD: usize = 32;

/// The fields that both ends know from the start (appendix A), from index 1 on.
pub(super) const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// What a field takes in a table.
pub(super) fn size(name: &[u8], value: &[u8]) -> usize {
    OVERHEAD + name.len() + value.len()
}

/// A field: its name and its value.
pub(super) type Field = (Bytes, Bytes);

/// The table of a decoder: the fields that came last.
#[derive(Debug)]
pub(super) struct Table {
    fields: VecDeque<Field>,
    size: usize,
    most: usize,
    /// The most that the peer may raise it to.
    allowed: usize,
}

impl Table {
    /// An empty table of at most so many bytes.
    pub(super) fn new(allowed: usize) -> Self {
        Self { fields: VecDeque::new(), size: 0, most: allowed, allowed }
    }

    /// The field with this index.
    pub(super) fn get(&self, index: usize) -> Result<Field, Malformed> {
        let index = index.checked_sub(1).ok_or(Malformed("there is no field with index 0"))?;
        if let Some((name, value)) = STATIC.get(index) {
            return Ok((Bytes::from_static(name.as_bytes()), Bytes::from_static(value.as_bytes())));
        }
        self.fields.get(index - STATIC.len()).cloned().ok_or(Malformed("an index is beyond the table"))
    }

    /// Adds a field, for which older ones leave. One that is larger than the table empties it.
    pub(super) fn add(&mut self, (name, value): Field) {
        let size = size(&name, &value);
        self.shrink(self.most.saturating_sub(size));
        if size <= self.most {
            self.size += size;
            self.fields.push_front((name, value));
        }
    }

    /// The peer sets the table's size.
    pub(super) fn resize(&mut self, most: usize) -> Result<(), Malformed> {
        if most > self.allowed {
            return Err(Malformed("the table is made larger than is allowed"));
        }
        self.most = most;
        self.shrink(most);
        Ok(())
    }

    fn shrink(&mut self, most: usize) {
        while self.size > most
            && let Some((name, value)) = self.fields.pop_back()
        {
            self.size -= size(&name, &value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &'static str, value: &'static str) -> Field {
        (Bytes::from(name), Bytes::from(value))
    }

    #[test]
    fn older_fields_leave_for_newer_ones() {
        let mut table = Table::new(80);
        table.add(field("a", "1"));
        table.add(field("b", "2"));
        assert_eq!((table.get(62), table.get(63)), (Ok(field("b", "2")), Ok(field("a", "1"))));
        table.add(field("c", "3"));
        assert_eq!((table.get(62), table.get(63)), (Ok(field("c", "3")), Ok(field("b", "2"))));
        assert!(table.get(64).is_err() && table.get(0).is_err());
        assert_eq!(table.get(2), Ok(field(":method", "GET")));
        table.resize(40).expect("smaller");
        assert!(table.get(62).is_ok() && table.get(63).is_err());
        table.add((Bytes::from(vec![b'x'; 50]), Bytes::new()));
        assert!(table.get(62).is_err(), "a field that is too large empties it");
        assert!(table.resize(81).is_err() && table.resize(80).is_ok());
    }
}
