//! What a field can hold, and its text in a file.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
};

use super::Kind;

/// Text, borrowed where a row is written and owned where one was read.
pub type Text<'a> = Cow<'a, str>;

/// A type of fields.
pub trait Value: Sized {
    /// The type of its column.
    const KIND: Kind;

    /// The text of the value. `scratch` is where a value that is no text writes it.
    fn text<'t>(&'t self, scratch: &'t mut String) -> &'t str;

    /// The value of a text; `None` where it is not of this type.
    fn parse(text: &str) -> Option<Self>;

    /// The value in a file that has no such column; `None` where a row can't be without it.
    fn missing() -> Option<Self> {
        None
    }
}

impl Value for Text<'_> {
    const KIND: Kind = Kind::Text;

    fn text<'t>(&'t self, _scratch: &'t mut String) -> &'t str {
        self
    }

    fn parse(text: &str) -> Option<Self> {
        Some(Cow::Owned(text.to_owned()))
    }

    fn missing() -> Option<Self> {
        Some(Cow::Borrowed(""))
    }
}

impl Value for bool {
    const KIND: Kind = Kind::Boolean;

    fn text<'t>(&'t self, _scratch: &'t mut String) -> &'t str {
        if *self { "true" } else { "false" }
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// Numbers whose text is what `Display` gives.
macro_rules! number {
    ($kind:expr => $($number:ty),+) => {$(
        impl Value for $number {
            const KIND: Kind = $kind;

            fn text<'t>(&'t self, scratch: &'t mut String) -> &'t str {
                written(scratch, format_args!("{self}"))
            }

            fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )+};
}

number!(Kind::Integer => u32, u64, i64);
number!(Kind::Float { digits: None } => f64);

/// An absent value is an empty field.
impl<T: Value> Value for Option<T> {
    const KIND: Kind = T::KIND;

    fn text<'t>(&'t self, scratch: &'t mut String) -> &'t str {
        self.as_ref().map_or("", |value| value.text(scratch))
    }

    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() { Some(None) } else { T::parse(text).map(Some) }
    }

    fn missing() -> Option<Self> {
        Some(None)
    }
}

/// A number that is written with exactly `DIGITS` digits after the decimal point; with none of them it is an integer.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Fixed<const DIGITS: usize>(pub f64);

impl<const DIGITS: usize> Value for Fixed<DIGITS> {
    const KIND: Kind = if DIGITS == 0 { Kind::Integer } else { Kind::Float { digits: Some(DIGITS) } };

    fn text<'t>(&'t self, scratch: &'t mut String) -> &'t str {
        written(scratch, format_args!("{:.DIGITS$}", self.0))
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

/// A number that is rounded to `DIGITS` digits after the decimal point, at least one, and written without the zeros at the end.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rounded<const DIGITS: usize>(pub f64);

impl<const DIGITS: usize> Value for Rounded<DIGITS> {
    const KIND: Kind = Kind::Float { digits: Some(DIGITS) };

    fn text<'t>(&'t self, scratch: &'t mut String) -> &'t str {
        written(scratch, format_args!("{:.DIGITS$}", self.0)).trim_end_matches('0').trim_end_matches('.')
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

/// Replaces what `scratch` holds.
fn written<'t>(scratch: &'t mut String, text: fmt::Arguments<'_>) -> &'t str {
    scratch.clear();
    // A string takes whatever is written to it.
    let _written: fmt::Result = scratch.write_fmt(text);
    scratch
}
