//! What a field can hold, and its text in a file.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
};

use super::Kind;

/// Text, borrowed where a row is written and owned where one was read.
pub type Text<'a> = Cow<'a, str>;

/// Where a value that is no text writes its text. Integers need no memory but this.
#[derive(Default)]
pub struct Scratch {
    integer: itoa::Buffer,
    number: String,
}

impl Scratch {
    /// Replaces what was written before.
    fn write(&mut self, text: fmt::Arguments<'_>) -> &str {
        self.number.clear();
        // A string takes whatever is written to it.
        let _written: fmt::Result = self.number.write_fmt(text);
        &self.number
    }
}

/// A type of fields.
pub trait Value: Sized {
    /// The type of its column.
    const KIND: Kind;

    /// The text of the value, which is its own or is written to `scratch`.
    fn text<'t>(&'t self, scratch: &'t mut Scratch) -> &'t str;

    /// The value of a text; `None` where it is not of this type.
    fn parse(text: &str) -> Option<Self>;

    /// The value in a file that has no such column; `None` where a row can't be without it.
    fn missing() -> Option<Self> {
        None
    }
}

impl Value for Text<'_> {
    const KIND: Kind = Kind::Text;

    fn text<'t>(&'t self, _scratch: &'t mut Scratch) -> &'t str {
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

    fn text<'t>(&'t self, _scratch: &'t mut Scratch) -> &'t str {
        if *self { "true" } else { "false" }
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

macro_rules! integer {
    ($($integer:ty),+) => {$(
        impl Value for $integer {
            const KIND: Kind = Kind::Integer;

            fn text<'t>(&'t self, scratch: &'t mut Scratch) -> &'t str {
                scratch.integer.format(*self)
            }

            fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )+};
}

integer!(u32, u64, i64);

impl Value for f64 {
    const KIND: Kind = Kind::Float { digits: None };

    fn text<'t>(&'t self, scratch: &'t mut Scratch) -> &'t str {
        scratch.write(format_args!("{self}"))
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// An absent value is an empty field.
impl<T: Value> Value for Option<T> {
    const KIND: Kind = T::KIND;

    fn text<'t>(&'t self, scratch: &'t mut Scratch) -> &'t str {
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

    fn text<'t>(&'t self, scratch: &'t mut Scratch) -> &'t str {
        scratch.write(format_args!("{:.DIGITS$}", self.0))
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

    fn text<'t>(&'t self, scratch: &'t mut Scratch) -> &'t str {
        scratch.write(format_args!("{:.DIGITS$}", self.0)).trim_end_matches('0').trim_end_matches('.')
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}
