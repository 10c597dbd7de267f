//! The seed-era samples of InVitro: `<N>_inv.csv`, `<N>_run.csv`, `<N>_mem.csv`, with the columns of
//! [`super::preprocessed`].
//!
//! Source: repository `vhive-serverless/invitro`.

use super::fault::{Fault, Problem};
use super::reader::Reader;
use super::reading::{Reading, Selection};
use super::source::Source;
use super::tables::{self, MemoryOf, Tables};
use crate::trace::Trace;

/// The ending of the invocations file.
const INVOCATIONS: &str = "_inv.csv";

pub(super) struct Triplet;

impl Reader for Triplet {
    fn name(&self) -> &'static str {
        "triplet"
    }

    fn files(&self) -> &'static str {
        "<N>_inv.csv, <N>_run.csv, <N>_mem.csv"
    }

    fn recognises(&self, names: &[String]) -> bool {
        !samples(names).is_empty()
    }

    fn read(&self, reading: &mut Reading<'_>, names: &[String], selection: &Selection) -> Option<Trace> {
        reading.refuse_day(selection)?;
        let tables = reading.faults.take(sample_tables(reading.source, names))?;
        tables::read(reading, &tables, selection)
    }
}

/// The part of the invocations files' names before the ending.
fn samples(names: &[String]) -> Vec<&str> {
    names.iter().filter_map(|name| name.strip_suffix(INVOCATIONS)).collect()
}

/// The files of the only sample.
fn sample_tables(source: &dyn Source, names: &[String]) -> Result<Tables, Fault> {
    match samples(names)[..] {
        [sample] => Ok(Tables {
            invocations: format!("{sample}{INVOCATIONS}"),
            durations: format!("{sample}_run.csv"),
            memory: format!("{sample}_mem.csv"),
            memory_of: MemoryOf::Function,
        }),
        [] => Err(Fault::in_file(&format!("<N>{INVOCATIONS}"), Problem::FileMissing)),
        ref samples => {
            let samples = samples.iter().map(|&sample| sample.to_owned()).collect();
            Err(Fault::in_file(&source.location(), Problem::SeveralTriplets { samples }))
        }
    }
}
