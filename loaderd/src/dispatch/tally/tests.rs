use tonic::Code;

use super::*;
use crate::{
    clock::Clock,
    id::FunctionIndex,
    plan::{InvocationId, Mark, Offset, Phase, Unit},
};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const JUDGING: Judging =
    Judging { warmup: ms(1000), verdict: ms(3000), drain: Some(ms(6000)), slo: Some(ms(500)), lag: ms(10) };

fn head() -> SlotHead {
    let start = Offset::default().plus(ms(10_000));
    SlotHead { index: 4, phase: Phase::Measure, start, duration: ms(7000), rate: 2.0, planned: 14, measured: 12 }
}

/// A tally, and the instant at which its slot begins.
struct Case {
    tally: SlotTally,
    begin: Instant,
}

impl Case {
    fn new() -> Self {
        let t0 = Clock.now();
        Self { tally: SlotTally::new(head(), JUDGING, t0), begin: t0 + ms(10_000) }
    }

    fn planned(&self, due: u64) -> PlannedInvocation {
        PlannedInvocation {
            id: InvocationId { of: Unit::Minute, unit: 0, number: 0 },
            ordinal: None,
            slot: head(),
            mark: if due < 1000 { Mark::StepWarmup } else { Mark::None },
            function: FunctionIndex(0),
            due: head().start.plus(ms(due)),
            runtime_us: 0,
            runtime_ms: 0,
            memory_mib: 1,
            clamped: false,
        }
    }

    /// Due, sent and ended so many milliseconds after the slot's begin.
    fn call(&self, due: u64, sent: u64, ended: Option<(Status, u64)>) {
        let (planned, at) = (self.planned(due), self.begin + ms(sent));
        self.tally.sent(&planned, &Sending { at, connect: None, stream_wait: None, stream_limit: None });
        if let Some((status, end)) = ended {
            let outcome = Outcome { sent: Some(at), response: Some(ms(end - sent)), ..Outcome::bare(status, "") };
            self.tally.ended(&planned, &outcome, self.begin + ms(end));
        }
    }

    fn unsent(&self, due: u64, outcome: Outcome) {
        self.tally.ended(&self.planned(due), &outcome, self.begin + ms(due));
    }
}

#[test]
fn each_invocation_has_its_time_and_the_warm_up_does_not_count() {
    let case = Case::new();
    case.call(0, 0, Some((Status::Ok, 100)));
    case.call(1000, 1005, Some((Status::Ok, 1500)));
    // Within the time for the verdict, from the send; not within the objective, from the due instant.
    case.call(1500, 1510, Some((Status::Ok, 4510)));
    case.call(2000, 2000, Some((Status::Ok, 5001)));
    case.call(2500, 2500, Some((Status::Grpc(Code::Internal), 2600)));
    case.call(3000, 3000, None);
    // The rest of the twelve is still to be sent.
    let found = case.tally.evidence(12, 3, WaitsFor::Streams);
    assert_eq!((found.slot, found.planned, found.in_time), (4, 12, 5));
    assert_eq!((found.succeeded, found.within_slo), (2, Some(1)));
    assert_eq!(found.late, Late { streams: 7, ..Late::default() });
    let Backlog { inherited, sent, answered, in_flight, every } = found.backlog;
    assert_eq!((inherited, sent, answered, every), (3, 5, 4, ms(100)));
    // At each half second from the end of the warm-up.
    let shown: Vec<_> = in_flight.iter().step_by(5).copied().collect();
    assert_eq!(shown, [0, 1, 1, 2, 2, 3, 3, 3, 2, 1, 1, 1, 1], "{in_flight:?}");
}

#[test]
fn who_was_late_is_counted_by_what_it_waited_for() {
    let case = Case::new();
    let sent = |lag: u64, connect: Option<u64>, stream: Option<u64>, stream_limit| {
        let planned = case.planned(2000);
        let at = case.begin + ms(2000 + lag);
        let sending = Sending { at, connect: connect.map(ms), stream_wait: stream.map(ms), stream_limit };
        case.tally.sent(&planned, &sending);
    };
    sent(10, None, Some(9), Some(7));
    sent(11, None, None, None);
    sent(100, Some(80), None, None);
    sent(100, Some(20), Some(70), Some(100));
    sent(100, Some(20), Some(20), Some(100));
    case.unsent(3000, Outcome::bare(Status::ConnectError, ""));
    case.unsent(3000, Outcome::bare(Status::NotSent, ""));
    let waited = Outcome { stream_wait: Some(ms(900)), stream_limit: Some(100), ..Outcome::bare(Status::NotSent, "") };
    case.unsent(3000, waited);
    case.tally.not_sent(&case.planned(3000));
    case.tally.not_sent(&case.planned(0));
    let found = case.tally.evidence(12, 0, WaitsFor::Connections);
    assert_eq!(found.in_time, 2);
    assert_eq!(found.late, Late { loader: 4, streams: 2, connections: 1 + 3, stream_limit: Some(100) });
}
