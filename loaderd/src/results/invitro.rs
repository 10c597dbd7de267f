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

use csv::StringRecord;
use loader_proto::schema::{InvocationRecord, Positions, Row, ScaleRecord, SlotRecord, Table as _, Text};
use serde::{Deserialize, Serialize};

use super::{
    piece::{ExportError, Piece, Sink},
    reader::RecordReader,
};

/// Their numbers of phases.
const WARMUP: u8 = 1;
const EXECUTION: u8 = 2;

/// Bytes from which on a piece is sent.
const PIECE: usize = 1 << 18;

/// A row of `_duration_`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Duration<'a> {
    phase: u8,
    instance: Text<'a>,
    #[serde(rename = "invocationID")]
    invocation_id: Text<'a>,
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

/// A row of `_deployment_scale_`.
#[derive(Debug, Serialize)]
struct Scale<'a> {
    timestamp: i64,
    function: Text<'a>,
    desired_pods: u32,
    running_pods: u32,
    unready_pods: u32,
    pending_pods: u32,
    terminating_pods: u32,
    activator_queue: Option<u32>,
}

/// What the names of the files are made of.
#[derive(Deserialize)]
struct Identity {
    name: String,
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
    for row in rows::<ScaleRecord<'_>>(directory)? {
        if out.row(scale(row?))?.is_break() {
            return Ok(());
        }
    }
    out.finish().map(|_| ())
}

fn duration(record: InvocationRecord<'_>) -> Duration<'_> {
    let InvocationRecord {
        invocation_id,
        function,
        phase,
        sent_unix_us,
        connect_us,
        response_us,
        requested_runtime_us,
        actual_runtime_us,
        actual_memory_kib,
        status,
        instance,
        ..
    } = record;
    Duration {
        phase: if phase == "warmup" { WARMUP } else { EXECUTION },
        // Where no instance answered, at least the function is known, which InVitro's records lack.
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

fn scale(record: ScaleRecord<'_>) -> Scale<'_> {
    let ScaleRecord { unix_us, function, desired, running, unready, pending, terminating, queue, source: _ } = record;
    Scale {
        timestamp: unix_us,
        function,
        desired_pods: desired,
        running_pods: running,
        unready_pods: unready,
        pending_pods: pending,
        terminating_pods: terminating,
        activator_queue: queue,
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
    for slot in rows::<SlotRecord<'_>>(directory)? {
        length_us = length_us.saturating_add(slot?.duration_us);
    }
    Ok(length_us.div_ceil(MINUTE_US))
}

/// The rows of a table; none where the run did not come so far as to have its file.
fn rows<R: Row>(directory: &Path) -> Result<impl Iterator<Item = Result<R, ExportError>> + use<R>, ExportError> {
    let path = directory.join(R::Table::SCHEMA.file);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ExportError::Rows { path, source }
    };
    let file = match File::open(&path) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(ExportError::Io { path, source }),
    };
    let mut reader = file.map(csv::Reader::from_reader);
    let header = reader.as_mut().map(csv::Reader::headers).transpose().map_err(failed(&path))?;
    let columns = Positions::<R::Table>::of(header.into_iter().flatten());
    let read = move |row: csv::Result<StringRecord>| {
        let row = row?;
        // As an I/O error, which is how the library carries foreign ones.
        columns.read(|index| row.get(index)).map_err(|error| csv::Error::from(io::Error::other(error)))
    };
    let rows = reader.into_iter().flat_map(csv::Reader::into_records);
    Ok(rows.map(move |row| read(row).map_err(failed(&path))))
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
        // The header is in the first piece, so the writer of the next has none.
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
