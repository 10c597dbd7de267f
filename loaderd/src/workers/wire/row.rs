use std::time::Duration;

use loader_proto::worker::WireRow;
use tokio::time::Instant;

use super::{
    error::{WireError, bounded, known},
    slot::numbered,
};
use crate::{
    clock::UnixMicros,
    id::FunctionIndex,
    invoke::{Outcome, Status},
    plan::{InvocationId, Mark, Offset, PlannedInvocation, Unit},
    record::{Flight, Row},
    units,
};

/// What of a plan its rows refer to.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlanFacts {
    /// The unit that invocations are numbered in.
    pub(super) unit: Unit,
    /// How many functions the plan has.
    pub(super) functions: usize,
    /// The mode's names of extra invocations.
    pub(super) marks: &'static [&'static str],
}

/// How long after t0 an instant is.
pub(super) fn offset(t0: Instant, at: Instant) -> u64 {
    units::nanos(at.saturating_duration_since(t0))
}

/// The instant so long after t0.
///
/// # Errors
/// One that is too far.
pub(super) fn instant(t0: Instant, offset_ns: u64) -> Result<Instant, WireError> {
    bounded(offset_ns).map(|nanos| t0 + Duration::from_nanos(nanos))
}

/// The message of a row.
///
/// # Errors
/// A row of a plan that is not shared.
pub(super) fn from_row(row: &Row, t0: Instant) -> Result<WireRow, WireError> {
    let Row { planned, outcome, flight, worker: _ } = row;
    let PlannedInvocation { id, ordinal, slot, mark, function, due, runtime_us, runtime_ms, memory_mib, clamped } =
        planned;
    let Outcome {
        status,
        error,
        sent,
        connect,
        stream_wait,
        stream_limit,
        response,
        receive_lag,
        response_bytes,
        runtime_us: actual_runtime_us,
        exact_runtime,
        memory_kib,
        instance,
        cold_start,
        instance_started,
    } = outcome;
    let (ended_offset_ns, over_memory) = match flight {
        Flight::Until(at) => (Some(offset(t0, *at)), false),
        Flight::Never => (None, false),
        Flight::OverMemory => (None, true),
    };
    Ok(WireRow {
        ordinal: ordinal.ok_or(WireError::NotShared)?,
        number: id.number,
        slot: slot.index,
        function: function.0,
        due_offset_ns: due.as_nanos(),
        runtime_us: *runtime_us,
        runtime_ms: *runtime_ms,
        memory_mib: *memory_mib,
        clamped: *clamped,
        mark: mark.as_str().to_owned(),
        status: status.as_str().into_owned(),
        error: error.clone(),
        sent_offset_ns: sent.map(|sent| offset(t0, sent)),
        connect_ns: connect.map(units::nanos),
        stream_wait_ns: stream_wait.map(units::nanos),
        stream_limit: *stream_limit,
        response_ns: response.map(units::nanos),
        receive_lag_ns: receive_lag.map(units::nanos),
        response_bytes: *response_bytes,
        actual_runtime_us: *actual_runtime_us,
        exact_runtime: *exact_runtime,
        memory_kib: *memory_kib,
        instance: instance.clone(),
        cold_start: *cold_start,
        instance_started_unix_us: instance_started.map(|UnixMicros(at)| at),
        ended_offset_ns,
        over_memory,
    })
}

/// A row. Of its slot it has the number alone.
///
/// # Errors
/// What is no row of this plan.
pub(super) fn row(message: WireRow, t0: Instant, plan: &PlanFacts) -> Result<Row, WireError> {
    let WireRow {
        ordinal,
        number,
        slot,
        function,
        due_offset_ns,
        runtime_us,
        runtime_ms,
        memory_mib,
        clamped,
        mark,
        status,
        error,
        sent_offset_ns,
        connect_ns,
        stream_wait_ns,
        stream_limit,
        response_ns,
        receive_lag_ns,
        response_bytes,
        actual_runtime_us,
        exact_runtime,
        memory_kib,
        instance,
        cold_start,
        instance_started_unix_us,
        ended_offset_ns,
        over_memory,
    } = message;
    let due = Offset::from_nanos(bounded(due_offset_ns)?);
    let function = FunctionIndex(function);
    known((function.as_usize() < plan.functions).then_some(()), "function", function.0)?;
    let planned = PlannedInvocation {
        id: InvocationId::due(plan.unit, due, number),
        ordinal: Some(ordinal),
        slot: numbered(slot),
        mark: known(Mark::named(&mark, plan.marks), "mark", mark)?,
        function,
        due,
        runtime_us,
        runtime_ms,
        memory_mib,
        clamped,
    };
    let outcome = Outcome {
        status: known(Status::named(&status), "status", status)?,
        error,
        sent: sent_offset_ns.map(|at| instant(t0, at)).transpose()?,
        connect: duration(connect_ns)?,
        stream_wait: duration(stream_wait_ns)?,
        stream_limit,
        response: duration(response_ns)?,
        receive_lag: duration(receive_lag_ns)?,
        response_bytes,
        runtime_us: actual_runtime_us,
        exact_runtime,
        memory_kib,
        instance,
        cold_start,
        instance_started: instance_started_unix_us.map(UnixMicros),
    };
    let flight = match ended_offset_ns {
        Some(at) => Flight::Until(instant(t0, at)?),
        None if over_memory => Flight::OverMemory,
        None => Flight::Never,
    };
    Ok(Row { planned, outcome, flight, worker: None })
}

fn duration(nanos: Option<u64>) -> Result<Option<Duration>, WireError> {
    Ok(nanos.map(bounded).transpose()?.map(Duration::from_nanos))
}
