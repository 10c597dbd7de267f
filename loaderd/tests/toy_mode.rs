//! A mode that the daemon has never heard of goes through dispatch, record and summary: none of them knows one mode from
//! another. What a mode supplies is all here; what a real one needs besides is its message, its line in `plan/mod.rs`, and
//! its flags and rendering in `loaderctl`.

#![expect(clippy::expect_used, reason = "this is a test")]

use std::{sync::Arc, time::Duration};

use loader_proto::v1;
use loader_trace::Trace;
use loaderd::{
    clock::Clock,
    control::WireCodec,
    dispatch::{Dispatch, Heartbeat, Isolation, Phases, ScaleState, Settings},
    id::{FunctionIndex, RunId},
    invoke::Policy,
    metrics::Metrics,
    plan::{
        Collector, Findings, Invocation, Mark, Mode, Observed, Offset, Outline, Phase, Plan, PlannedFunction, Request,
        Slot, SlotHead, SlotOutcome, Target, Unit, validate,
    },
    record::{
        AskedArrivals, Latencies, Progress, Recorded, Recorder, RecorderSettings, ScaleHistory, SummaryFacts, summarise,
    },
    spec::{Defaults, RunSpec, Violation},
    store::{Codec as _, RunSummary, State},
};
use tokio::sync::{mpsc, watch};

/// Marks every second invocation.
const TICK: Mark = Mark::Extra("tick");

/// What is asked for: so many slots of a tenth of a second.
#[derive(Debug)]
struct ToyMode {
    slots: u32,
}

impl Mode for ToyMode {
    fn name(&self) -> &'static str {
        "toy"
    }

    fn plan(&self, _run: &RunSpec, _trace: Option<Arc<Trace>>) -> Result<Box<dyn Plan>, Vec<Violation>> {
        let function = PlannedFunction {
            name: "toy".to_owned(),
            source_id: String::new(),
            trigger: String::new(),
            initial_scale: 1,
            invocations: None,
            peak_memory_mib: 1,
        };
        Ok(Box::new(ToyPlan { functions: [function], slots: self.slots, next: 0 }))
    }
}

/// Four invocations a slot.
struct ToyPlan {
    functions: [PlannedFunction; 1],
    slots: u32,
    next: u32,
}

impl Plan for ToyPlan {
    fn functions(&self) -> &[PlannedFunction] {
        &self.functions
    }

    fn unit(&self) -> Unit {
        Unit::Second
    }

    fn needs_outcomes(&self) -> bool {
        true
    }

    fn next_slot(&mut self, _previous: Option<&SlotOutcome>) -> Option<Slot> {
        let index = self.next;
        self.next += 1;
        let (start, duration) = (Offset::from_nanos(u64::from(index) * 100_000_000), Duration::from_millis(100));
        let invocation = move |number: u64| Invocation {
            due: start.plus(Duration::from_millis(number * 20)),
            target: Target::Function(FunctionIndex(0)),
            runtime_us: 1000,
            memory_mib: 1,
            clamped: false,
            mark: if number % 2 == 1 { TICK } else { Mark::None },
            place: None,
        };
        (index < self.slots).then(|| Slot {
            index,
            phase: Phase::Measure,
            start,
            duration,
            rate: 40.0,
            planned: 4,
            measured: 4,
            invocations: Box::new((0..4).map(invocation)),
        })
    }

    fn collector(&self) -> Box<dyn Collector> {
        Box::new(ToyCollector::default())
    }

    fn outline(&self) -> Outline {
        Outline::default()
    }
}

/// Counts what it is shown.
#[derive(Debug, Default)]
struct ToyCollector {
    opened: u64,
    ticks: u64,
    closed: u64,
}

impl Collector for ToyCollector {
    fn slot_opened(&mut self, _slot: &SlotHead) {
        self.opened += 1;
    }

    fn observe(&mut self, row: &Observed<'_>) {
        self.ticks += u64::from(row.planned.mark == TICK);
    }

    fn slot_closed(&mut self, _outcome: &SlotOutcome) {
        self.closed += 1;
    }

    fn finish(self: Box<Self>) -> Option<Box<dyn Findings>> {
        Some(Box::new(ToyFindings(*self)))
    }
}

/// A real mode has a field of its own in the summary; this one borrows one.
#[derive(Debug)]
struct ToyFindings(ToyCollector);

impl Findings for ToyFindings {
    fn fill(&self, summary: &mut v1::RunSummary) {
        let Self(ToyCollector { opened, ticks, closed }) = self;
        summary.reason = format!("{opened} slots began, {closed} ended, {ticks} ticks");
    }
}

/// What is asked of every run, and the toy's plan.
fn toy() -> (RunSpec, Box<dyn Plan>) {
    let mode = Some(v1::run_spec::Mode::Rps(v1::RpsMode::default()));
    let message = v1::RunSpec { mode, ..v1::RunSpec::default() };
    let checked = validate(&message, &Defaults { platform: "local".to_owned() }).expect("is valid");
    let request = Request { mode: Box::new(ToyMode { slots: 3 }), ..checked };
    assert_eq!(request.mode.name(), "toy");
    let plan = request.plan(None).expect("a plan");
    (request.run, plan)
}

/// Runs the plan's load for a function that was not deployed, so that each row has that error.
async fn recorded(plan: Box<dyn Plan>, directory: &std::path::Path) -> Recorded {
    let (clock, run) = (Clock, RunId::new(0, 0));
    let (events, receive) = mpsc::channel(64);
    let settings = Settings {
        workers: 1,
        policy: Policy::Pooled(1),
        max_in_flight: 100,
        max_memory_in_flight_mib: None,
        connect_timeout: Duration::from_secs(1),
        function_timeout: Duration::from_secs(1),
        runtime_clock: None,
        seed: 42,
        run: run.clone(),
        trace: None,
        phases: Phases::default(),
        isolation: Isolation::default(),
        heartbeat: Heartbeat::new(clock),
        clock,
    };
    let scales = Arc::new(ScaleState::new(1));
    let dispatch = Dispatch::prepare(settings, Arc::new([None]), scales, events).await.expect("starts");
    let t0 = clock.anchor();
    let settings = RecorderSettings {
        aborts: None,
        run,
        functions: ["toy".to_owned()].into(),
        t0,
        lag_bound: Duration::from_secs(60),
        slo: None,
        is_timed: true,
        arrivals: AskedArrivals::Planned,
        collector: plan.collector(),
        latencies: Latencies::default(),
        scales: Arc::new(ScaleHistory::new(1, Duration::ZERO)),
        spans: None,
        metrics: Metrics::new(),
        progress: watch::channel(Progress::default()).0,
        clock,
    };
    let recorder = Recorder::create(directory, settings, watch::channel(None).0).expect("creates");
    let recording = std::thread::spawn(move || recorder.run(receive));
    let mut dispatching = dispatch.start(plan, t0).expect("starts");
    dispatching.paced().await.expect("lives");
    dispatching.drained().await.expect("lives");
    drop(dispatching);
    recording.join().expect("lives")
}

#[tokio::test]
async fn an_unknown_mode_is_dispatched_recorded_and_summed_up() {
    let directory = tempfile::tempdir().expect("a directory");
    let (spec, plan) = toy();
    let recorded = recorded(plan, directory.path()).await;
    let facts = SummaryFacts {
        seed: spec.seed,
        t0: Clock.unix(),
        not_due: Some(0),
        clock_changes: None,
        functions: vec!["toy".to_owned()],
        instances_started: 0,
        findings: recorded.findings,
        dropped_functions: Default::default(),
        notes: Vec::new(),
        warmup: None,
        disturbances: Vec::new(),
        workers: Vec::new(),
        max_clock_error: None,
    };
    let load = summarise(recorded.statistics, facts);
    let mut filled = v1::RunSummary::default();
    load.findings.as_ref().expect("findings").fill(&mut filled);
    assert_eq!(filled.reason, "3 slots began, 3 ended, 6 ticks");
    let codec = WireCodec { defaults: Defaults { platform: "local".to_owned() } };
    let text = codec.write_summary(&RunSummary {
        expectations: Vec::new(),
        run_id: RunId::new(0, 0),
        name: spec.name,
        mode: "toy".to_owned(),
        platform: "local".to_owned(),
        state: State::Succeeded,
        reason: String::new(),
        load,
    });
    let summary = codec.read_summary(&text).expect("is a summary");
    assert_eq!((summary.mode.as_str(), summary.requested, summary.rows, summary.slots.len()), ("toy", 12, 12, 3));
    assert_eq!((summary.rps, summary.burst, summary.coldstart), (None, None, None));
    let rows = std::fs::read_to_string(directory.path().join("invocations.csv")).expect("a file");
    assert_eq!(rows.lines().filter(|row| row.contains(",tick,")).count(), 6);
}
