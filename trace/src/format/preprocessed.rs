//! Azure Functions 2019, preprocessed: `invocations.csv`, `durations.csv`, `memory.csv`, with the columns of
//! [`super::azure2019`], but any number of minutes (or seconds), and memory per function: with a column
//! `HashFunction`. `Trigger` may lack.

use super::header::Header;
use super::invocations;
use super::reader::Reader;
use super::reading::{Reading, Selection};
use super::tables;
use super::tags::Tags;
use crate::trace::Trace;

pub(super) struct Preprocessed;

impl Reader for Preprocessed {
    fn name(&self) -> &'static str {
        "azure2019-preprocessed"
    }

    fn files(&self) -> &'static str {
        "tables of invocations, durations and memory by HashFunction"
    }

    fn recognises(&self, _tags: &Tags, header: &Header) -> bool {
        invocations::recognises(header)
    }

    fn usual_name(&self, tags: &Tags) -> bool {
        tags.stem == "invocations"
    }

    fn needs(&self, reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Vec<String>> {
        tables::needs(reading, mains, selection)
    }

    fn read(&self, reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Trace> {
        tables::read(reading, mains, selection)
    }
}
