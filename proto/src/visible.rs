//! Text from elsewhere (errors of functions, names, messages of platforms) made safe to show on a terminal, in a log or in a list.
//!
//! A terminal acts on control characters, and orders text by direction marks; a log is read by lines. Each such character is
//! shown by its number instead, as in `\u{1b}`.

use std::{borrow::Cow, fmt::Write as _};

/// Whether a character does something other than show itself: controls, direction marks, line separators, what has no width.
fn is_active(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// A text for one line: every active character is escaped, ends of lines too.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, is_active, |character, out| match character {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        // Writing to a string cannot fail.
        other => {
            let _infallible = write!(out, "\\u{{{:x}}}", u32::from(other));
        }
    })
}

/// A text of several lines, which stay.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    if !text.contains(|character| is_active(character) && !is_layout(character)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for piece in text.split_inclusive(is_layout) {
        let end = piece.chars().next_back().filter(|last| is_layout(*last));
        out.push_str(&visible(&piece[..piece.len() - end.map_or(0, char::len_utf8)]));
        out.extend(end);
    }
    Cow::Owned(out)
}

const fn is_layout(character: char) -> bool {
    matches!(character, '\n' | '\t')
}

/// JSON text that means the same: it has active characters in strings only, where they are escaped.
pub fn visible_json(json: &str) -> Cow<'_, str> {
    escaped(
        json,
        |character| is_active(character) && !is_layout(character),
        |character, out| {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _infallible = write!(out, "\\u{unit:04x}");
            }
        },
    )
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_escaped(character) {
            escape(character, &mut out);
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_shown_by_its_number() {
        for (text, shown) in [
            // Colour, a window's title (OSC), the C1 form of both, a line written over.
            ("\u{1b}[31mred", r"\u{1b}[31mred"),
            ("\u{1b}]0;title\u{7}", r"\u{1b}]0;title\u{7}"),
            ("\u{9b}31m\u{9d}", r"\u{9b}31m\u{9d}"),
            ("failed\rok", r"failed\rok"),
            ("a\nb\tc\u{8}\u{7f}", r"a\nb\tc\u{8}\u{7f}"),
            // Directions, separators, no width, tags.
            ("user\u{202e}txt.exe\u{2066}", r"user\u{202e}txt.exe\u{2066}"),
            ("a\u{2028}b\u{200b}c\u{feff}d\u{e0041}", r"a\u{2028}b\u{200b}c\u{feff}d\u{e0041}"),
            ("plain, Grüße, 東京, עברית, e\u{301} 😀 \\ \"", "plain, Grüße, 東京, עברית, e\u{301} 😀 \\ \""),
        ] {
            assert_eq!(visible(text), shown);
        }
        assert!(matches!(visible("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(visible_lines("a\tb\n\u{1b}[2Jc\r\n\nd"), "a\tb\n\\u{1b}[2Jc\\r\n\nd");
        assert!(matches!(visible_lines("a\n"), Cow::Borrowed(_)));
        for text in ["", "\n", "\u{1b}", "\u{1b}\n", "x\u{1b}"] {
            assert_eq!(visible_lines(text).matches('\n').count(), text.matches('\n').count(), "{text:?}");
        }
    }

    #[cfg(feature = "json")]
    #[test]
    fn json_means_the_same() {
        let value = serde_json::json!({"a\u{202e}": ["\u{9b}", "\u{e0041}\u{1b}\u{7f}", "plain 😀"]});
        for text in [value.to_string(), format!("{value:#}")] {
            let shown = visible_json(&text);
            assert!(!shown.contains(|character| is_active(character) && character != '\n'), "{shown}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        }
    }
}
