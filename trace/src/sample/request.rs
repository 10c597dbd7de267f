//! Which samples are asked for, and why they can't be had.

use thiserror::Error;

/// Samples of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    /// How many functions, or how much load.
    pub size: Size,
    /// What matters beside J.
    pub preserve: Vec<Preserve>,
    /// Everything random comes from it.
    pub seed: u64,
    /// How long to search, relative to the usual; twice as much finds little more.
    pub effort: f64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { size: Size::Functions(Vec::new()), preserve: Vec::new(), seed: 42, effort: 1.0 }
    }
}

/// How large samples are.
#[derive(Debug, Clone, PartialEq)]
pub enum Size {
    /// Numbers of functions. Of several, each sample is part of the next larger one.
    Functions(Vec<usize>),
    /// As many functions as make this load.
    Load(Measure, f64),
}

/// A measure of load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Invocations a second in the unit with most.
    PeakRate,
    /// Invocations a second.
    MeanRate,
    /// Invocations under way at any time, each taken to keep a core busy.
    Cores,
    /// Memory of the invocations under way at any time, in MiB.
    Memory,
}

impl Measure {
    /// As users name it, with its unit.
    pub fn name(self) -> &'static str {
        match self {
            Self::PeakRate => "peak rate in invocations a second",
            Self::MeanRate => "mean rate in invocations a second",
            Self::Cores => "mean of busy cores",
            Self::Memory => "mean memory in MiB",
        }
    }
}

/// What a sample is to have as the trace has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preserve {
    /// Invocations: their distribution over functions, and their mean.
    Rate,
    /// Mean run times.
    Durations,
    /// Memory.
    Memory,
    /// Times between units with invocations, which decide on cold starts.
    IdleTimes,
}

/// Why there is no sample.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SampleError {
    /// Nothing is asked for.
    #[error("a sample needs at least one function")]
    Empty,
    /// More functions than the trace has.
    #[error("a sample of {asked} functions is more than the trace has, which are {functions}")]
    TooMany {
        /// What was asked for.
        asked: usize,
        /// Functions that are invoked in the trace.
        functions: usize,
    },
    /// A size was asked for twice.
    #[error("{0} functions are asked for twice; each sample is part of the next larger one")]
    Twice(usize),
    /// So many sizes are not measured at once.
    #[error("{asked} sizes are too many; at most {most} can be nested at once")]
    ManySizes {
        /// What was asked for.
        asked: usize,
        /// What can be.
        most: usize,
    },
    /// Functions without run times.
    #[error("{lacking} of {functions} functions have no run times; give all a default, or leave them out")]
    NoRuntimes {
        /// How many.
        lacking: usize,
        /// Of how many.
        functions: usize,
    },
    /// The load is not a positive number.
    #[error("the {} is {asked}; it must be above 0", measure.name())]
    NoLoad {
        /// Which load.
        measure: Measure,
        /// What was asked for.
        asked: f64,
    },
    /// The trace can't give the load.
    #[error("a {} of {asked} is more than the whole trace has, which is {most:.6}", measure.name())]
    TooMuch {
        /// Which load.
        measure: Measure,
        /// What was asked for.
        asked: f64,
        /// What all functions make.
        most: f64,
    },
    /// A single function makes more load.
    #[error("a {} of {asked} is less than any function of the trace makes, of which the lightest has {least:.6}", measure.name())]
    TooLittle {
        /// Which load.
        measure: Measure,
        /// What was asked for.
        asked: f64,
        /// What the lightest function makes.
        least: f64,
    },
}
