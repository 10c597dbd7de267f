//! Azure Functions 2019, preprocessed: `invocations.csv`, `durations.csv`, `memory.csv`, with the columns of
//! [`super::azure2019`], but any number of minutes (or seconds), and memory per function: with a column
//! `HashFunction`. `Trigger` may lack.

use super::reader::Reader;
use super::reading::{Reading, Selection};
use super::tables::{self, MemoryOf, Tables};
use crate::trace::Trace;

/// The file that it is recognised by.
const INVOCATIONS: &str = "invocations.csv";

pub(super) struct Preprocessed;

impl Reader for Preprocessed {
    fn name(&self) -> &'static str {
        "azure2019-preprocessed"
    }

    fn files(&self) -> &'static str {
        "invocations.csv, durations.csv, memory.csv"
    }

    fn recognises(&self, names: &[String]) -> bool {
        names.iter().any(|name| name == INVOCATIONS)
    }

    fn read(&self, reading: &mut Reading<'_>, _names: &[String], selection: &Selection) -> Option<Trace> {
        reading.refuse_day(selection)?;
        let tables = Tables {
            invocations: INVOCATIONS.to_owned(),
            durations: "durations.csv".to_owned(),
            memory: "memory.csv".to_owned(),
            memory_of: MemoryOf::Function,
        };
        tables::read(reading, &tables, selection)
    }
}
