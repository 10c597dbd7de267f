//! A made-up trace as files of the preprocessed Azure 2019 layout.

use std::path::Path;
use std::time::Duration;

use super::functions::{self, Function};
use super::profiles::Profile;
use super::{Synth, SynthError};
use crate::counts::Counts;
use crate::load::Load;
use crate::sizes::{MemoryProfile, RuntimeProfile};
use crate::trace::{Trace, TraceFunction};
use crate::write::{Has, Output, Profiled, Row, TABLES, Tables};

impl Synth {
    /// The trace, in memory.
    ///
    /// # Errors
    /// When the request makes no sense.
    pub fn trace(&self) -> Result<Trace, SynthError> {
        let mut functions_made = Vec::new();
        functions::make(self, |function| {
            let Function { owner, app, id, trigger, counts, runtime, memory } = function;
            functions_made.push(TraceFunction {
                id,
                owner,
                app,
                trigger: Some(trigger.to_owned()),
                load: Load::Counts(Counts::new(&counts)),
                runtime: RuntimeProfile::from_millis(runtime.percentiles)
                    .ok()
                    .map(|profile| profile.with_average(runtime.average)),
                memory: MemoryProfile::from_mib(memory.percentiles)
                    .ok()
                    .map(|profile| profile.with_average(memory.average)),
            });
            Ok(())
        })?;
        Ok(Trace { functions: functions_made, units: self.minutes as usize, unit: Duration::from_mins(1) })
    }

    /// Writes `invocations.csv`, `durations.csv` and `memory.csv` (see [`crate::Format::Azure2019Preprocessed`]) into `directory`,
    /// which is made if it is not there. Files of these names are replaced if `force` is given, and refused otherwise; they
    /// appear when all are complete.
    ///
    /// # Errors
    /// When the request makes no sense, a file exists or can't be written.
    pub fn write(&self, directory: &Path, force: bool) -> Result<(), SynthError> {
        self.invocations()?;
        let output = Output::new(directory, TABLES, force)?;
        let has = Has { trigger: true, runtime: true, memory: true };
        let mut tables = Tables::begin(&output, Path::new(""), self.minutes as usize, has)?;
        functions::make(self, |function| {
            let Function { owner, app, id, trigger, counts, runtime, memory } = function;
            let row = Row {
                ids: [&owner, &app, &id],
                trigger: Some(trigger),
                runtime: Some(profiled(&runtime)),
                memory: Some(profiled(&memory)),
            };
            Ok(tables.add(&row, counts.into_iter())?)
        })?;
        tables.finish()?;
        Ok(output.finish()?)
    }
}

fn profiled<const N: usize>(profile: &Profile<N>) -> Profiled<N> {
    Profiled { average: profile.average, percentiles: profile.percentiles }
}
