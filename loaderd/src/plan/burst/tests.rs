use std::time::Duration;

use loader_proto::v1;
use serde_json::json;

use super::{
    roles::{BURST, BURSTY, STEADY, VICTIM, VICTIM_MARK},
    spec::BurstSpec,
};
use crate::{
    id::FunctionIndex,
    plan::{
        Mark, Observed, Target,
        fixed::Size,
        testkit::{plan, planned, slots},
    },
    spec::Check,
};

#[test]
fn the_burst_stands_in_the_middle_of_the_hold_and_the_victim_in_its_middle() {
    let value = json!({"burst": {"targetRps": 2, "burst": 10, "hold": "5s", "stepDuration": "1s"}});
    let slots = slots(&mut *plan(&value), 10);
    assert_eq!(
        slots.iter().map(|slot| (slot.rate, slot.duration_ms)).collect::<Vec<_>>(),
        [(1.0, 1000), (2.0, 1000), (2.0, 5000)]
    );
    let marked = |mark| {
        let marked = slots.iter().flat_map(|slot| &slot.invocations).filter(move |invocation| invocation.mark == mark);
        marked.map(|it| (it.due.as_nanos() / 1_000_000, it.target)).collect::<Vec<_>>()
    };
    // The hold is from 2 s to 7 s, so the burst from 4 s to 5 s.
    let burst: Vec<_> = (0..10).map(|i| (4000 + i * 100, Target::Function(BURSTY))).collect();
    assert_eq!(marked(BURST), burst);
    assert_eq!(marked(VICTIM_MARK), [(4500, Target::Function(VICTIM))]);
    let seconds = Duration::from_secs;
    let size = Size { runtime: seconds(1), memory_mib: 170 };
    let burst = BurstSpec { target_rps: 2, burst: 10, hold: seconds(5), step_duration: seconds(1), size };
    assert_eq!(burst.burst_window(), (seconds(2), seconds(4), seconds(5)));
}

#[test]
fn the_burst_is_expected_at_once() {
    for (runtime, bursty) in [("2s", 10.0 + 2.0), ("0.5s", 5.0 + 0.5)] {
        let value =
            json!({"burst": {"targetRps": 2, "burst": 10, "hold": "5s", "stepDuration": "1s", "runtime": runtime}});
        let plan = plan(&value);
        let outline = plan.outline();
        let of = |slot| plan.slot_concurrency(slot, &outline).expect("it knows");
        assert!(of(1)[2] < 1e-9, "{:?}", of(1));
        // Steady and bursty have 1 a second each in the hold, and the burst comes within a second.
        assert_eq!(of(2)[1..], [bursty, 1.0], "{runtime}");
        assert_eq!(plan.slot_concurrency(3, &outline), None);
    }
}

#[test]
fn steady_and_bursty_take_turns_across_slots() {
    let slots = slots(&mut *plan(&json!({"burst": {"targetRps": 3, "hold": "3s", "stepDuration": "1s"}})), 10);
    let plain = slots.iter().flat_map(|slot| &slot.invocations).filter(|invocation| invocation.mark == Mark::None);
    for (index, invocation) in plain.enumerate() {
        assert_eq!(invocation.target, Target::Function(FunctionIndex(u32::from(index % 2 == 1))), "{index}");
    }
}

#[test]
fn functions_have_their_initial_scales_and_counts() {
    let plan =
        plan(&json!({"burst": {"targetRps": 2, "burst": 10, "hold": "4s", "stepDuration": "1s", "memoryMib": 7}}));
    let functions = plan.functions().iter();
    let functions: Vec<_> = functions.map(|f| (&*f.name, f.initial_scale, f.invocations, f.peak_memory_mib)).collect();
    assert_eq!(functions, [("steady", 1, Some(6), 7), ("bursty", 1, Some(15), 7), ("victim", 0, Some(1), 7)]);
}

#[test]
fn what_is_left_out_is_as_documented() {
    let mut check = Check::default();
    let spec = super::check(&mut check, &v1::BurstMode::default());
    let (minute, size) = (Duration::from_mins(1), Size { runtime: Duration::from_secs(1), memory_mib: 170 });
    let expected = BurstSpec { target_rps: 8, burst: 10, hold: 4 * minute, step_duration: minute, size };
    assert_eq!(check.finish(spec), Ok(expected));
}

#[test]
fn response_times_are_sorted_by_function_and_by_when_they_were_due() {
    let plan = plan(&json!({"burst": {"targetRps": 2, "burst": 10, "hold": "5s", "stepDuration": "1s"}}));
    let mut collector = plan.collector();
    // The hold begins at 2 s; the burst goes from 4 s to 5 s, and is felt until 6 s.
    for (due_ms, function, mark, response_ms) in [
        (1999, STEADY, Mark::None, 1),
        (2000, STEADY, Mark::None, 2),
        (3999, BURSTY, Mark::None, 3),
        (4000, STEADY, Mark::None, 4),
        (4000, BURSTY, BURST, 5),
        (4500, VICTIM, VICTIM_MARK, 6),
        (4500, BURSTY, Mark::None, 7),
        (5999, STEADY, Mark::None, 8),
        (6000, STEADY, Mark::None, 9),
    ] {
        let planned = planned(due_ms, function, mark);
        let row = Observed {
            planned: &planned,
            succeeded: true,
            lag: Some(Duration::ZERO),
            response: Some(Duration::from_millis(response_ms)),
            cold_start: Some(function == VICTIM),
        };
        collector.observe(&row);
        collector.observe(&Observed { succeeded: false, ..row });
    }
    let mut summary = v1::RunSummary::default();
    collector.finish().expect("findings").fill(&mut summary);
    let found = summary.burst.expect("of the mode");
    let of = |distribution: Option<v1::Distribution>| distribution.map(|it| (it.count, it.max));
    assert_eq!(of(found.steady_before_us), Some((1, Some(2000))));
    assert_eq!(of(found.steady_during_us), Some((2, Some(8000))));
    assert_eq!(of(found.bursty_before_us), Some((1, Some(3000))));
    assert_eq!(of(found.burst_us), Some((1, Some(5000))));
    assert_eq!((found.victim_us, found.victim_cold), (Some(6000), Some(true)));
}
