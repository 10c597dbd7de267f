//! Making up traces that look like production: for samples that may be published, and for sizes no public trace has.
//!
//! ```text
//! apps (sizes, ranks) ──popularity──▶ invocations per app ──functions──▶ triggers, profiles, counts ──write──▶ files
//! ```
//! Statistics are those of Shahrad et al., "Serverless in the Wild" (USENIX ATC 2020), on Azure Functions. The same
//! [`Synth`] gives the same trace; a trace is compared and shared as files, so unlike a plan it may differ in a last digit
//! between machines whose mathematical libraries do.

mod apps;
mod functions;
mod load;
mod popularity;
mod profiles;
mod write;

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::random::{Purpose, StreamKey, StreamRng};

/// A trace to be made up.
///
/// Each function is invoked at least once, as in the published files, which list no others.
///
/// The published distribution of popularity fixes the mean rate: about 0.08 invocations a second for each function. At
/// another rate the apps invoked at most once a minute keep theirs and the popular ones take what is left, so that their
/// share of the invocations differs from the published; below what the unpopular ones need, all shrink alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Synth {
    /// How many functions.
    pub functions: u32,
    /// How many minutes.
    pub minutes: u32,
    /// Mean invocations a second of all functions over the whole trace.
    pub target_rate: f64,
    /// Everything random comes from it.
    pub seed: u64,
}

/// Why a trace can't be made up or written.
#[derive(Debug, Error)]
pub enum SynthError {
    /// Nothing asked for.
    #[error("a trace needs at least one function and one minute")]
    Empty,
    /// Not a rate.
    #[error("the rate is {0}; it must be above 0 and at most {max} invocations a second", max = Synth::MAX_RATE)]
    Rate(f64),
    /// Some functions could not be invoked.
    #[error("the rate must be at least {least:.6} invocations a second, so that each function is invoked once")]
    RateTooLow {
        /// The lowest possible rate.
        least: f64,
    },
    /// A file or the directory can't be made.
    #[error("can't create {}", path.display())]
    Create {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file can't be written.
    #[error("can't write {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: csv::Error,
    },
}

impl Synth {
    /// The highest rate, in invocations a second; a hundred times that of all of Azure Functions in 2019.
    pub const MAX_RATE: f64 = 1e6;

    /// Writes `invocations.csv`, `durations.csv` and `memory.csv` (see [`crate::Format::Azure2019Preprocessed`]) into `directory`,
    /// which is made if it is not there. Files of these names are replaced.
    ///
    /// # Errors
    /// When the request makes no sense or a file can't be written.
    pub fn write(&self, directory: &Path) -> Result<(), SynthError> {
        write::files(self, directory)
    }

    /// Invocations in the whole trace.
    fn invocations(&self) -> Result<f64, SynthError> {
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
    fn draws(&self, what: &str, index: u32) -> StreamRng {
        StreamKey::new(self.seed, what, Purpose::Synthesis).unit(index)
    }
}

#[cfg(test)]
mod tests;
