//! Why a trace can't be made of others.

use std::time::Duration;

use thiserror::Error;

/// Why a trace can't be made of others.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum EditError {
    /// Names that no function of the trace has.
    #[error("the trace has no {what} named {}", names.join(", "))]
    Unknown {
        /// What was named: functions, apps, triggers.
        what: &'static str,
        /// The names, at most [`EditError::SHOWN`].
        names: Vec<String>,
    },
    /// No function meets the conditions.
    #[error("none of the {functions} functions meets all conditions")]
    NothingLeft {
        /// How many there are.
        functions: usize,
    },
    /// A condition on what the trace does not have.
    #[error("the trace has no {0}, so that functions can't be selected by them")]
    NoData(&'static str),
    /// Traces of different units.
    #[error("the units of the traces differ: {first:?} and {other:?}; read both with one --granularity")]
    Units {
        /// Of the first trace.
        first: Duration,
        /// Of another.
        other: Duration,
    },
    /// Parts without a function.
    #[error("{parts} parts are more than there are functions with invocations, which are {functions}")]
    TooManyParts {
        /// What was asked for.
        parts: usize,
        /// How many functions there are.
        functions: usize,
    },
    /// No part at all.
    #[error("a trace is split into at least one part")]
    NoPart,
    /// A length of nothing, or no whole number of units.
    #[error("the duration is {asked:?}; it must be a whole number of units of {unit:?}, and at least one")]
    Length {
        /// What was asked for.
        asked: Duration,
        /// The trace's unit.
        unit: Duration,
    },
    /// More units than there are.
    #[error("{asked} units are more than the trace has from there on, which are {left}")]
    TooLong {
        /// What was asked for.
        asked: usize,
        /// What is left from the start of the part.
        left: usize,
    },
    /// Columns can't be added up evenly.
    #[error("{units} units can't be added up to {asked} evenly; {} would do", suitable(*units, *asked))]
    Uneven {
        /// How many the trace has.
        units: usize,
        /// How many are asked for.
        asked: usize,
    },
    /// More than could be read again.
    #[error("that would be {counts} counts; at most {most} are written")]
    TooManyCounts {
        /// Functions times units.
        counts: usize,
        /// The limit.
        most: usize,
    },
    /// The rate is no rate.
    #[error("the peak rate is {0}; it must be above 0")]
    Rate(f64),
    /// More load than there is.
    #[error("a peak rate of {asked} invocations a second is more than this way gives, which is at most {most:.6}")]
    TooMuch {
        /// What was asked for.
        asked: f64,
        /// What there is.
        most: f64,
    },
    /// So little that no invocation is left.
    #[error("a peak rate of {asked} invocations a second leaves no invocation; one has a peak of {least:.6}")]
    TooLittle {
        /// What was asked for.
        asked: f64,
        /// The peak of a single invocation.
        least: f64,
    },
}

impl EditError {
    /// Most names in a message.
    pub const SHOWN: usize = 10;
}

/// The numbers nearest to `asked`, below and above, that divide `units`.
fn suitable(units: usize, asked: usize) -> String {
    let divides = |number: &usize| *number > 0 && units.is_multiple_of(*number);
    let below = (1..asked).rev().find(divides);
    let above = (asked..=units).find(divides);
    let numbers: Vec<String> = below.into_iter().chain(above).map(|number| number.to_string()).collect();
    numbers.join(" or ")
}
