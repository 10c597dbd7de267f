//! Frames: their heads, and how they are cut out of what arrives (RFC 9113, section 4 and 6).

/// Bytes of a frame's head.
pub(super) const HEAD: usize = 9;

/// The longest payload, unless the receiver allows more.
pub(super) const MOST: usize = 1 << 14;

/// The greatest window, and the greatest number of a stream.
pub(super) const GREATEST: u32 = (1 << 31) - 1;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

/// The flag of SETTINGS and PING that acknowledge.
pub(super) const ACK: u8 = 0x1;
pub(super) const END_STREAM: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const HAS_PRIORITY: u8 = 0x20;

/// What a connection of HTTP/2 begins with.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The frame that `bytes` begin with, and what follows it; none while it is not there as a whole.
    ///
    /// # Errors
    /// A payload that is longer than [`MOST`].
    pub(super) fn cut(bytes: &'a [u8]) -> Result<Option<(Self, &'a [u8])>, TooLong> {
        let Some((&[a, b, c, kind, flags, s, t, u, v], rest)) = bytes.split_first_chunk::<HEAD>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        if length > MOST {
            return Err(TooLong);
        }
        let stream = u32::from_be_bytes([s & 0x7f, t, u, v]);
        Ok(rest.split_at_checked(length).map(|(payload, rest)| (Self { kind, flags, stream, payload }, rest)))
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The payload of DATA or HEADERS without padding and priority; none where they are longer than it.
    pub(super) fn unpadded(&self) -> Option<&'a [u8]> {
        let (padding, mut payload) = match self.has(PADDED) {
            true => self.payload.split_first().map(|(&padding, rest)| (usize::from(padding), rest))?,
            false => (0, self.payload),
        };
        if self.kind == HEADERS && self.has(HAS_PRIORITY) {
            payload = payload.get(5..)?;
        }
        payload.len().checked_sub(padding).map(|length| &payload[..length])
    }

    /// The payload as one number; none where it is not of that length.
    pub(super) fn number(&self) -> Option<u32> {
        self.payload.try_into().map(u32::from_be_bytes).ok()
    }
}

/// A frame that is longer than was allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

/// Writes a frame's head.
pub(super) fn head(length: usize, kind: u8, flags: u8, stream: u32, into: &mut Vec<u8>) {
    // No caller has more than 16 MiB for one frame.
    let [_, a, b, c] = u32::try_from(length).unwrap_or_default().to_be_bytes();
    let [s, t, u, v] = stream.to_be_bytes();
    into.extend_from_slice(&[a, b, c, kind, flags, s, t, u, v]);
}

/// Sets the length in a head that was written before its payload.
pub(super) fn set_length(head: &mut [u8], length: usize) {
    let [_, a, b, c] = u32::try_from(length).unwrap_or_default().to_be_bytes();
    head[..3].copy_from_slice(&[a, b, c]);
}

/// Writes a frame.
pub(super) fn write(kind: u8, flags: u8, stream: u32, payload: &[u8], into: &mut Vec<u8>) {
    head(payload.len(), kind, flags, stream, into);
    into.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(kind, flags, stream, payload, &mut bytes);
        bytes
    }

    #[test]
    fn frames_are_cut_out_of_what_arrives() {
        let bytes =
            [written(HEADERS, END_HEADERS, 0x0102_0304, b"abc"), written(PING, ACK, 0, b""), vec![0, 0]].concat();
        let (first, rest) = Frame::cut(&bytes).expect("short").expect("whole");
        assert_eq!(first, Frame { kind: HEADERS, flags: END_HEADERS, stream: 0x0102_0304, payload: b"abc" });
        let (second, rest) = Frame::cut(rest).expect("short").expect("whole");
        assert_eq!(second, Frame { kind: PING, flags: ACK, stream: 0, payload: b"" });
        assert_eq!(Frame::cut(rest), Ok(None));
        assert_eq!(Frame::cut(&bytes[..11]), Ok(None), "its payload is not all there");
        assert_eq!(Frame::cut(&[0, 0x40, 1, 0, 0, 0, 0, 0, 1]), Err(TooLong));
    }

    #[test]
    fn padding_and_priority_are_left_out() {
        let payload = b"\x02\0\0\0\0\x07ab\0\0";
        let frame = |kind, flags, payload| Frame { kind, flags, stream: 1, payload };
        assert_eq!(frame(HEADERS, PADDED | HAS_PRIORITY, payload).unpadded(), Some(&b"ab"[..]));
        assert_eq!(frame(DATA, PADDED, &payload[..5]).unpadded(), Some(&b"\0\0"[..]));
        assert_eq!(frame(DATA, 0, b"xyz").unpadded(), Some(&b"xyz"[..]));
        assert_eq!(frame(DATA, PADDED, b"").unpadded(), None);
        assert_eq!(frame(DATA, PADDED, b"\x03ab").unpadded(), None);
        assert_eq!(frame(HEADERS, HAS_PRIORITY, b"abcd").unpadded(), None);
    }
}
