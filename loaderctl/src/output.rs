//! Standard output, for results: tables for people, or the API's messages as JSON. Standard error, for notes.

use std::io::{self, Write as _};

use clap::ValueEnum;
use loader_proto::{
    json::{Integers, to_value},
    visible::{visible, visible_json, visible_lines},
};

use crate::render::IntervalsShown;

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
