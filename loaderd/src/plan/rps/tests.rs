use std::time::Duration;

use loader_proto::v1::{self, RpsFindings};
use serde_json::{Value, json};

use super::{ramp::Ramp, spec::RpsSpec};
use crate::{
    plan::{
        Mark, Target,
        fixed::Size,
        testkit::{self, outcome, plan, slots},
    },
    spec::Check,
};

/// The rates of the slots when the shares that fail, in percent, are these; then nothing fails.
fn rates(mode: &Value, failed: &[u64]) -> (Vec<f64>, RpsFindings) {
    let (mut plan, mut failed) = (plan(&json!({ "rps": mode })), failed.iter());
    let outcome = |slot| outcome(slot, failed.next().copied().unwrap_or_default());
    let (slots, summary) = testkit::found(&mut *plan, 20, outcome);
    (slots.iter().map(|slot| slot.rate).collect(), summary.rps.expect("findings"))
}

fn found(held_rate: f64, overloaded_slots: u32, ended_at_overload: bool) -> RpsFindings {
    RpsFindings { held_rate, overloaded_slots, ended_at_overload }
}

#[test]
fn without_an_end_an_overloaded_slot_is_repeated_and_the_second_ends_the_run() {
    let mode = json!({"start": 10, "step": 10, "slot": "1s"});
    // Steps below a hundred are at most 5. Of a hundred, 30 may fail.
    assert_eq!(rates(&mode, &[0, 30, 31, 31]), (vec![10.0, 15.0, 20.0, 20.0], found(15.0, 2, true)));
    assert_eq!(rates(&mode, &[0, 31, 0, 31]), (vec![10.0, 15.0, 15.0, 20.0], found(15.0, 2, true)));
    // None was sustained.
    assert_eq!(rates(&mode, &[100, 100]), (vec![10.0, 10.0], found(0.0, 2, true)));
}

#[test]
fn with_an_end_the_run_goes_through_all_rates_whatever_fails() {
    let mode = json!({"start": 1, "end": 4, "slot": "1s"});
    assert_eq!(rates(&mode, &[0, 100, 100, 100]), (vec![1.0, 2.0, 3.0, 4.0], found(1.0, 3, false)));
    assert_eq!(rates(&mode, &[]), (vec![1.0, 2.0, 3.0, 4.0], found(4.0, 0, false)));
}

#[test]
fn steps_are_careful_below_a_hundred() {
    let (found, _) = rates(&json!({"start": 90, "end": 140, "step": 20, "slot": "1s"}), &[]);
    assert_eq!(found, [90.0, 95.0, 100.0, 120.0, 140.0]);
}

#[test]
fn the_first_fifth_of_a_slot_is_its_warm_up() {
    let slots = slots(&mut *plan(&json!({"rps": {"start": 10, "end": 11, "slot": "1s"}})), 10);
    for slot in &slots {
        for invocation in &slot.invocations {
            let early = invocation.due.as_nanos() < (slot.start_ms + 200) * 1_000_000;
            assert_eq!(invocation.mark == Mark::StepWarmup, early, "{invocation:?}");
        }
    }
    assert_eq!(slots.iter().map(|slot| (slot.planned, slot.measured)).collect::<Vec<_>>(), [(10, 8), (11, 8)]);
}

#[test]
fn cold_functions_are_called_at_most_once_in_their_cooldown() {
    let mode = json!({"start": 10, "end": 12, "step": 1, "slot": "3s", "coldStartRatio": 0.3, "cooldown": "4s"});
    let mut plan = plan(&json!({ "rps": mode }));
    let scales: Vec<_> =
        plan.functions().iter().map(|function| (function.name.clone(), function.initial_scale)).collect();
    // 12 a second, of which 3.6 are cold, for 4 s.
    assert_eq!(scales.len(), 1 + 15);
    assert_eq!(scales[..2], [("rps-0".to_owned(), 1), ("rps-cold-0".to_owned(), 0)]);
    let slots = slots(&mut *plan, 10);
    let mut last = std::collections::BTreeMap::new();
    let mut cold = vec![0; slots.len()];
    for slot in &slots {
        for invocation in &slot.invocations {
            let Target::Function(function) = invocation.target else { panic!("{invocation:?}") };
            if function.0 == 0 {
                continue;
            }
            cold[slot.index as usize] += 1;
            let due = invocation.due.as_nanos();
            if let Some(before) = last.insert(function, due) {
                assert!(due - before >= 4_000_000_000, "{function:?} again after {} ns", due - before);
            }
        }
    }
    // 0.3 of 30, 33 and 36.
    assert_eq!(cold, [9, 10, 11]);
}

#[test]
fn an_open_end_is_told() {
    let open = plan(&json!({"rps": {"start": 1, "slot": "1s"}})).outline();
    assert!(open.open_ended && open.slots.len() == 100);
    assert!(!plan(&json!({"rps": {"start": 1, "end": 3, "slot": "1s"}})).outline().open_ended);
}

#[test]
fn what_is_left_out_is_as_documented() {
    let mut check = Check::default();
    let spec = super::check(&mut check, &v1::RpsMode::default());
    let size = Size { runtime: Duration::from_secs(1), memory_mib: 170 };
    let ramp = Ramp { start: 1.0, end: None, step: 1.0 };
    let expected = RpsSpec { ramp, slot: Duration::from_mins(1), functions: 1, size, cold: None };
    assert_eq!(check.finish(spec), Ok(expected));
}
