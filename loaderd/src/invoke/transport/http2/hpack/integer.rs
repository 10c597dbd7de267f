//! Integers with a prefix of some bits (RFC 7541, section 5.1).

use super::malformed::Malformed;

/// Reads an integer whose first bits are the low `prefix` ones of the first byte; returns what follows it.
pub(super) fn read(bytes: &[u8], prefix: u32) -> Result<(usize, &[u8]), Malformed> {
    let (&first, mut rest) = bytes.split_first().ok_or(Malformed("an integer is cut off"))?;
    let most = (1_usize << prefix) - 1;
    let mut value = usize::from(first) & most;
    if value < most {
        return Ok((value, rest));
    }
    // Nothing in a block is longer than 28 bits can say.
    for shift in [0, 7, 14, 21] {
        let (&next, behind) = rest.split_first().ok_or(Malformed("an integer is cut off"))?;
        rest = behind;
        value += usize::from(next & 0x7f) << shift;
        if next & 0x80 == 0 {
            return Ok((value, rest));
        }
    }
    Err(Malformed("an integer is too large"))
}

/// Writes an integer behind the high bits `pattern` of its first byte.
pub(super) fn write(value: usize, prefix: u32, pattern: u8, into: &mut Vec<u8>) {
    let most = (1_usize << prefix) - 1;
    if value < most {
        return into.push(pattern | low(value));
    }
    into.push(pattern | low(most));
    let mut left = value - most;
    while left >= 0x80 {
        into.push(0x80 | low(left & 0x7f));
        left >>= 7;
    }
    into.push(low(left));
}

/// The lowest byte.
fn low(value: usize) -> u8 {
    value.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_examples_of_the_specification_hold() {
        // RFC 7541, C.1.
        for (value, prefix, bytes) in [(10, 5, &[10][..]), (1337, 5, &[31, 154, 10]), (42, 8, &[42])] {
            let mut written = Vec::new();
            write(value, prefix, 0, &mut written);
            assert_eq!(written, bytes);
            assert_eq!(read(bytes, prefix), Ok((value, &[][..])));
        }
    }

    #[test]
    fn what_is_cut_off_or_too_large_is_refused() {
        for bytes in [&[][..], &[31], &[31, 0x80]] {
            assert_eq!(read(bytes, 5), Err(Malformed("an integer is cut off")));
        }
        assert_eq!(read(&[0xff; 20], 5), Err(Malformed("an integer is too large")));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in 0_usize..1 << 27, prefix in 1_u32..8, rest: Vec<u8>) {
            let mut bytes = Vec::new();
            write(value, prefix, 0, &mut bytes);
            bytes.extend(&rest);
            prop_assert_eq!(read(&bytes, prefix), Ok((value, &rest[..])));
        }
    }
}
