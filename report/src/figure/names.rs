//! Names on axes: in lines where they are long, turned where they are many, and cut in the middle only where neither is enough.
//!
//! What tells one cell from another is often at the end of its name, so that a cut leaves both ends.

use super::text;

/// Most lines of a name below an axis.
const LINES: usize = 3;

/// From one line to the next, in sizes of the text.
pub(super) const LINE: f64 = 1.15;

/// Narrowest room below an axis in which names are broken rather than turned, in sizes of the text.
const NARROWEST: f64 = 3.5;

/// By how much names are turned, as sine and cosine, and in degrees.
const TURN: (f64, f64) = (0.574, 0.819);
pub(super) const DEGREES: u32 = 35;

/// The part of a figure's height that turned names take at most.
const MOST_HEIGHT: f64 = 0.36;

/// The names of bars: each in lines of at most that many sizes of the text, at most so many of them.
pub(super) fn beside(names: &[String], room: f64, lines: usize) -> Vec<Vec<String>> {
    names.iter().map(|name| broken(&text::visible(name), room, lines.max(1))).collect()
}

/// The names below an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Below {
    /// Those that are shown: their numbers from 0, and their lines.
    pub(super) shown: Vec<(usize, Vec<String>)>,
    /// Whether they are turned, with their ends at their places.
    pub(super) is_turned: bool,
    /// What they take of the height beyond one line, in px.
    pub(super) extra: f64,
    /// The size of their text, in px.
    pub(super) size: f64,
}

impl Below {
    /// Names that stand `each` px apart, the first `left` px from the edge of the figure, in text of that size. `height`: of the figure.
    pub(super) fn of(names: &[String], each: f64, left: f64, size: f64, height: f64) -> Self {
        let names: Vec<String> = names.iter().map(|name| text::visible(name)).collect();
        let room = each / size - 0.8;
        let whole = |name: &String| parts(name).iter().all(|part| text::width(part.trim_end()) <= room);
        let lines: Vec<Vec<String>> = names.iter().map(|name| filled(&parts(name), room)).collect();
        let most = lines.iter().map(Vec::len).max().unwrap_or(1);
        if names.len() == 1 || (room >= NARROWEST && most <= LINES && names.iter().all(whole)) {
            let lines = names.iter().map(|name| broken(name, room, LINES)).enumerate().collect();
            return Self { shown: lines, is_turned: false, extra: (most.min(LINES) - 1) as f64 * LINE * size, size };
        }
        let every = crate::number::place((LINE * size / (each * TURN.0)).ceil()).max(1);
        let reach = |number: usize| (left + each * number as f64) / (size * TURN.1);
        let cut =
            |number: usize, name: &String| text::cut(name, (height * MOST_HEIGHT / size / TURN.0).min(reach(number)));
        let shown: Vec<_> =
            names.iter().enumerate().step_by(every).map(|(number, name)| (number, cut(number, name))).collect();
        let longest = shown.iter().map(|(_, name)| text::width(name)).fold(0.0, f64::max);
        let shown = shown.into_iter().map(|(number, name)| (number, vec![name])).collect();
        Self { shown, is_turned: true, extra: longest * size * TURN.0, size }
    }
}

/// A name in lines of at most that width, at most so many: broken between its parts, else anywhere.
fn broken(name: &str, room: f64, most: usize) -> Vec<String> {
    let lines = filled(&parts(name), room);
    if lines.len() <= most {
        return lines;
    }
    let mut width = text::width(name).min(room * most as f64) + 1.0;
    loop {
        width -= 1.0;
        let lines = filled(&[text::cut(name, width)], room);
        if lines.len() <= most || width < 1.0 {
            return lines;
        }
    }
}

/// The parts of a name between which a line may end: behind a separator, and before a capital letter.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut before = ' ';
    for letter in name.chars() {
        let is_behind = matches!(before, ' ' | ',' | '/' | '-' | '_' | '=' | ':' | '.') && letter != ' ';
        if is_behind || (letter.is_uppercase() && before.is_lowercase()) {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
        before = letter;
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Lines of at most that width, filled one after the other; a part that is too long alone ends anywhere.
fn filled(parts: &[String], room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut().filter(|line| text::width(line) + text::width(part.trim_end()) <= room) {
            Some(line) => line.push_str(part),
            None => lines.push(part.clone()),
        }
        while let Some((line, rest)) = lines.last().and_then(|line| split(line.trim_end(), room)) {
            lines.pop();
            lines.extend([line, rest]);
        }
    }
    lines.iter().map(|line| line.trim().to_owned()).collect()
}

/// A line that is too long, as what fits and the rest.
fn split(line: &str, room: f64) -> Option<(String, String)> {
    if text::width(line) <= room {
        return None;
    }
    let fits = |end: &usize| text::width(&line[..*end]) <= room;
    let ends = line.char_indices().map(|(end, _)| end).skip(1);
    let first = ends.clone().next()?;
    let end = ends.take_while(fits).last().unwrap_or(first);
    Some((line[..end].to_owned(), line[end..].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
        names.map(str::to_owned).to_vec()
    }

    #[test]
    fn a_long_name_is_broken_where_its_parts_end() {
        let lines = |name: &str, room| broken(name, room, LINES);
        assert_eq!(lines("short", 10.0), ["short"]);
        assert_eq!(lines("stableWindow=30s, targetRps=4", 12.0), ["stableWindow=30s,", "targetRps=4"]);
        assert_eq!(lines("panicThresholdPercentage=1000", 9.0), ["panicThreshold", "Percentage=1000"]);
        assert_eq!(lines("abcdefghijkl", 4.0), ["abcdefg", "hijkl"]);
    }

    #[test]
    fn what_is_too_long_for_all_lines_keeps_both_ends() {
        let name = format!("first-{}-last", "x".repeat(300));
        let lines = broken(&name, 8.0, LINES);
        assert!(
            lines.len() <= LINES && lines[0].starts_with("first-") && lines.concat().ends_with("-last"),
            "{lines:?}"
        );
        assert!(lines.concat().contains('…') && lines.iter().all(|line| text::width(line) <= 8.0), "{lines:?}");
        for (name, room) in [("", 5.0), ("a", 0.1), ("wide 名前 name", 0.5), ("   ", 1.0)] {
            assert!(broken(name, room, 1).len() <= 1 || room < 1.0, "{name:?}");
        }
    }

    #[test]
    fn few_names_are_broken_and_many_are_turned() {
        let few = Below::of(&names(["traces/small", "traces/day"]), 200.0, 100.0, 12.0, 270.0);
        assert!(!few.is_turned && few.extra < 1e-9, "{few:?}");
        let narrow = Below::of(&names(["workloads/traces/small", "workloads/traces/day"]), 110.0, 60.0, 12.0, 270.0);
        assert_eq!((narrow.is_turned, narrow.shown[0].1.len()), (false, 2), "{narrow:?}");
        let many: Vec<String> = (0..100).map(|number| format!("samples/convergence/{number}/50")).collect();
        let turned = Below::of(&many, 5.0, 40.0, 12.0, 270.0);
        assert!(
            turned.is_turned && turned.shown.len() <= 20 && turned.extra <= 270.0 * MOST_HEIGHT + 1.0,
            "{turned:?}"
        );
        assert!(turned.shown[0].1[0].contains('…'), "the first one has no room to its left: {turned:?}");
    }
}
