//! Fake workers, and a run that they work for.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use loader_proto::worker::{
    Assignment, ClockEstimate, WorkRequest, WorkResponse, WorkerDone, WorkerHello, WorkerReady, WorkerReport,
    work_request::Message as Says, work_response::Message as Told,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::TaskTracker;
use tonic::Status as Refused;

use crate::{
    clock::{Anchor, Clock},
    dispatch::{Phases, ScaleState},
    id::{RunId, WorkerIndex},
    invoke::{Outcome, Status},
    plan::{
        Invocation, InvocationId, Offset, Plan, PlannedInvocation, Shared, Shares, Slot, SlotEvidence, SlotHead,
        SlotOutcome, Target, Unit, testkit,
    },
    platform::{WorkerNews, WorkerState},
    record::{Event, Flight, MemoryLevel, Row},
    spec::{OnWorkerLoss, Placement, WorkerResources, Workers},
    workers::{Assigned, Coordinated, Coordination, Limits, PlanFacts, Times, session::Begun, wire::BatchEncoder},
};

/// A plan of eight seconds that needs no outcomes.
pub(super) fn spec() -> Value {
    json!({"burst": {"targetRps": 4, "burst": 40, "hold": "4s", "stepDuration": "1s"}, "seed": 7})
}

/// The seed of [`spec`].
const SEED: u64 = 7;

/// A row as it is compared: function, due time, sizes and id.
pub(super) type Key = (u64, u32, u64, u32, u32, u32, String);

pub(super) fn key(row: &Row) -> Key {
    let PlannedInvocation { id, ordinal, function, due, runtime_us, runtime_ms, memory_mib, .. } = row.planned;
    (ordinal.expect("of a share"), function.0, due.as_nanos(), runtime_us, runtime_ms, memory_mib, id.to_string())
}

/// A run with workers, and what its recorder got.
pub(super) struct Run {
    pub(super) coordination: Coordination,
    pub(super) count: u32,
    /// What the platform's feed has reported.
    pub(super) scales: Arc<ScaleState>,
    spec: Value,
    shares: Shares,
    sessions: TaskTracker,
    recorded: Option<mpsc::Receiver<Event>>,
}

pub(super) fn workers(count: u32) -> Workers {
    Workers {
        count,
        on_loss: OnWorkerLoss::Continue,
        max_clock_error: Duration::from_millis(1),
        orphan_timeout: Duration::from_secs(30),
        start_timeout: Duration::from_secs(300),
        placement: Placement::default(),
        resources: WorkerResources { millicores: 1000, memory_mib: 512 },
    }
}

impl Run {
    /// One with `workers`.
    pub(super) fn new(workers: &Workers) -> Self {
        Self::of(workers, spec())
    }

    /// One with `workers`, of another spec.
    pub(super) fn of(workers: &Workers, spec: Value) -> Self {
        let plan = testkit::plan(&spec);
        let (count, scales) = (workers.count, Arc::new(ScaleState::new(3)));
        let shares = Shares::of(&plan.outline(), plan.cold_pool(), count);
        let assigned = Assigned {
            spec: vec![1, 2, 3],
            default_platform: "local".to_owned(),
            workers: count,
            shares: shares.clone(),
            functions: plan.functions().iter().map(|function| (function.name.clone(), None)).collect(),
            plan_hash: [7; 32],
            limits: Limits { in_flight: 100, memory_in_flight_mib: None, sending_threads: 1, connections: 1 },
            orphan_timeout: workers.orphan_timeout,
            function_roots_pem: Vec::new(),
        };
        let coordinated = Coordinated {
            run: &RunId::new(0, 1),
            workers,
            seed: SEED,
            facts: PlanFacts::of(&*plan),
            plan_again: {
                let spec = spec.clone();
                Arc::new(move || Ok(testkit::plan(&spec)))
            },
            assigned,
            trace: None,
            phases: Phases::default(),
            scales: Arc::clone(&scales),
            times: Times::default(),
            // Fewer than a run has, so that a recorder that is behind stops the workers.
            most_pending: 4,
            clock: Clock,
        };
        let (coordination, service) = Coordination::begin(coordinated);
        Self { coordination, count, scales, spec, shares, sessions: service.sessions, recorded: None }
    }

    /// A worker that has said hello; its process is named.
    pub(super) async fn hello(&self, index: u32, process: &str, resumes: bool) -> Result<Fake, Refused> {
        let hello = WorkerHello {
            run_id: RunId::new(0, 1).to_string(),
            index,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            process: process.to_owned(),
            node: format!("node-{index}"),
            pod: String::new(),
            next_batch: 0,
            resumes,
        };
        self.say_hello(hello).await
    }

    pub(super) async fn say_hello(&self, hello: WorkerHello) -> Result<Fake, Refused> {
        let (says, requests) = mpsc::channel(4);
        let index = hello.index;
        says.send(Ok(WorkRequest { message: Some(Says::Hello(hello)) })).await.expect("room");
        let Begun { responses, attend } = self.coordination.handle.begin(ReceiverStream::new(requests)).await?;
        drop(self.sessions.spawn(attend));
        Ok(Fake { index, says, responses })
    }

    /// All workers, ready.
    pub(super) async fn all_ready(&mut self) -> Vec<Fake> {
        let mut fakes = Vec::new();
        for index in 0..self.count {
            let mut fake = self.hello(index, &format!("p{index}"), false).await.expect("is taken");
            fake.assignment().await;
            fake.ready().await;
            fakes.push(fake);
        }
        self.coordination.ready(self.count, Duration::from_secs(1), |_, _| {}).await.expect("are ready");
        fakes
    }

    /// Starts the load, whose recorder has room for so many events.
    pub(super) async fn start(&mut self, room: usize) -> Anchor {
        let (events, recorded) = mpsc::channel(room);
        let t0 = self.coordination.t0();
        self.coordination.start(t0, events).await;
        self.recorded = Some(recorded);
        t0
    }

    /// The share of a worker, as events of what it sends: every call is answered at once.
    pub(super) fn share(&self, index: u32, t0: Anchor) -> Vec<Event> {
        events(self.plan(index), t0)
    }

    /// The share of a worker.
    pub(super) fn plan(&self, index: u32) -> Shared {
        Shared::new(testkit::plan(&self.spec), self.shares.clone(), index, SEED)
    }

    pub(super) async fn gone(&self, index: u32, reason: &str) {
        let state = WorkerState::Gone { reason: reason.to_owned() };
        self.coordination.news().send(WorkerNews { index, state }).await.expect("is heard");
    }

    pub(super) async fn state(&self, index: usize) -> (crate::record::WorkerState, String) {
        // Published with the next look.
        tokio::time::sleep(Times::default().tick * 2).await;
        let standing = self.coordination.standings()[index].clone();
        (standing.state, standing.reason)
    }

    /// Gives back what is recorded.
    pub(super) fn recorded(&mut self) -> mpsc::Receiver<Event> {
        self.recorded.take().expect("has started")
    }

    /// All that is recorded until the load has drained.
    pub(super) async fn drained(&mut self) -> Recorded {
        let mut recorded = self.recorded();
        let mut all = Recorded::default();
        while let Some(event) = recorded.recv().await {
            all.take(event);
        }
        self.coordination.drained().await.expect("the coordinator lives");
        all
    }
}

/// What a recorder has got.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    pub(super) rows: BTreeMap<Key, (Status, Option<WorkerIndex>, String)>,
    pub(super) opened: Vec<u32>,
    /// Slots as they were closed: how many came due, and whether they were carried out to their end.
    pub(super) closed: Vec<(u32, u64, bool)>,
    /// When the load was stopped.
    pub(super) stopped: Option<Offset>,
}

impl Recorded {
    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Opened { head, .. } => self.opened.push(head.index),
            Event::Row(row) => {
                let value = (row.outcome.status, row.worker, row.outcome.error.clone());
                assert_eq!(self.rows.insert(key(&row), value), None, "one row for each invocation");
            }
            Event::Closed { head, dispatched, complete, .. } => self.closed.push((head.index, dispatched, complete)),
            Event::Stopped(at) => self.stopped = Some(at),
            Event::Joined { .. } | Event::Tick => {}
        }
    }

    /// How many rows have this status.
    pub(super) fn count(&self, wanted: Status) -> usize {
        self.rows.values().filter(|(status, ..)| *status == wanted).count()
    }

    pub(super) fn keys(&self) -> BTreeSet<Key> {
        self.rows.keys().cloned().collect()
    }

    /// Holds it to the whole plan: each invocation has its row, each slot was opened and closed once, with all that came due.
    pub(super) fn is_whole(&self) {
        assert_eq!(self.keys(), whole_plan());
        assert_eq!((&self.opened, &self.closed), (&slots().iter().map(|slot| slot.0).collect(), &slots()));
    }
}

/// The rows of a run without workers: the share of the only one.
pub(super) fn whole_plan() -> BTreeSet<Key> {
    let rows = whole().into_iter().filter_map(|event| match event {
        Event::Row(row) => Some(key(&row)),
        Event::Opened { .. } | Event::Joined { .. } | Event::Closed { .. } | Event::Stopped(_) | Event::Tick => None,
    });
    rows.collect()
}

/// The slots of the whole plan, as they are closed.
fn slots() -> Vec<(u32, u64, bool)> {
    let closed = whole().into_iter().filter_map(|event| match event {
        Event::Closed { head, dispatched, complete, .. } => Some((head.index, dispatched, complete)),
        Event::Opened { .. } | Event::Joined { .. } | Event::Row(_) | Event::Stopped(_) | Event::Tick => None,
    });
    closed.collect()
}

fn whole() -> Vec<Event> {
    let plan = testkit::plan(&spec());
    let shares = Shares::of(&plan.outline(), plan.cold_pool(), 1);
    events(Shared::new(plan, shares, 0, SEED), Clock.anchor())
}

fn events(mut share: Shared, t0: Anchor) -> Vec<Event> {
    let (mut all, mut previous) = (Vec::new(), None);
    while let Some((events, outcome)) = next_slot(&mut share, previous.as_ref(), t0) {
        all.extend(events);
        previous = Some(outcome);
    }
    all
}

/// The events of the next slot of a share, of which every call is answered at once, and what the worker makes of it.
pub(super) fn next_slot(
    share: &mut Shared,
    previous: Option<&SlotOutcome>,
    t0: Anchor,
) -> Option<(Vec<Event>, SlotOutcome)> {
    let slot = share.next_slot(previous)?;
    let Slot { index, phase, start, duration, rate, planned, measured, invocations } = slot;
    let head = SlotHead { index, phase, start, duration, rate, planned, measured };
    let at = t0.instant + start.as_duration();
    let mut events = vec![Event::Opened { head, memory: MemoryLevel { at, mib: 0 } }];
    events.extend(invocations.map(|invocation| Event::Row(Box::new(answered(share.unit(), head, invocation, t0)))));
    let dispatched = events.len() as u64 - 1;
    let counted = events.iter().filter(|event| matches!(event, Event::Row(row) if row.planned.counts())).count() as u64;
    let evidence = SlotEvidence {
        slot: index,
        rate,
        planned: measured,
        in_time: counted,
        succeeded: counted,
        ..SlotEvidence::default()
    };
    let outcome = SlotOutcome { slot: index, next_start: head.end(), evidence: Some(Box::new(evidence)), shortfall: 0 };
    events.push(Event::Closed { head, dispatched, outcome: outcome.clone(), complete: true, memory_peak_mib: 0 });
    Some((events, outcome))
}

fn answered(unit: Unit, slot: SlotHead, invocation: Invocation, t0: Anchor) -> Row {
    let Invocation { due, target, runtime_us, memory_mib, clamped, mark, place } = invocation;
    let (Target::Function(function) | Target::Cold { otherwise: function }) = target;
    let place = place.expect("of a share");
    let planned = PlannedInvocation {
        id: InvocationId::due(unit, due, place.number),
        ordinal: Some(place.ordinal),
        slot,
        mark,
        function,
        due,
        runtime_us,
        runtime_ms: place.runtime_ms.expect("its function is known"),
        memory_mib,
        clamped,
    };
    let (sent, response) = (t0.instant + due.as_duration(), Duration::from_millis(5));
    let outcome = Outcome { sent: Some(sent), response: Some(response), ..Outcome::bare(Status::Ok, "") };
    Row { planned, outcome, flight: Flight::Until(sent + response), worker: None }
}

/// A worker's end of a stream.
pub(super) struct Fake {
    index: u32,
    says: mpsc::Sender<Result<WorkRequest, Refused>>,
    responses: mpsc::Receiver<WorkResponse>,
}

impl Fake {
    pub(super) async fn say(&self, message: Says) {
        // The coordinator may have hung up.
        let _heard = self.says.send(Ok(WorkRequest { message: Some(message) })).await;
    }

    /// The next message; none when the stream has ended.
    pub(super) async fn told(&mut self) -> Option<Told> {
        self.responses.recv().await.map(|response| response.message.expect("says something"))
    }

    pub(super) async fn assignment(&mut self) -> Assignment {
        match self.told().await {
            Some(Told::Assignment(assignment)) => assignment,
            other => panic!("worker {} is told {other:?}", self.index),
        }
    }

    pub(super) async fn ready(&self) {
        let clock =
            ClockEstimate { offset_ns: 5, bound_ns: 20_000, exchanges: 8, at_clock_ns: 0, round_trip_ns: 45_000 };
        self.say(Says::Ready(WorkerReady { clock: Some(clock) })).await;
    }

    /// Waits for a message of the kind that `wanted` picks; others are passed over.
    pub(super) async fn until<T>(&mut self, wanted: impl Fn(Told) -> Option<T>) -> T {
        loop {
            let message = self.told().await.expect("the stream stands");
            if let Some(found) = wanted(message) {
                return found;
            }
        }
    }

    pub(super) async fn started(&mut self) {
        self.until(|told| matches!(told, Told::Start(_)).then_some(())).await;
    }

    pub(super) async fn acknowledged(&mut self, batches: u64) {
        self.until(|told| matches!(&told, Told::Acknowledged(it) if it.next_batch >= batches).then_some(())).await;
    }

    pub(super) async fn dismissed(&mut self) -> String {
        self.until(|told| if let Told::Dismissed(it) = told { Some(it.reason) } else { None }).await
    }

    /// Sends batches of these events, of `size` events each, from the batch with this number on.
    pub(super) async fn send(&self, batches: &[loader_proto::worker::EventBatch], from: usize) {
        for batch in &batches[from..] {
            self.say(Says::Events(batch.clone())).await;
        }
    }

    pub(super) async fn report(&self, due: u64, paced: bool) {
        self.say(Says::Report(WorkerReport { due, issued: due, paced, ..WorkerReport::default() })).await;
    }

    pub(super) async fn done(&self, batches: usize) {
        self.say(Says::Done(WorkerDone { batches: batches as u64, reason: String::new() })).await;
    }
}

/// Events in batches of this size.
pub(super) fn batches(events: &[Event], size: usize, t0: Anchor) -> Vec<loader_proto::worker::EventBatch> {
    let mut encoder = BatchEncoder::new(t0.instant);
    let batch = |events: &[Event]| {
        events.iter().for_each(|event| encoder.push(event).expect("of a share"));
        encoder.finish().expect("compresses")
    };
    events.chunks(size).map(batch).collect()
}
