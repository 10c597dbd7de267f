//! How many rows a second the recorder takes to disk on one core, figures and metrics included. For `scripts/bench`.
//!
//! usage: record_rate DIRECTORY ROWS    prints figures as JSON
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use loaderd::{
    clock::{Clock, UnixMicros},
    id::{FunctionIndex, RunId},
    invoke::{Outcome, Status},
    metrics::Metrics,
    plan::{InvocationId, Mark, NoFindings, Offset, Phase, PlannedInvocation, SlotHead, SlotOutcome, Unit},
    platform::{Scale, ScaleSample},
    record::{
        AskedArrivals, Event, Flight, Latencies, MemoryLevel, Progress, Recorder, RecorderSettings, Row, ScaleHistory,
    },
};
use tokio::sync::{mpsc, watch};

const RATE: u64 = 50_000;
const FUNCTIONS: u32 = 100;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().context("usage: record_rate DIRECTORY ROWS");
    let (directory, rows) = (PathBuf::from(next()?), next()?.parse::<u64>()?);
    let clock = Clock;
    let t0 = clock.anchor();
    let settings = RecorderSettings {
        aborts: None,
        run: RunId::new(0, 0),
        functions: (0..FUNCTIONS).map(|number| format!("function-{number}")).collect(),
        t0,
        lag_bound: Duration::from_millis(10),
        slo: None,
        is_timed: true,
        arrivals: AskedArrivals::Uniform,
        scales: Arc::new(scales(t0.unix)),
        spans: None,
        latencies: Latencies::default(),
        collector: Box::new(NoFindings),
        metrics: Metrics::new(),
        progress: watch::channel(Progress::default()).0,
        clock,
    };
    let recorder = Recorder::create(&directory, settings, watch::channel(None).0)?;
    let (events, receive) = mpsc::channel(1 << 16);
    let begun = clock.now();
    let recording = std::thread::spawn(move || recorder.run(receive));
    for second in 0..rows.div_ceil(RATE) {
        let slot = slot(second)?;
        events.blocking_send(Event::Opened { head: slot, memory: MemoryLevel { at: clock.now(), mib: 0 } })?;
        for number in 0..RATE.min(rows - second * RATE) {
            events.blocking_send(Event::Row(Box::new(row(slot, number, t0.instant)?)))?;
        }
        events.blocking_send(Event::Closed {
            head: slot,
            dispatched: RATE,
            outcome: SlotOutcome::default(),
            complete: true,
            memory_peak_mib: 0,
        })?;
        events.blocking_send(Event::Tick)?;
    }
    drop(events);
    let recorded = recording.join().map_err(|_| anyhow::anyhow!("the recorder broke"))?;
    if let Some(error) = recorded.error {
        return Err(error.into());
    }
    println!("{{\"rows\": {rows}, \"seconds\": {}}}", begun.elapsed().as_secs_f64());
    Ok(())
}

/// An instance of each function from the begin on.
fn scales(at: UnixMicros) -> ScaleHistory {
    let history = ScaleHistory::new(FUNCTIONS as usize, Duration::from_mins(1));
    let scale = Scale { running: 1, desired: 1, ..Scale::default() };
    (0..FUNCTIONS)
        .for_each(|number| history.add(&ScaleSample { at, function: FunctionIndex(number), scale, source: None }));
    history
}

fn slot(second: u64) -> anyhow::Result<SlotHead> {
    Ok(SlotHead {
        index: u32::try_from(second)?,
        phase: Phase::Measure,
        start: Offset::from_nanos(second * 1_000_000_000),
        duration: Duration::from_secs(1),
        rate: RATE as f64,
        planned: RATE,
        measured: RATE,
    })
}

/// An invocation as most are: sent in time, answered by a warm instance.
fn row(slot: SlotHead, number: u64, t0: tokio::time::Instant) -> anyhow::Result<Row> {
    let due = slot.start.plus(Duration::from_nanos(number * 1_000_000_000 / RATE));
    let function = u32::try_from(number)? % FUNCTIONS;
    let planned = PlannedInvocation {
        id: InvocationId { of: Unit::Second, unit: u64::from(slot.index), number },
        ordinal: None,
        slot,
        mark: Mark::None,
        function: FunctionIndex(function),
        due,
        runtime_us: 20_000,
        runtime_ms: 20,
        memory_mib: 170,
        clamped: false,
    };
    let outcome = Outcome {
        sent: Some(t0 + due.as_duration() + Duration::from_micros(30 + number % 50)),
        response: Some(Duration::from_micros(20_200 + number % 997)),
        runtime_us: Some(20_011),
        memory_kib: Some(174_080),
        instance: format!("function-{function}-00001-deployment-{:08x}", number % 7),
        cold_start: Some(false),
        instance_started: Some(loaderd::clock::UnixMicros(1_700_000_000_000_000)),
        ..Outcome::bare(Status::Ok, "")
    };
    let ended = t0 + due.as_duration() + Duration::from_millis(21);
    Ok(Row { planned, outcome, flight: Flight::Until(ended), worker: None })
}
