//! The files of InVitro, the Go loader of the vHive community, made from a run's own, so that scripts made for them go on
//! working. Times are in microseconds, as there. What the run did not measure is empty.
//!
//! | theirs | from |
//! | --- | --- |
//! | `<name>_duration_<minutes>.csv` | invocations.csv |
//! | `<name>_deployment_scale_<minutes>.csv` | scales.csv |

use std::{
    fs::File,
    io,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    ExportError, RecordReader, StoredRecord,
    layout::{Piece, Sink},
};

/// Their numbers of phases.
const WARMUP: u8 = 1;
const EXECUTION: u8 = 2;

/// Bytes from which on a piece is sent.
const PIECE: usize = 1 << 18;

/// A row of `_duration_`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Duration {
    phase: u8,
    instance: String,
    #[serde(rename = "invocationID")]
    invocation_id: String,
    start_time: Option<i64>,
    requested_duration: u64,
    grpc_conn_establish: Option<u64>,
    response_time: Option<u64>,
    actual_duration: Option<u64>,
    connection_timeout: bool,
    function_timeout: bool,
    actual_memory_usage: Option<u64>,
    memory_allocation_timeout: bool,
    /// These three are measured in its asynchronous mode only, and 0 elsewhere.
    time_to_submit_ms: u64,
    user_code_execution_ms: u64,
    time_to_get_response_ms: u64,
}

/// A row of scales.csv, and of `_deployment_scale_` under other names.
#[derive(Debug, Serialize, Deserialize)]
struct Scale {
    #[serde(rename(deserialize = "unix_us", serialize = "timestamp"))]
    at: i64,
    function: String,
    #[serde(rename(deserialize = "desired", serialize = "desired_pods"))]
    desired: u32,
    #[serde(rename(deserialize = "running", serialize = "running_pods"))]
    running: u32,
    #[serde(rename(deserialize = "unready", serialize = "unready_pods"))]
    unready: u32,
    #[serde(rename(deserialize = "pending", serialize = "pending_pods"))]
    pending: u32,
    #[serde(rename(deserialize = "terminating", serialize = "terminating_pods"))]
    terminating: u32,
    #[serde(rename(deserialize = "queue", serialize = "activator_queue"))]
    queue: u32,
}

/// What the names of the files are made of.
#[derive(Deserialize)]
struct Identity {
    name: String,
}

/// A row of slots.csv, as far as it matters here.
#[derive(Deserialize)]
struct Slot {
    duration_us: u64,
}

/// Gives the files, piece by piece, until `sink` has had enough.
pub(super) fn export(directory: &Path, sink: &mut Sink<'_>) -> Result<(), ExportError> {
    let name = name(directory)?;
    let minutes = minutes(directory)?;
    let mut out = Pieces::new(format!("{name}_duration_{minutes}.csv"), sink);
    let mut records = RecordReader::new(directory);
    loop {
        let batch = records.read()?;
        if batch.is_empty() {
            break;
        }
        for record in batch {
            if out.row(duration(record))?.is_break() {
                return Ok(());
            }
        }
    }
    if out.finish()?.is_break() {
        return Ok(());
    }
    let mut out = Pieces::new(format!("{name}_deployment_scale_{minutes}.csv"), sink);
    for scale in rows::<Scale>(&directory.join("scales.csv"))? {
        if out.row(scale?)?.is_break() {
            return Ok(());
        }
    }
    out.finish().map(|_| ())
}

fn duration(record: StoredRecord) -> Duration {
    let StoredRecord {
        invocation_id,
        function,
        phase,
        slot: _,
        mark: _,
        due_unix_us: _,
        sent_unix_us,
        dispatch_lag_us: _,
        connect_us,
        response_us,
        requested_runtime_us,
        actual_runtime_us,
        requested_memory_kib: _,
        actual_memory_kib,
        status,
        error: _,
        instance,
        cold_start: _,
        instance_started_unix_us: _,
        saturated: _,
    } = record;
    Duration {
        phase: if phase == "warmup" { WARMUP } else { EXECUTION },
        // Where no instance answered, at least the function is known, which theirs does not say.
        instance: if instance.is_empty() { function } else { instance },
        invocation_id,
        start_time: sent_unix_us,
        requested_duration: requested_runtime_us,
        grpc_conn_establish: connect_us,
        response_time: response_us,
        actual_duration: actual_runtime_us,
        connection_timeout: status == "connect_timeout",
        function_timeout: status == "function_timeout",
        actual_memory_usage: actual_memory_kib,
        memory_allocation_timeout: status == "memory_allocation_failed",
        time_to_submit_ms: 0,
        user_code_execution_ms: 0,
        time_to_get_response_ms: 0,
    }
}

fn name(directory: &Path) -> Result<String, ExportError> {
    let path = directory.join("run.json");
    let read = File::open(&path).and_then(|file| serde_json::from_reader(file).map_err(io::Error::from));
    let Identity { name } = read.map_err(|source| ExportError::Io { path, source })?;
    Ok(name)
}

/// The run's length in minutes, begun ones counted.
fn minutes(directory: &Path) -> Result<u64, ExportError> {
    const MINUTE_US: u64 = 60_000_000;
    let mut length_us: u64 = 0;
    for slot in rows::<Slot>(&directory.join("slots.csv"))? {
        length_us = length_us.saturating_add(slot?.duration_us);
    }
    Ok(length_us.div_ceil(MINUTE_US))
}

/// The rows of a file of the run; none where the run did not come so far as to have the file.
fn rows<T: for<'de> Deserialize<'de>>(
    path: &Path,
) -> Result<impl Iterator<Item = Result<T, ExportError>> + use<T>, ExportError> {
    let path = path.to_owned();
    let file = match File::open(&path) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(ExportError::Io { path, source }),
    };
    let rows = file.into_iter().flat_map(|file| csv::Reader::from_reader(file).into_deserialize());
    Ok(rows.map(move |row| row.map_err(|source| ExportError::Rows { path: path.clone(), source })))
}

/// Writes rows and hands them on in pieces.
struct Pieces<'s, 'f> {
    file: String,
    writer: csv::Writer<Vec<u8>>,
    sink: &'s mut Sink<'f>,
}

impl<'s, 'f> Pieces<'s, 'f> {
    fn new(file: String, sink: &'s mut Sink<'f>) -> Self {
        Self { file, writer: csv::Writer::from_writer(Vec::new()), sink }
    }

    fn row(&mut self, row: impl Serialize) -> Result<ControlFlow<()>, ExportError> {
        self.writer.serialize(row).map_err(|source| self.failed(source))?;
        if self.writer.get_ref().len() < PIECE {
            return Ok(ControlFlow::Continue(()));
        }
        // The header stands in the first piece, so the writer of the next has none.
        let next = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
        let full = std::mem::replace(&mut self.writer, next);
        self.send(full)
    }

    fn finish(mut self) -> Result<ControlFlow<()>, ExportError> {
        let last = std::mem::replace(&mut self.writer, csv::Writer::from_writer(Vec::new()));
        self.send(last)
    }

    fn send(&mut self, writer: csv::Writer<Vec<u8>>) -> Result<ControlFlow<()>, ExportError> {
        let data = writer.into_inner().map_err(|error| self.failed(error.into_error().into()))?;
        Ok((self.sink)(Piece { file: self.file.clone(), data }))
    }

    fn failed(&self, source: csv::Error) -> ExportError {
        ExportError::Rows { path: PathBuf::from(&self.file), source }
    }
}
