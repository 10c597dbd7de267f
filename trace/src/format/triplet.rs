//! The seed-era samples of InVitro: `<N>_inv.csv`, `<N>_run.csv`, `<N>_mem.csv`, with the columns of
//! [`super::preprocessed`].
//!
//! Source: repository `vhive-serverless/invitro`.

use super::header::Header;
use super::invocations;
use super::reader::Reader;
use super::reading::{Reading, Selection};
use super::tables;
use super::tags::Tags;
use crate::trace::Trace;

pub(super) struct Triplet;

impl Reader for Triplet {
    fn name(&self) -> &'static str {
        "triplet"
    }

    fn files(&self) -> &'static str {
        "tables <N>_inv.csv, <N>_run.csv, <N>_mem.csv"
    }

    fn recognises(&self, tags: &Tags, header: &Header) -> bool {
        invocations::recognises(header) && tags.stem.ends_with("_inv")
    }

    fn accepts(&self, _tags: &Tags, header: &Header) -> bool {
        invocations::recognises(header)
    }

    fn usual_name(&self, tags: &Tags) -> bool {
        tags.stem.ends_with("_inv")
    }

    fn needs(&self, reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Vec<String>> {
        tables::needs(reading, mains, selection)
    }

    fn read(&self, reading: &mut Reading<'_>, mains: &[String], selection: &Selection) -> Option<Trace> {
        tables::read(reading, mains, selection)
    }
}
