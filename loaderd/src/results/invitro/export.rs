//! The four files, one after the other.

use std::{fs::File, io, ops::ControlFlow, path::Path};

use loader_proto::schema::{AutoscalerRecord, ScaleRecord, SlotRecord};
use serde::Deserialize;

use super::{
    duration::{self, duration},
    names::Names,
    pieces::{Pieces, Wanted},
    scale::{self, scale},
    stats::{self, knative_stats},
    tables::rows,
    usage::cluster_usages,
};
use crate::results::{
    piece::{ExportError, Sink},
    reader::RecordReader,
};

/// What names are made of.
#[derive(Deserialize)]
struct Identity {
    name: String,
    #[serde(default)]
    run_id: String,
}

/// Gives the files, piece by piece, until `sink` has had enough.
pub(in crate::results) fn export(directory: &Path, sink: &mut Sink<'_>) -> Result<(), ExportError> {
    let Identity { name, run_id } = identity(directory)?;
    let minutes = minutes(directory)?;
    let file = |kind: &str| format!("{name}_{kind}_{minutes}.csv");
    let mut names = Names::read(directory, &run_id)?;
    if durations(directory, Pieces::with_header(file("duration"), &duration::COLUMNS, sink), &mut names)?.is_break() {
        return Ok(());
    }
    let mut out = Pieces::with_header(file("deployment_scale"), &scale::COLUMNS, sink);
    for row in rows::<ScaleRecord<'_>>(directory)? {
        if out.row(scale(row?, &mut names))?.is_break() {
            return Ok(());
        }
    }
    if out.finish().is_break() {
        return Ok(());
    }
    let mut out = Pieces::with_header(file("kn_stats"), &stats::COLUMNS, sink);
    for row in rows::<AutoscalerRecord>(directory)? {
        if out.row(knative_stats(row?))?.is_break() {
            return Ok(());
        }
    }
    if out.finish().is_break() {
        return Ok(());
    }
    let mut out = Pieces::new(file("cluster_usage"), sink);
    for usage in cluster_usages(directory)? {
        if out.object(usage?)?.is_break() {
            return Ok(());
        }
    }
    // It is the last one, whatever is wanted.
    let _wanted = out.finish();
    Ok(())
}

fn durations(directory: &Path, mut out: Pieces<'_, '_>, names: &mut Names) -> Wanted {
    let mut records = RecordReader::new(directory);
    loop {
        let batch = records.read()?;
        if batch.is_empty() {
            return Ok(out.finish());
        }
        for record in batch {
            if out.row(duration(record, names))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
}

fn identity(directory: &Path) -> Result<Identity, ExportError> {
    let path = directory.join("run.json");
    let read = File::open(&path).and_then(|file| serde_json::from_reader(file).map_err(io::Error::from));
    read.map_err(|source| ExportError::Io { path, source })
}

/// The run's length in minutes, begun ones counted.
fn minutes(directory: &Path) -> Result<u64, ExportError> {
    const MINUTE_US: u64 = 60_000_000;
    let mut length_us: u64 = 0;
    for slot in rows::<SlotRecord<'_>>(directory)? {
        length_us = length_us.saturating_add(slot?.duration_us);
    }
    Ok(length_us.div_ceil(MINUTE_US))
}
