use std::time::Duration;

use futures_util::FutureExt as _;

use super::*;
use crate::{
    id::FunctionIndex,
    plan::{Mark, Phase, Target},
};

/// Time is where the last sleep ended; the run is stopped at `stop`.
struct FakeSleeper {
    now: Offset,
    stop: Option<Offset>,
}

impl Sleeper for FakeSleeper {
    async fn sleep_until(&mut self, due: Offset) -> bool {
        if self.stop.is_some_and(|stop| due >= stop) {
            return false;
        }
        self.now = self.now.max(due);
        true
    }
}

#[derive(Default)]
struct Log(Vec<String>);

impl Sink for Log {
    async fn open(&mut self, head: SlotHead) {
        self.0.push(format!("open {}", head.index));
    }

    async fn invoke(&mut self, id: InvocationId, slot: SlotHead, invocation: Invocation) {
        self.0.push(format!("{id} in {} at {}", slot.index, invocation.due.as_nanos() / 1_000_000));
    }

    async fn close(&mut self, head: SlotHead, complete: bool) {
        self.0.push(format!("close {} {complete}", head.index));
    }
}

fn at(millis: u64) -> Offset {
    Offset::from_nanos(millis * 1_000_000)
}

fn head(index: u32, start: u64) -> SlotHead {
    SlotHead {
        index,
        phase: Phase::Measure,
        start: at(start),
        duration: Duration::from_millis(1500),
        rate: 1.0,
        planned: 2,
        measured: 2,
    }
}

fn invoke(millis: u64) -> Item {
    Item::Invoke(Invocation {
        due: at(millis),
        target: Target::Function(FunctionIndex(0)),
        runtime_us: 0,
        memory_mib: 0,
        clamped: false,
        mark: Mark::None,
        place: None,
    })
}

fn schedule() -> Vec<Item> {
    vec![
        Item::Open(head(0, 0)),
        invoke(0),
        invoke(900),
        invoke(1000),
        Item::Close { slot: 0, end: at(1500) },
        Item::Open(head(1, 1500)),
        invoke(1500),
        invoke(2000),
        Item::Close { slot: 1, end: at(3000) },
    ]
}

struct Given(std::vec::IntoIter<Item>);

impl Schedule for Given {
    async fn next(&mut self) -> Option<Item> {
        self.0.next()
    }
}

fn run(stop: Option<u64>) -> Vec<String> {
    let mut log = Log::default();
    let mut sleeper = FakeSleeper { now: at(0), stop: stop.map(at) };
    // Nothing here waits for anything.
    pace(&mut Given(schedule().into_iter()), Unit::Second, &mut sleeper, &mut log).now_or_never().expect("has ended");
    log.0
}

#[test]
fn invocations_are_numbered_by_unit_across_slots() {
    assert_eq!(
        run(None),
        [
            "open 0",
            "sec0.inv0 in 0 at 0",
            "sec0.inv1 in 0 at 900",
            "sec1.inv0 in 0 at 1000",
            "close 0 true",
            "open 1",
            "sec1.inv1 in 1 at 1500",
            "sec2.inv0 in 1 at 2000",
            "close 1 true"
        ]
    );
}

#[test]
fn a_stopped_run_closes_its_open_slot_as_incomplete() {
    assert_eq!(run(Some(950)), ["open 0", "sec0.inv0 in 0 at 0", "sec0.inv1 in 0 at 900", "close 0 false"]);
}

#[test]
fn a_run_stopped_between_slots_closes_nothing_twice() {
    let log = run(Some(1500));
    assert_eq!(log.last().map(String::as_str), Some("close 0 false"));
    assert_eq!(log.iter().filter(|line| line.starts_with("close")).count(), 1);
}
