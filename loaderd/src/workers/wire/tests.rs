//! What is written is read as it was, and what is wrong is refused.

use std::time::Duration;

use loader_proto::worker::{EventBatch, WireEvent, WireEvents, WireOpened, WireRow, WireSlot, wire_event};
use proptest::prelude::*;
use prost::Message as _;
use serde_json::json;
use tokio::time::Instant;
use tonic::Code;

use super::{slot::numbered, *};
use crate::{
    clock::{Clock, UnixMicros},
    endpoint::Endpoint,
    id::FunctionIndex,
    invoke::{Outcome, Status},
    plan::{
        Backlog, InvocationId, Late, Mark, Offset, Phase, Plan, PlannedInvocation, SlotEvidence, SlotHead, SlotOutcome,
        testkit::plan,
    },
    record::{Event, Flight, MemoryLevel, Row},
};

/// A plan with extra invocations: three functions, numbered by minutes.
fn burst() -> Box<dyn Plan> {
    plan(&json!({"burst": {"targetRps": 3, "burst": 7}}))
}

fn head(index: u32) -> SlotHead {
    let start = Offset::from_nanos(u64::from(index) * 2_000_000_000);
    SlotHead {
        index,
        phase: Phase::Measure,
        start,
        duration: Duration::from_secs(2),
        rate: 2.5,
        planned: 5,
        measured: 4,
    }
}

fn opened(index: u32, t0: Instant) -> Event {
    Event::Opened { head: head(index), memory: MemoryLevel { at: t0 + head(index).start.as_duration(), mib: 3 } }
}

fn statuses() -> impl Strategy<Value = Status> {
    let plain = vec![
        Status::Ok,
        Status::ConnectTimeout,
        Status::ConnectError,
        Status::FunctionTimeout,
        Status::MemoryAllocationFailed,
        Status::Cancelled,
        Status::Unfinished,
        Status::NotSent,
    ];
    prop_oneof![
        prop::sample::select(plain),
        (0..=16).prop_map(|code| Status::Grpc(Code::from_i32(code))),
        any::<u16>().prop_map(Status::Http),
    ]
}

fn durations() -> impl Strategy<Value = Option<Duration>> {
    prop::option::of((0_u64..1 << 50).prop_map(Duration::from_nanos))
}

prop_compose! {
    fn outcomes(t0: Instant)(
        status in statuses(),
        error in ".{0,20}",
        [sent, connect, stream_wait, response, receive_lag] in [durations(), durations(), durations(), durations(), durations()],
        stream_limit: Option<u32>,
        response_bytes: Option<u64>,
        runtime_us: Option<u32>,
        exact_runtime: Option<bool>,
        memory_kib: Option<u32>,
        instance in ".{0,8}",
        (cold_start, started) in any::<(Option<bool>, Option<i64>)>(),
    ) -> Outcome {
        Outcome {
            status,
            error,
            sent: sent.map(|sent| t0 + sent),
            connect,
            stream_wait,
            stream_limit,
            response,
            receive_lag,
            response_bytes,
            runtime_us,
            exact_runtime,
            memory_kib,
            instance,
            cold_start,
            instance_started: started.map(UnixMicros),
        }
    }
}

prop_compose! {
    fn rows(t0: Instant)(
        outcome in outcomes(t0),
        mark in prop::sample::select(vec![
            Mark::None, Mark::StepWarmup, Mark::Cold, Mark::Extra("burst"), Mark::Extra("victim"),
        ]),
        (ordinal, number, function) in (any::<u64>(), any::<u64>(), 0_u32..3),
        due in 0_u64..1 << 50,
        (runtime_us, runtime_ms, memory_mib, clamped) in any::<(u32, u32, u32, bool)>(),
        flight in prop_oneof![
            Just(Flight::Never),
            Just(Flight::OverMemory),
            (0_u64..1 << 50).prop_map(move |at| Flight::Until(t0 + Duration::from_nanos(at))),
        ],
    ) -> Row {
        let due = Offset::from_nanos(due);
        let planned = PlannedInvocation {
            id: InvocationId::due(burst().unit(), due, number),
            ordinal: Some(ordinal),
            slot: numbered(0),
            mark,
            function: FunctionIndex(function),
            due,
            runtime_us,
            runtime_ms,
            memory_mib,
            clamped,
        };
        Row { planned, outcome, flight, worker: None }
    }
}

prop_compose! {
    fn slot_outcomes()(
        counts: [u64; 9],
        (stream_limit, within_slo, judged) in any::<(Option<u32>, Option<u64>, bool)>(),
        in_flight in prop::collection::vec(any::<u64>(), 0..62),
        (next, every) in (0_u64..1 << 50, 0_u64..1 << 50),
    ) -> SlotOutcome {
        let [shortfall, planned, in_time, loader, streams, connections, succeeded, sent, answered] = counts;
        let evidence = SlotEvidence {
            slot: 3,
            rate: 0.1,
            planned,
            in_time,
            late: Late { loader, streams, connections, stream_limit },
            succeeded,
            within_slo,
            backlog: Backlog { inherited: shortfall, sent, answered, in_flight, every: Duration::from_nanos(every) },
        };
        let evidence = judged.then(|| Box::new(evidence));
        SlotOutcome { slot: 4, shortfall, next_start: Offset::from_nanos(next), evidence }
    }
}

/// What the coordinator gets of these events.
fn sent(events: &[Event], t0: Instant) -> Result<Vec<Event>, WireError> {
    let mut encoder = BatchEncoder::new(t0);
    events.iter().try_for_each(|event| encoder.push(event))?;
    Decoder::new(&*burst()).decode(&encoder.finish()?, t0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn events_arrive_as_they_were_sent(
        (t0, rows, outcome, dispatched, complete) in Just(Clock.now()).prop_flat_map(|t0| (
            Just(t0), prop::collection::vec(rows(t0), 0..20), slot_outcomes(), any::<u64>(), any::<bool>(),
        )),
    ) {
        let closed = Event::Closed { head: numbered(0), dispatched, outcome, complete, memory_peak_mib: 9 };
        let rows = rows.into_iter().map(|row| Event::Row(Box::new(row)));
        let events: Vec<_> = std::iter::once(opened(0, t0)).chain(rows).chain([closed]).collect();
        let found = sent(&events, t0).unwrap();
        prop_assert_eq!(format!("{found:?}"), format!("{events:?}"));
    }

    #[test]
    fn outcomes_arrive_as_they_were_sent(made in slot_outcomes()) {
        prop_assert_eq!(outcome(from_outcome(&made)).unwrap(), made);
    }

    #[test]
    fn bytes_of_any_kind_give_events_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200), length: u32) {
        let (decoder, t0) = (Decoder::new(&*burst()), Clock.now());
        let _refused = decoder.decode(&EventBatch { number: 0, events: bytes.clone(), length }, t0);
        let packed = zstd::bulk::compress(&bytes, 1).unwrap();
        let _refused = decoder.decode(&EventBatch { number: 0, events: packed, length: 200 }, t0);
    }
}

#[test]
fn a_status_is_known_by_its_name() {
    for name in ["http_1x", "http_", "http_70000", "http_0200", "grpc_ok", "", "OK"] {
        assert_eq!(Status::named(name), None, "{name}");
    }
    assert_eq!(Status::named("http_503"), Some(Status::Http(503)));
    assert_eq!(Mark::named("burst", &[]), None, "of another mode");
}

/// A batch of these messages.
fn batch(events: Vec<wire_event::Event>) -> EventBatch {
    let events = events.into_iter().map(|event| WireEvent { event: Some(event) }).collect();
    let encoded = WireEvents { events }.encode_to_vec();
    let length = u32::try_from(encoded.len()).unwrap();
    EventBatch { number: 0, events: zstd::bulk::compress(&encoded, 1).unwrap(), length }
}

fn begun(index: u32) -> wire_event::Event {
    let slot = WireSlot { index, ..WireSlot::default() };
    wire_event::Event::Opened(WireOpened { slot: Some(slot), ..WireOpened::default() })
}

#[test]
fn what_is_no_event_of_the_plan_is_refused() {
    let row = || WireRow { status: "ok".to_owned(), ..WireRow::default() };
    let with = |row| batch(vec![begun(0), wire_event::Event::Row(row)]);
    let refused = |batch: &EventBatch| {
        Decoder::new(&*burst()).decode(batch, Clock.now()).err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(refused(&with(row())), "");
    for (batch, expected) in [
        (batch(vec![wire_event::Event::Opened(WireOpened::default())]), "the slot that begins is missing"),
        (with(WireRow { function: 3, ..row() }), "there is no function \"3\""),
        (with(WireRow { status: "fine".to_owned(), ..row() }), "there is no status \"fine\""),
        (with(WireRow { mark: "tick".to_owned(), ..row() }), "there is no mark \"tick\""),
        (
            with(WireRow { due_offset_ns: u64::MAX, ..row() }),
            "nanoseconds: 18446744073709551615; at most 63115200000000000",
        ),
        (batch((0..=4096).map(begun).collect()), "events of a batch: 4097; at most 4096"),
        (EventBatch { length: 5 << 20, ..EventBatch::default() }, "bytes of a batch: 5242880; at most 4194304"),
    ] {
        assert_eq!(refused(&batch), expected);
    }
    let longer = EventBatch { length: 3, ..with(row()) };
    assert!(refused(&longer).starts_with("a batch of events cannot be decompressed: "), "{}", refused(&longer));
}

#[test]
fn a_batch_is_full_by_its_events_and_numbers_follow_each_other() {
    let t0 = Clock.now();
    let mut encoder = BatchEncoder::new(t0);
    encoder.push(&Event::Tick).unwrap();
    assert!(encoder.is_empty());
    let mut count = 0;
    while !encoder.is_full() {
        encoder.push(&opened(count, t0)).unwrap();
        count += 1;
    }
    assert_eq!(count as usize, MOST_EVENTS);
    assert_eq!(encoder.finish().unwrap().number, 0);
    encoder.push(&opened(0, t0)).unwrap();
    assert_eq!(encoder.finish().unwrap().number, 1);
}

#[test]
fn a_row_needs_its_place_in_the_plan() {
    let planned = crate::plan::testkit::planned(0, FunctionIndex(0), Mark::None);
    let row = Row { planned, outcome: Outcome::bare(Status::Ok, ""), flight: Flight::Never, worker: None };
    let error = sent(&[Event::Row(Box::new(row))], Clock.now()).unwrap_err();
    assert_eq!(error.to_string(), "an invocation has no place in a plan that is shared");
}

#[test]
fn functions_are_called_as_the_coordinator_says() {
    let deployed = Endpoint::plain("10.0.0.1:80", "f.example");
    assert_eq!(endpoint(&function("f", Some(&deployed)), None), Some(deployed));
    assert_eq!(endpoint(&function("f", None), None), None);
}
