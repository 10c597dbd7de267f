//! Searches for the capacity of simulated servers: plan, tally, verdict and search as in a run, but no time passes.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::Instant;
use tonic::Code;

use super::tally::{SlotTally, WaitsFor};
use crate::{
    clock::Clock,
    id::FunctionIndex,
    invoke::{Outcome, Sending, Status},
    plan::{
        Invocation, InvocationId, Judging, Offset, PlannedInvocation, Slot, SlotHead, SlotOutcome, Target, Unit,
        testkit::{RpsFindings, plan, rps_findings},
    },
};

/// What a simulated server does with a request that arrives so long after the start of the load: how it ends, and when.
type Server = Box<dyn FnMut(Duration) -> Option<(Status, Duration)>>;

/// One that works on requests one after the other, 200 a second, with room for so many.
fn fifo(room: usize) -> Server {
    let (service, mut waiting) = (Duration::from_millis(5), VecDeque::<Duration>::new());
    Box::new(move |now| {
        while waiting.front().is_some_and(|&end| end <= now) {
            waiting.pop_front();
        }
        if waiting.len() >= room {
            return Some((Status::Grpc(Code::ResourceExhausted), now));
        }
        let end = waiting.back().copied().unwrap_or_default().max(now) + service;
        waiting.push_back(end);
        Some((Status::Ok, end))
    })
}

/// An invocation in flight: its tally, how it ends, and when.
type InFlight = (Arc<SlotTally>, PlannedInvocation, Outcome, Duration);

/// A load on a simulated server.
struct Load {
    t0: Instant,
    server: Server,
    /// How long after its due instant an invocation is sent.
    lag: Duration,
    judging: Judging,
    in_flight: Vec<InFlight>,
}

impl Load {
    /// Sends a slot, waits, and gives what it showed.
    fn carry_out(&mut self, slot: Slot) -> SlotOutcome {
        let Slot { index, phase, start, duration, rate, planned, measured, invocations } = slot;
        let head = SlotHead { index, phase, start, duration, rate, planned, measured };
        let tally = Arc::new(SlotTally::new(head, self.judging, self.t0));
        let inherited = self.in_flight.len() as u64;
        for invocation in invocations {
            self.send(head, &tally, invocation);
        }
        let end = head.end().as_duration();
        self.settle(end);
        let longest = end + self.judging.longest_wait().expect("it waits");
        let drained = self.in_flight.iter().map(|(.., end)| *end).max();
        let over = drained.map_or(end, |drained| drained.min(longest));
        self.settle(over);
        let next_start = Offset::default().plus(over);
        SlotOutcome {
            slot: index,
            shortfall: 0,
            next_start,
            evidence: Some(Box::new(tally.evidence(head.measured, inherited, WaitsFor::Streams))),
        }
    }

    fn send(&mut self, slot: SlotHead, tally: &Arc<SlotTally>, invocation: Invocation) {
        let Invocation { due, target, runtime_us, memory_mib, mark, clamped, place: _ } = invocation;
        let (Target::Function(function) | Target::Cold { otherwise: function }) = target;
        let id = InvocationId { of: Unit::Minute, unit: 0, number: 0 };
        let runtime_ms = runtime_us / 1000;
        let planned = PlannedInvocation {
            id,
            ordinal: None,
            slot,
            mark,
            function,
            due,
            runtime_us,
            runtime_ms,
            memory_mib,
            clamped,
        };
        assert_eq!(function, FunctionIndex(0));
        let sent = due.as_duration() + self.lag;
        let at = self.t0 + sent;
        tally.sent(&planned, &Sending { at, connect: None, stream_wait: None, stream_limit: None });
        let never = || (Status::FunctionTimeout, Duration::MAX);
        let (status, end) = (self.server)(sent).unwrap_or_else(never);
        let response = Some(end.saturating_sub(sent));
        let outcome = Outcome { sent: Some(at), response, ..Outcome::bare(status, "") };
        self.in_flight.push((Arc::clone(tally), planned, outcome, end));
    }

    /// Counts what has ended until then.
    fn settle(&mut self, now: Duration) {
        let t0 = self.t0;
        self.in_flight.retain(|(tally, planned, outcome, end)| {
            if *end <= now {
                tally.ended(planned, outcome, t0 + *end);
            }
            *end > now
        });
    }
}

/// What a search finds out about a server.
fn search(rps: &Value, seed: u64, arrivals: &str, lag: Duration, server: Server) -> RpsFindings {
    let mut plan = plan(&json!({"rps": rps, "seed": seed, "arrivals": arrivals}));
    let judging = plan.judging().expect("it judges");
    let mut load = Load { t0: Clock.now(), server, lag, judging, in_flight: Vec::new() };
    let (mut collector, mut previous) = (plan.collector(), None);
    while let Some(slot) = plan.next_slot(previous.as_ref()) {
        assert!(slot.index < 100, "the search ends");
        let outcome = load.carry_out(slot);
        collector.slot_closed(&outcome);
        previous = Some(outcome);
    }
    rps_findings(collector)
}

#[test]
fn the_capacity_of_a_queue_is_found_within_five_percent() {
    let searches =
        [json!({"start": 10, "slot": "60s", "search": "bisect"}), json!({"start": 170, "step": 5, "slot": "60s"})];
    for (rps, room) in searches.iter().flat_map(|rps| [(rps, usize::MAX), (rps, 50)]) {
        for (seed, arrivals) in (0..10).map(|seed| (seed, "poisson")).chain([(0, "equidistant")]) {
            let found = search(rps, seed, arrivals, Duration::ZERO, fifo(room));
            let (lower, upper) = (found.sustained_rate.expect("some"), found.unsustained_rate.expect("some"));
            let shown = format!("{lower} to {upper}, {rps}, {room}, {arrivals}, seed {seed}: {:#?}", found.slots);
            assert!((190.0..=210.0).contains(&lower) && (190.0..=220.0).contains(&upper), "{shown}");
            assert!(found.unknown.is_empty() && found.ended_at_overload, "{shown}");
        }
    }
}

#[test]
fn a_server_that_never_answers_sustains_no_rate() {
    for rps in [json!({"start": 5, "slot": "60s"}), json!({"start": 5, "slot": "60s", "search": "bisect"})] {
        let found = search(&rps, 1, "equidistant", Duration::ZERO, Box::new(|_| None));
        assert_eq!((found.sustained_rate, found.unsustained_rate), (None, Some(5.0)), "{found:?}");
        assert!(found.slots[0].reason.starts_with("100 % failed or were not answered in time; 0 of 240 "), "{found:?}");
        assert!(found.slots[1..].iter().all(|slot| slot.reason.starts_with("backlog: ")), "{found:?}");
    }
}

#[test]
fn a_loader_that_is_too_slow_knows_nothing() {
    let at_once: Server = Box::new(|now| Some((Status::Ok, now)));
    let found = search(&json!({"start": 5, "slot": "60s"}), 1, "equidistant", Duration::from_millis(11), at_once);
    assert_eq!((found.sustained_rate, found.unsustained_rate, found.slots.len()), (None, None, 3));
    assert_eq!(found.unknown, "slot 2: the loader sent 0 % in time");
}
