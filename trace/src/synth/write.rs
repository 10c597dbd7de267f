//! A made-up trace as files of the preprocessed Azure 2019 layout.

use std::fs::{self, File};
use std::io::BufWriter;
use std::iter::once;
use std::path::{Path, PathBuf};

use super::functions::{self, Function};
use super::profiles::Profile;
use super::{Synth, SynthError};
use crate::sizes::{MemoryProfile, RuntimeProfile};

/// The names of the files.
const FILES: [&str; 3] = ["invocations.csv", "durations.csv", "memory.csv"];

impl Synth {
    /// Writes `invocations.csv`, `durations.csv` and `memory.csv` (see [`crate::Format::Azure2019Preprocessed`]) into `directory`,
    /// which is made if it is not there. Files of these names are replaced if `force` is given, and refused otherwise.
    ///
    /// # Errors
    /// When the request makes no sense, a file exists or can't be written.
    pub fn write(&self, directory: &Path, force: bool) -> Result<(), SynthError> {
        // Before anything is replaced.
        self.invocations()?;
        let exists = FILES.map(|name| directory.join(name)).into_iter().find(|path| path.symlink_metadata().is_ok());
        if let Some(path) = exists.filter(|_| !force) {
            return Err(SynthError::Exists { path });
        }
        fs::create_dir_all(directory).map_err(|source| SynthError::Create { path: directory.to_owned(), source })?;
        let ids = ["HashOwner", "HashApp", "HashFunction"].map(str::to_owned);

        let mut invocations = Table::create(directory.join(FILES[0]))?;
        let minutes = (1..=self.minutes).map(|minute| minute.to_string());
        invocations.row(ids.clone().into_iter().chain(once("Trigger".to_owned())).chain(minutes))?;

        let mut durations = Table::create(directory.join(FILES[1]))?;
        let of_average = RuntimeProfile::PERCENTILES.map(|percentile| format!("percentile_Average_{percentile}"));
        let summary = ["Average", "Count", "Minimum", "Maximum"].map(str::to_owned);
        durations.row(ids.clone().into_iter().chain(summary).chain(of_average))?;

        let mut memory = Table::create(directory.join(FILES[2]))?;
        let of_allocated = MemoryProfile::PERCENTILES.map(|percentile| format!("AverageAllocatedMb_pct{percentile}"));
        let summary = ["SampleCount", "AverageAllocatedMb"].map(str::to_owned);
        memory.row(ids.into_iter().chain(summary).chain(of_allocated))?;

        functions::make(self, |function| {
            let Function { owner, app, id, trigger, counts, runtime, memory: allocated } = function;
            let ids = [owner, app, id];
            let total: u64 = counts.iter().copied().map(u64::from).sum();
            let [least, .., most] = runtime.percentiles;
            let summary = [milli(runtime.average), total.to_string(), milli(least), milli(most)];
            durations.row(ids.clone().into_iter().chain(summary).chain(percentiles(&runtime)))?;
            let summary = [total.to_string(), milli(allocated.average)];
            memory.row(ids.clone().into_iter().chain(summary).chain(percentiles(&allocated)))?;
            let counts = counts.iter().map(u32::to_string);
            invocations.row(ids.into_iter().chain(once(trigger.to_owned())).chain(counts))
        })?;
        [invocations, durations, memory].into_iter().try_for_each(Table::finish)
    }
}

fn percentiles<const N: usize>(profile: &Profile<N>) -> impl Iterator<Item = String> {
    profile.percentiles.into_iter().map(milli)
}

/// To three decimals: microseconds, where the unit is milliseconds.
fn milli(value: f64) -> String {
    format!("{value:.3}")
}

/// A file being written.
struct Table {
    path: PathBuf,
    writer: csv::Writer<BufWriter<File>>,
}

impl Table {
    fn create(path: PathBuf) -> Result<Self, SynthError> {
        match File::create(&path) {
            Ok(file) => Ok(Self { path, writer: csv::Writer::from_writer(BufWriter::new(file)) }),
            Err(source) => Err(SynthError::Create { path, source }),
        }
    }

    fn row(&mut self, fields: impl Iterator<Item = String>) -> Result<(), SynthError> {
        self.writer
            .write_record(fields.map(String::into_bytes))
            .map_err(|source| SynthError::Write { path: self.path.clone(), source })
    }

    fn finish(mut self) -> Result<(), SynthError> {
        self.writer.flush().map_err(|source| SynthError::Write { path: self.path, source: source.into() })
    }
}
