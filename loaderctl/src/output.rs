//! Standard output, for results: tables for people, or the API's messages as JSON. Standard error, for notes.

use std::io::{self, IsTerminal as _, Write as _};

use clap::{ValueEnum, builder::styling::AnsiColor};
use loader_proto::{
    json::{Integers, to_value},
    visible::{visible, visible_json, visible_lines},
};

use crate::render::{IntervalsShown, Weight};

/// Terminals of this width have room for intervals beside percentiles.
const WIDE: u16 = 140;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Table,
    /// The API's message as proto3 JSON; streams as one message a line
    Json,
}

/// Prints text for people, and the end of the line where it has none. What a terminal would act on is escaped.
///
/// # Errors
/// Standard output can't be written, or its reader has gone.
pub(crate) fn text(text: &str) -> io::Result<()> {
    data(&visible_lines(text))
}

/// Prints text for people, whose first lines have a weight each; on terminals in colours.
///
/// # Errors
/// The same errors as [`text`].
pub(crate) fn weighted(text: &str, weights: &[Option<Weight>]) -> io::Result<()> {
    let safe = visible_lines(text);
    if has_colours() { data(&coloured(&safe, weights)) } else { data(&safe) }
}

/// Whether standard output shows colours: it is a terminal that knows them, and nobody has said NO_COLOR (no-color.org).
fn has_colours() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|name| name != "dumb")
}

/// The text with the first lines in the colours of their weights.
fn coloured(text: &str, weights: &[Option<Weight>]) -> String {
    let weights = weights.iter().copied().chain(std::iter::repeat(None));
    let lines = text.split_inclusive('\n').zip(weights).map(|(line, weight)| {
        let Some(weight) = weight else { return line.to_owned() };
        let colour = match weight {
            Weight::Good => AnsiColor::Green.on_default(),
            Weight::Care => AnsiColor::Yellow.on_default(),
            Weight::Bad => AnsiColor::Red.on_default().bold(),
        };
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        format!("{colour}{line}{colour:#}{end}")
    });
    lines.collect()
}

/// Prints text for programs as it is, and the end of the line where it has none.
///
/// # Errors
/// The same errors as [`text`].
pub(crate) fn data(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        stdout.write_all(b"\n")?;
    }
    stdout.flush()
}

/// Where the intervals of percentiles are shown: where there is room beside them, or below them if they are `wanted`.
pub(crate) fn intervals(wanted: bool) -> IntervalsShown {
    let width = terminal_size::terminal_size_of(io::stdout()).map_or(0, |(terminal_size::Width(width), _)| width);
    match (width >= WIDE, wanted) {
        (true, _) => IntervalsShown::Beside,
        (false, true) => IntervalsShown::Below,
        (false, false) => IntervalsShown::No,
    }
}

/// Prints a message as JSON over several lines.
///
/// # Errors
/// The same errors as [`text`].
pub(crate) fn message<M: prost::Name>(message: &M) -> io::Result<()> {
    json(&to_value(message, Integers::Strings))
}

/// Prints one message of a stream, as JSON on one line.
///
/// # Errors
/// The same errors as [`text`].
pub(crate) fn line<M: prost::Name>(message: &M) -> io::Result<()> {
    data(&visible_json(&to_value(message, Integers::Strings).to_string()))
}

/// Prints JSON over several lines.
///
/// # Errors
/// The same errors as [`text`].
pub(crate) fn json(value: &serde_json::Value) -> io::Result<()> {
    data(&visible_json(&format!("{value:#}")))
}

/// Writes a line to standard error.
pub(crate) fn note(line: &str) {
    // Where standard error is closed, the note is lost.
    let _unheard = writeln!(io::stderr().lock(), "{}", visible(line));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_with_a_weight_have_colours() {
        let text = "BAD: \u{1b}[2J\n  more of it\n\nGood.\nrun  x\n";
        let weights = [Some(Weight::Bad), None, None, Some(Weight::Good)];
        let shown = coloured(&visible_lines(text), &weights);
        let expected =
            "\u{1b}[1m\u{1b}[31mBAD: \\u{1b}[2J\u{1b}[0m\n  more of it\n\n\u{1b}[32mGood.\u{1b}[0m\nrun  x\n";
        assert_eq!(shown, expected);
        assert_eq!(coloured("a\nb", &[]), "a\nb");
    }
}
