use serde_json::json;

use super::super::testkit::{plan, slots, spec};
use super::*;
use crate::spec::Mode;

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
    assert_eq!(marked(Mark::Burst), burst);
    assert_eq!(marked(Mark::Victim), [(4500, Target::Function(VICTIM))]);
    let Mode::Burst(burst) = spec(&value).mode else { panic!("another mode") };
    let seconds = |seconds| Duration::from_secs(seconds);
    assert_eq!(burst.burst_window(), (seconds(2), seconds(4), seconds(5)));
}

#[test]
fn steady_and_bursty_take_turns_across_slots() {
    let slots = slots(&mut *plan(&json!({"burst": {"targetRps": 3, "hold": "3s", "stepDuration": "1s"}})), 10);
    let plain = slots.iter().flat_map(|slot| &slot.invocations).filter(|invocation| invocation.mark == Mark::None);
    for (place, invocation) in plain.enumerate() {
        assert_eq!(invocation.target, Target::Function(FunctionIndex(u32::from(place % 2 == 1))), "{place}");
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
