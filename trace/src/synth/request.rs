//! The trace that is asked for, and why it may not be had.

use thiserror::Error;

use crate::random::{Purpose, StreamKey, StreamRng};
use crate::write::WriteError;

/// A trace to be made up.
///
/// Each function is invoked at least once, as in the published files, which list no others.
///
/// The published distribution of popularity fixes the mean rate: about 0.08 invocations a second for each function. At
/// another rate the apps invoked at most once a minute keep theirs and the popular ones take what is left, so that their
/// share of the invocations differs from the published; below what the unpopular ones need, all shrink alike.
///
/// At 10 000 functions and a day the statistics are within the tolerances of [`crate::describe::azure2019`]. Of fewer
/// functions single apps weigh more, and less than a day has no hours to be quiet in.
#[derive(Debug, Clone, PartialEq)]
pub struct Synth {
    /// Number of functions, at least 1.
    pub functions: u32,
    /// Length of the trace in minutes, at least 1.
    pub minutes: u32,
    /// Mean invocations a second of all functions over the whole trace.
    pub target_rate: f64,
    /// Everything random comes from it.
    pub seed: u64,
}

/// Why a trace can't be made up or written.
#[derive(Debug, Error)]
pub enum SynthError {
    /// No function or no minute is requested.
    #[error("a trace needs at least one function and one minute")]
    Empty,
    /// The rate is not a number above 0, or is above [`Synth::MAX_RATE`].
    #[error("the rate is {0}; it must be above 0 and at most {max} invocations a second", max = Synth::MAX_RATE)]
    Rate(f64),
    /// Some functions could not be invoked.
    #[error("the rate must be at least {least:.6} invocations a second, so that each function is invoked once")]
    RateTooLow {
        /// The lowest possible rate.
        least: f64,
    },
    /// A file can't be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Synth {
    /// The highest rate, in invocations a second; a hundred times that of all of Azure Functions in 2019.
    pub const MAX_RATE: f64 = 1e6;

    /// Invocations in the whole trace.
    pub(super) fn invocations(&self) -> Result<f64, SynthError> {
        if self.functions == 0 || self.minutes == 0 {
            return Err(SynthError::Empty);
        }
        if !(self.target_rate > 0.0 && self.target_rate <= Self::MAX_RATE) {
            return Err(SynthError::Rate(self.target_rate));
        }
        let seconds = f64::from(self.minutes) * 60.0;
        let invocations = (self.target_rate * seconds).round();
        if invocations < f64::from(self.functions) {
            return Err(SynthError::RateTooLow { least: f64::from(self.functions) / seconds });
        }
        Ok(invocations)
    }

    /// The draws for app or function number `index`.
    pub(super) fn draws(&self, what: &str, index: u32) -> StreamRng {
        StreamKey::new(self.seed, what, Purpose::Synthesis).unit(index)
    }
}
