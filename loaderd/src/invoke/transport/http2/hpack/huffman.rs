//! The Huffman code of strings (RFC 7541, appendix B). It is canonical: the lengths of the codes say it all.

use std::sync::LazyLock;

use super::malformed::Malformed;

/// The length of each byte's code, and of the end's.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28,
    28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8,
    15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7,
    8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7,
    7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23,
    23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21,
    23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21,
    26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

const LONGEST: u8 = 30;

/// The codes of one length.
#[derive(Debug, Clone, Copy)]
struct Codes {
    length: u8,
    /// The first of them.
    first: u32,
    /// How many there are.
    count: usize,
    /// Where their bytes begin in the order of codes.
    at: usize,
}

struct Code {
    by_length: Vec<Codes>,
    /// All symbols, in the order of their codes; 256 is the end.
    symbols: Vec<u16>,
}

static CODE: LazyLock<Code> = LazyLock::new(|| {
    let (mut by_length, mut symbols) = (Vec::new(), Vec::new());
    let mut first = 0;
    for length in 1..=LONGEST {
        first <<= 1;
        let at = symbols.len();
        symbols.extend((0_u16..).zip(LENGTHS).filter(|&(_, it)| it == length).map(|(symbol, _)| symbol));
        let count = symbols.len() - at;
        if count > 0 {
            by_length.push(Codes { length, first, count, at });
        }
        first += u32::try_from(count).unwrap_or_default();
    }
    Code { by_length, symbols }
});

/// Decodes a string.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<u8>, Malformed> {
    let code = &*CODE;
    let mut text = Vec::with_capacity(bytes.len() * 8 / 5);
    let (mut bits, mut held, mut bytes) = (0_u64, 0, bytes.iter());
    loop {
        while held <= 56
            && let Some(&byte) = bytes.next()
        {
            bits = bits << 8 | u64::from(byte);
            held += 8;
        }
        let found = code.by_length.iter().filter(|it| u32::from(it.length) <= held).find_map(|codes| {
            let Codes { length, first, count, at } = *codes;
            let top = u32::try_from(bits >> (held - u32::from(length)) & ((1 << length) - 1)).ok()?;
            let nth = top.checked_sub(first).map(|nth| nth as usize).filter(|&nth| nth < count)?;
            Some((u32::from(length), code.symbols[at + nth]))
        });
        match found {
            Some((length, symbol)) => {
                let symbol = u8::try_from(symbol).map_err(|_| Malformed("a string holds the end of strings"))?;
                text.push(symbol);
                held -= length;
            }
            // The rest is padding: the first bits of the end's code, which are ones.
            None if held < 8 && bits & ((1 << held) - 1) == (1 << held) - 1 => return Ok(text),
            None => return Err(Malformed("a string ends in the middle of a code")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_specification_hold() {
        // RFC 7541, C.4 and C.6.
        for (bytes, text) in [
            (&b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"[..], "www.example.com"),
            (b"\xa8\xeb\x10\x64\x9c\xbf", "no-cache"),
            (b"\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f", "custom-key"),
            (b"\x64\x02", "302"),
            (
                b"\xd0\x7a\xbe\x94\x10\x54\xd4\x44\xa8\x20\x05\x95\x04\x0b\x81\x66\xe0\x82\xa6\x2d\x1b\xff",
                "Mon, 21 Oct 2013 20:13:21 GMT",
            ),
            (b"\x9b\xd9\xab", "gzip"),
            (b"", ""),
        ] {
            assert_eq!(decode(bytes).as_deref(), Ok(text.as_bytes()));
        }
    }

    #[test]
    fn each_symbol_has_a_code_of_its_own() {
        let Code { by_length, symbols } = &*CODE;
        assert_eq!(symbols.len(), 257);
        // The last code is that of the end: thirty ones, so that the code is complete.
        let last = by_length.last().expect("codes");
        assert_eq!((last.length, last.first as usize + last.count), (30, 1 << 30));
        assert_eq!(symbols.last(), Some(&256));
    }

    #[test]
    fn padding_is_short_and_all_ones() {
        for bytes in [&b"\xff\xff"[..], b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff\xff", b"\x1e"] {
            assert!(decode(bytes).is_err(), "{bytes:?}");
        }
        assert_eq!(decode(b"\xff\xff\xff\xff"), Err(Malformed("a string holds the end of strings")));
    }
}
