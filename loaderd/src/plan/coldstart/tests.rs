use std::time::Duration;

use loader_proto::v1::{self, ColdStartFindings};
use serde_json::json;

use super::{plan::HOT, spec::ColdStartSpec};
use crate::{
    id::FunctionIndex,
    plan::{
        ColdPool, Mark, Observed, SlotOutcome, Target,
        fixed::Size,
        testkit::{found, outcome, plan, planned, slots},
    },
    spec::Check,
};

#[test]
fn each_slot_has_its_cold_starts_evenly_spread() {
    let mode = json!({"start": 8, "step": 0, "coldStarts": [2, 8, 0], "functions": 5, "slot": "1s", "duration": "4s"});
    let mut plan = plan(&json!({ "coldstart": mode }));
    assert_eq!(plan.cold_pool(), ColdPool::all(1..5));
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
}

#[test]
fn only_so_many_functions_as_start_cold_are_expected_in_a_slot() {
    let mode = json!({"start": 8, "step": 0, "coldStarts": [2, 8, 0], "functions": 5, "slot": "1s", "duration": "4s",
                      "runtime": "0.5s"});
    let plan = plan(&json!({ "coldstart": mode }));
    let outline = plan.outline();
    let of = |slot| plan.slot_concurrency(slot, &outline).expect("it knows");
    assert_eq!(of(0), [3.0, 0.5, 0.5, 0.0, 0.0]);
    assert_eq!(of(1), [0.0, 1.0, 1.0, 1.0, 1.0]);
    assert_eq!(of(2), [4.0, 0.0, 0.0, 0.0, 0.0]);
    // Two and eight were taken: the next are the third and the fourth.
    assert_eq!(of(3), [3.0, 0.0, 0.0, 0.5, 0.5]);
}

#[test]
fn cold_starts_are_asked_for_slot_by_slot() {
    let mode = json!({"start": 8, "step": 0, "coldStarts": [2, 8, 0], "functions": 5, "slot": "1s", "duration": "4s"});
    let (_, summary) = found(&mut *plan(&json!({ "coldstart": mode })), 10, |slot| outcome(slot, 0));
    let expected = ColdStartFindings { requested: 12, shortfall_by_slot: vec![0; 4], ..ColdStartFindings::default() };
    assert_eq!(summary.coldstart, Some(expected));
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
    let outcomes = [(0, 1), (31, 0), (31, 1)];
    // A slot is judged with the outcome of the next one, or here at once.
    let (slots, summary) = found(&mut *plan(&json!({ "coldstart": mode })), 10, |slot| {
        let (failed, shortfall) = outcomes[slot as usize];
        SlotOutcome { shortfall, ..outcome(slot, failed) }
    });
    assert_eq!(slots.len(), 3);
    let expected = ColdStartFindings {
        requested: 3,
        achieved: 0,
        shortfall: 2,
        shortfall_by_slot: vec![1, 0, 1],
        ended_at_overload: true,
    };
    assert_eq!(summary.coldstart, Some(expected));
}

#[test]
fn one_function_is_hot_and_the_others_are_cold() {
    let plan = plan(&json!({"coldstart": {"coldStarts": [1], "functions": 3}}));
    let functions: Vec<_> = plan.functions().iter().map(|function| (&*function.name, function.initial_scale)).collect();
    assert_eq!(functions, [("hot", 1), ("cold-0", 0), ("cold-1", 0)]);
}

#[test]
fn what_is_left_out_is_as_documented() {
    let mut check = Check::default();
    let message = v1::ColdStartMode { cold_starts: vec![5, 1], ..v1::ColdStartMode::default() };
    let spec = super::check(&mut check, &message);
    let (slot, size) = (Duration::from_mins(1), Size { runtime: Duration::from_secs(1), memory_mib: 170 });
    let expected =
        ColdStartSpec { start: 1.0, step: 0.0, cold_starts: vec![5, 1], functions: 200, slot, slots: 2, size };
    assert_eq!(check.finish(spec), Ok(expected));
}

#[test]
fn cold_starts_are_achieved_by_what_was_sent_to_a_function_at_zero() {
    let mut collector = plan(&json!({"coldstart": {"coldStarts": [3]}})).collector();
    let second = FunctionIndex(1);
    let sent = Some(Duration::ZERO);
    for (function, mark, lag) in [(second, Mark::Cold, sent), (second, Mark::Cold, None), (HOT, Mark::None, sent)] {
        let planned = planned(0, function, mark);
        collector.observe(&Observed { planned: &planned, succeeded: false, lag, response: None, cold_start: None });
    }
    let mut summary = v1::RunSummary::default();
    collector.finish().expect("findings").fill(&mut summary);
    assert_eq!(summary.coldstart.map(|it| it.achieved), Some(1));
}
