//! Text for SVG and HTML: safe whatever it holds, and as wide as can be told without a font.

/// Longest name that is shown whole, in characters.
const LONGEST: usize = 120;

/// A name from outside as it is shown: what can't be seen, or changes the direction of text, by its number; very long ones cut.
pub fn visible(name: &str) -> String {
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", loader_proto::visible::visible(&name[..end])),
        None => loader_proto::visible::visible(name).into_owned(),
    }
}

/// Text for the inside of an element or an attribute.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // XML has no other control characters.
            _ if letter.is_control() && !matches!(letter, '\n' | '\t') => safe.push('\u{FFFD}'),
            '\u{FFFE}' | '\u{FFFF}' => safe.push('\u{FFFD}'),
            _ => safe.push(letter),
        }
    }
    safe
}

/// A sentence that may hold names from outside, for the inside of an element.
pub fn sentence(text: &str) -> String {
    escaped(&loader_proto::visible::visible(text))
}

/// A coordinate, to a tenth.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    let short = text.strip_suffix(".0").unwrap_or(&text);
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

/// About how wide a text is, in widths of its size.
pub(super) fn width(text: &str) -> f64 {
    let width = |letter: char| match letter {
        'i' | 'l' | 'j' | '.' | ',' | ':' | ';' | '|' | '\'' | ' ' | 'I' | '(' | ')' | 'f' | 't' | 'r' => 0.36,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.92,
        'A'..='Z' => 0.70,
        '0'..='9' => 0.62,
        letter if letter.is_ascii() => 0.59,
        // Wide scripts.
        '\u{1100}'.. => 1.05,
        _ => 0.65,
    };
    text.chars().map(width).sum()
}

/// A text of at most that width: what is too much is cut out of its middle.
pub(super) fn cut(text: &str, most: f64) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let (mut first, mut last, mut left) = (0, letters.len(), most - 1.0);
    for turn in 0..letters.len() {
        let next = if turn % 2 == 0 { letters[first] } else { letters[last - 1] };
        left -= width(next.encode_utf8(&mut [0; 4]));
        if left < 0.0 {
            break;
        }
        if turn % 2 == 0 { first += 1 } else { last -= 1 }
    }
    let ends = [&letters[..first], &letters[last..]].map(|end| end.iter().collect::<String>());
    ends.join("…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_shown_and_does_nothing() {
        assert_eq!(visible("a\u{202E}b\nc\u{0}\u{200B}"), "a\\u{202e}b\\nc\\u{0}\\u{200b}");
        assert_eq!(escaped("<b a='1'>&\"\u{1}"), "&lt;b a=&#39;1&#39;&gt;&amp;&quot;\u{FFFD}");
        assert_eq!(visible(&"x".repeat(10_000)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!([0.0, -0.01, 12.04, 12.05, 3.0, -2.5].map(number), ["0", "0", "12", "12.1", "3", "-2.5"]);
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(cut("short", 10.0), "short");
        let cut = cut(&"function-".repeat(20), 12.0);
        assert!(cut.starts_with("function-") && cut.ends_with("function-") && width(&cut) <= 12.0, "{cut}");
        assert_eq!(super::cut("stableWindow=30s", 7.0), "stabl…w=30s");
    }
}
