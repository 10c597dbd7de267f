use serde_json::json;

use super::super::testkit::{outcome, plan, slots};
use super::*;

#[test]
fn each_slot_has_its_cold_starts_evenly_spread() {
    let mode = json!({"start": 8, "step": 0, "coldStarts": [2, 8, 0], "functions": 5, "slot": "1s", "duration": "4s"});
    let mut plan = plan(&json!({ "coldstart": mode }));
    assert_eq!(plan.cold_pool(), 1..5);
    let slots = slots(&mut *plan, 10);
    let shown: Vec<String> = slots
        .iter()
        .map(|slot| {
            let cold = |target| matches!(target, Target::Cold { otherwise: HOT });
            slot.invocations.iter().map(|invocation| if cold(invocation.target) { 'x' } else { '.' }).collect()
        })
        .collect();
    // The list starts over in the fourth slot.
    assert_eq!(shown, [".x...x..", "xxxxxxxx", "........", ".x...x.."]);
    for invocation in slots.iter().flat_map(|slot| &slot.invocations) {
        assert_eq!(invocation.mark == Mark::Cold, matches!(invocation.target, Target::Cold { .. }));
    }
    let found = Findings::ColdStart { requested: 12, shortfall_by_slot: vec![0; 4], ended_at_overload: false };
    assert_eq!(plan.findings(), found);
}

#[test]
fn the_rate_rises_by_its_step() {
    let mode = json!({"start": 2, "step": 1.5, "coldStarts": [1], "slot": "2s", "duration": "6s"});
    let slots = slots(&mut *plan(&json!({ "coldstart": mode })), 10);
    assert_eq!(slots.iter().map(|slot| (slot.rate, slot.planned)).collect::<Vec<_>>(), [(2.0, 4), (3.5, 7), (5.0, 10)]);
}

#[test]
fn overload_ends_the_run_and_shortfall_is_kept_by_slot() {
    let mode = json!({"start": 2, "coldStarts": [1, 1, 1, 1], "functions": 2, "slot": "1s"});
    let mut plan = plan(&json!({ "coldstart": mode }));
    let mut previous = None;
    for (failed, shortfall) in [(0, 1), (31, 0), (31, 1)] {
        let slot = plan.next_slot(previous.as_ref()).expect("goes on");
        previous = Some(SlotOutcome { shortfall, ..outcome(slot.index, failed) });
    }
    assert!(plan.next_slot(previous.as_ref()).is_none());
    let found = Findings::ColdStart { requested: 3, shortfall_by_slot: vec![1, 0, 1], ended_at_overload: true };
    assert_eq!(plan.findings(), found);
}

#[test]
fn one_function_is_hot_and_the_others_are_cold() {
    let plan = plan(&json!({"coldstart": {"coldStarts": [1], "functions": 3}}));
    let functions: Vec<_> = plan.functions().iter().map(|function| (&*function.name, function.initial_scale)).collect();
    assert_eq!(functions, [("hot", 1), ("cold-0", 0), ("cold-1", 0)]);
}
