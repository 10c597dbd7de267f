//! The files of the seed-era samples.

use super::fault::{Fault, Problem};
use super::source::Source;
use super::tables::{MemoryOf, Tables};

/// The ending of the invocations file.
const INVOCATIONS: &str = "_inv.csv";

/// What stands before the ending in the names of the invocations files.
pub(super) fn samples(names: &[String]) -> Vec<&str> {
    names.iter().filter_map(|name| name.strip_suffix(INVOCATIONS)).collect()
}

/// The files of the only sample.
pub(super) fn tables(source: &dyn Source, names: &[String]) -> Result<Tables, Fault> {
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
