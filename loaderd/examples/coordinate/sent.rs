//! What the workers send.

use std::{collections::VecDeque, io::Write, time::Duration};

use loader_proto::worker::EventBatch;
use loaderd::{
    clock::{Clock, UnixMicros},
    invoke::{Outcome, Status},
    plan::{Invocation, Mark, Numbering, PlannedInvocation, Rounding, Shares, Slot, SlotHead, SlotOutcome, Target},
    record::{Event, Flight, MemoryLevel, Row},
    workers::wire::BatchEncoder,
};
use prost::Message as _;
use rand::{Rng, RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::time::Instant;

use crate::Simulation;

/// How long events gather in a worker.
const GATHER_NANOS: u64 = 100_000_000;

/// A worker: what it has recorded, with the time, in nanoseconds from t0.
struct Worker {
    recorded: Vec<(u64, Event)>,
    encoder: BatchEncoder,
    /// What it has not handed over, if it is behind.
    kept: VecDeque<(u64, EventBatch)>,
    behind_nanos: u64,
    dispatched: u64,
}

/// Writes the batches of all workers, in the order in which they come to the coordinator: each with its worker.
pub(crate) fn send(simulation: &Simulation, out: &mut impl Write) -> anyhow::Result<()> {
    let mut plan = simulation.plan()?;
    let shares = Shares::of(&plan.outline(), plan.cold_pool(), simulation.workers.into());
    let names: Vec<_> = plan.functions().iter().map(|function| function.name.clone()).collect();
    let (mut numbering, mut rounding) =
        (Numbering::new(plan.unit()), Rounding::new(0, names.iter().map(String::as_str)));
    let (mut in_turn, mut ordinal, mut rng) = (vec![0; names.len()], 0, StdRng::seed_from_u64(1));
    let t0 = Clock.now();
    let mut workers: Vec<_> = (0..simulation.workers).map(|index| Worker::new(simulation, index, t0)).collect();
    let mut tick = GATHER_NANOS;
    while let Some(slot) = plan.next_slot(None) {
        let (head, invocations) = apart(slot);
        workers.iter_mut().for_each(|worker| worker.open(head, t0));
        for invocation in invocations {
            while invocation.due.as_nanos() >= tick {
                hand_over(&mut workers, tick, out)?;
                tick += GATHER_NANOS;
            }
            let Target::Function(function) = invocation.target else { anyhow::bail!("a trace has no cold targets") };
            let owner = shares.owner(function).unwrap_or_else(|| {
                let count = &mut in_turn[function.as_usize()];
                shares.in_turn(std::mem::replace(count, *count + 1))
            });
            let planned = PlannedInvocation {
                id: numbering.next(invocation.due),
                ordinal: Some(ordinal),
                slot: head,
                mark: Mark::None,
                function,
                due: invocation.due,
                runtime_us: invocation.runtime_us,
                runtime_ms: rounding.millis(function, invocation.runtime_us),
                memory_mib: invocation.memory_mib,
                clamped: invocation.clamped,
            };
            ordinal += 1;
            let (ended, row) = row(planned, &names[function.as_usize()], t0, &mut rng);
            let worker = &mut workers[owner as usize];
            worker.dispatched += 1;
            worker.recorded.push((ended, Event::Row(Box::new(row))));
        }
        workers.iter_mut().for_each(|worker| worker.close(head));
    }
    while workers.iter().any(|worker| !worker.recorded.is_empty() || !worker.kept.is_empty()) {
        hand_over(&mut workers, tick, out)?;
        tick += GATHER_NANOS;
    }
    Ok(())
}

type Invocations = Box<dyn Iterator<Item = Invocation> + Send>;

fn apart(slot: Slot) -> (SlotHead, Invocations) {
    let Slot { index, phase, start, duration, rate, planned, measured, invocations } = slot;
    (SlotHead { index, phase, start, duration, rate, planned, measured }, invocations)
}

/// An invocation as most are: sent in time, answered by one of ten instances, one in a thousand of which is cold.
fn row(planned: PlannedInvocation, function: &str, t0: Instant, rng: &mut impl Rng) -> (u64, Row) {
    let is_cold = rng.random_ratio(1, 1000);
    let sent = planned.due.as_duration() + Duration::from_micros(rng.random_range(10..60));
    let overhead = if is_cold { rng.random_range(300_000..900_000) } else { rng.random_range(150..2500) };
    let runs_us = u64::from(planned.runtime_us) + rng.random_range(0..80);
    let response = Duration::from_micros(runs_us + overhead);
    let outcome = Outcome {
        sent: Some(t0 + sent),
        response: Some(response),
        receive_lag: Some(Duration::from_micros(rng.random_range(2..30))),
        response_bytes: Some(62),
        runtime_us: Some(u32::try_from(runs_us).unwrap_or(u32::MAX)),
        memory_kib: Some(174_080 + rng.random_range(0..64)),
        instance: format!("{function}-00001-deployment-7d9f6b5c8-{:05x}", 0xa1_0c3 + 77 * rng.random_range(0..10)),
        cold_start: Some(is_cold),
        instance_started: Some(UnixMicros(1_700_000_000_000_000)),
        ..Outcome::bare(Status::Ok, "")
    };
    let ended = sent + response;
    let nanos = u64::try_from(ended.as_nanos()).unwrap_or(u64::MAX);
    (nanos, Row { planned, outcome, flight: Flight::Until(t0 + ended), worker: None })
}

/// What the workers have to hand over at a time, one after the other.
fn hand_over(workers: &mut [Worker], now: u64, out: &mut impl Write) -> anyhow::Result<()> {
    for (index, worker) in (0_u32..).zip(workers) {
        worker.encode(now)?;
        while let Some((_, batch)) = worker.kept.pop_front_if(|(at, _)| *at + worker.behind_nanos <= now) {
            out.write_all(&index.to_le_bytes())?;
            out.write_all(&u32::try_from(batch.encoded_len())?.to_le_bytes())?;
            out.write_all(&batch.encode_to_vec())?;
        }
    }
    Ok(())
}

impl Worker {
    fn new(simulation: &Simulation, index: u16, t0: Instant) -> Self {
        let behind_nanos = if index == 0 { u64::from(simulation.behind) * 1_000_000_000 } else { 0 };
        let encoder = BatchEncoder::new(t0);
        Self { recorded: Vec::new(), encoder, kept: VecDeque::new(), behind_nanos, dispatched: 0 }
    }

    fn open(&mut self, head: SlotHead, t0: Instant) {
        let memory = MemoryLevel { at: t0 + head.start.as_duration(), mib: 0 };
        self.dispatched = 0;
        self.recorded.push((head.start.as_nanos(), Event::Opened { head, memory }));
    }

    fn close(&mut self, head: SlotHead) {
        let outcome = SlotOutcome { slot: head.index, next_start: head.end(), ..SlotOutcome::default() };
        let dispatched = self.dispatched;
        let event = Event::Closed { head, dispatched, outcome, complete: true, memory_peak_mib: 170 };
        self.recorded.push((head.end().as_nanos(), event));
    }

    /// Encodes what was recorded until `now`, in order.
    fn encode(&mut self, now: u64) -> anyhow::Result<()> {
        self.recorded.sort_by_key(|(at, _)| *at);
        let count = self.recorded.partition_point(|(at, _)| *at < now);
        for (_, event) in self.recorded.drain(..count) {
            self.encoder.push(&event)?;
            if self.encoder.is_full() {
                self.kept.push_back((now, self.encoder.finish()?));
            }
        }
        if !self.encoder.is_empty() {
            self.kept.push_back((now, self.encoder.finish()?));
        }
        Ok(())
    }
}
