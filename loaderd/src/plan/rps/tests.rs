use std::time::Duration;

use loader_proto::v1::{self, RpsFindings};
use serde_json::{Value, json};

use super::{
    ramp::Ramp,
    spec::{Patience, RpsSpec, SearchKind},
};
use crate::{
    id::FunctionIndex,
    plan::{
        Late, Mark, Offset, SlotEvidence, SlotOutcome, Target,
        fixed::Size,
        testkit::{self, evidence, outcome, plan, slots},
    },
    spec::Check,
};

/// The rates of the slots, and the findings, when what the slots show is this.
fn searched(mode: &Value, mut shown: impl FnMut(u32) -> SlotEvidence) -> (Vec<f64>, RpsFindings) {
    let mut plan = plan(&json!({ "rps": mode }));
    let (slots, summary) = testkit::found(&mut *plan, 100, |slot| SlotOutcome {
        slot,
        evidence: Some(Box::new(shown(slot))),
        ..SlotOutcome::default()
    });
    (slots.iter().map(|slot| slot.rate).collect(), summary.rps.expect("findings"))
}

/// The same when the shares that fail, in percent, are these; then nothing fails.
fn rates(mode: &Value, failed: &[u64]) -> (Vec<f64>, RpsFindings) {
    searched(mode, |slot| evidence(slot, failed.get(slot as usize).copied().unwrap_or_default()))
}

/// The rates of the slots, and the findings, where every rate up to `capacity` is sustained, and no other.
fn up_to(capacity: f64, mode: &Value) -> (Vec<f64>, RpsFindings) {
    let mut plan = plan(&json!({ "rps": mode }));
    let (mut rates, mut collector, mut previous) = (Vec::new(), plan.collector(), None);
    while let Some(slot) = plan.next_slot(previous.as_ref()) {
        rates.push(slot.rate);
        let outcome = outcome(slot.index, if slot.rate > capacity { 50 } else { 0 });
        collector.slot_closed(&outcome);
        previous = Some(outcome);
        assert!(rates.len() < 100, "the search ends: {rates:?}");
    }
    let mut summary = v1::RunSummary::default();
    collector.finish().expect("findings").fill(&mut summary);
    (rates, summary.rps.expect("findings"))
}

/// The interval: both rates, each with its slots that sustained it and that judged it.
fn interval(findings: &RpsFindings) -> [Option<(f64, u32, u32)>; 2] {
    let RpsFindings { sustained_rate, sustained_passed, sustained_tried, .. } = findings;
    let RpsFindings { unsustained_rate, unsustained_passed, unsustained_tried, .. } = findings;
    [
        sustained_rate.map(|rate| (rate, *sustained_passed, *sustained_tried)),
        unsustained_rate.map(|rate| (rate, *unsustained_passed, *unsustained_tried)),
    ]
}

#[test]
fn without_an_end_an_overloaded_slot_is_repeated_and_the_second_ends_the_run() {
    let mode = json!({"start": 10, "step": 10, "slot": "1s"});
    // Steps below a hundred are at most 5. Of a hundred, 1 may fail.
    let (tried, found) = rates(&mode, &[0, 1, 2, 2]);
    assert_eq!(tried, [10.0, 15.0, 20.0, 20.0]);
    assert_eq!(interval(&found), [Some((15.0, 1, 1)), Some((20.0, 0, 2))]);
    assert!(found.ended_at_overload && !found.at_least && found.overloaded_slots == 2, "{found:?}");
    let (tried, found) = rates(&mode, &[0, 2, 0, 2]);
    assert_eq!(tried, [10.0, 15.0, 15.0, 20.0]);
    assert_eq!(interval(&found), [Some((15.0, 1, 2)), Some((20.0, 0, 1))]);
    let (tried, found) = rates(&mode, &[100, 100]);
    assert_eq!(tried, [10.0, 10.0]);
    assert_eq!(interval(&found), [None, Some((10.0, 0, 2))]);
    assert_eq!(found.unknown, "");
}

#[test]
fn with_an_end_the_run_goes_through_all_rates_whatever_fails() {
    let mode = json!({"start": 1, "end": 4, "slot": "1s"});
    let (tried, found) = rates(&mode, &[0, 100, 100, 100]);
    assert_eq!(tried, [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(interval(&found), [Some((1.0, 1, 1)), Some((2.0, 0, 1))]);
    assert!(!found.ended_at_overload && found.overloaded_slots == 3, "{found:?}");
    let (tried, found) = rates(&mode, &[]);
    assert_eq!(tried, [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(interval(&found), [Some((4.0, 1, 1)), None]);
    assert!(found.at_least);
}

#[test]
fn steps_are_careful_below_a_hundred() {
    let (found, _) = rates(&json!({"start": 90, "end": 140, "step": 20, "slot": "1s"}), &[]);
    assert_eq!(found, [90.0, 95.0, 100.0, 120.0, 140.0]);
}

/// A slot of which the loader sent half.
fn half_sent(slot: u32) -> SlotEvidence {
    SlotEvidence { in_time: 50, late: Late { loader: 50, ..Late::default() }, ..evidence(slot, 50) }
}

#[test]
fn slots_that_say_nothing_are_repeated_twice() {
    for search in ["linear", "bisect"] {
        let mode = json!({"start": 10, "slot": "1s", "search": search});
        let (tried, found) = searched(&mode, |slot| if slot == 0 { evidence(0, 0) } else { half_sent(slot) });
        let next = if search == "linear" { 11.0 } else { 20.0 };
        assert_eq!(tried, [10.0, next, next, next]);
        assert_eq!(found.unknown, "slot 3: the loader sent 50 % in time");
        assert_eq!(interval(&found), [Some((10.0, 1, 1)), None]);
        assert!(!found.ended_at_overload);
        let verdicts: Vec<_> = found.slots.iter().map(|slot| &*slot.verdict).collect();
        assert_eq!(verdicts, ["sustained", "unknown", "unknown", "unknown"]);
    }
    // One that says something in between begins the count anew.
    let mode = json!({"start": 10, "slot": "1s"});
    let (tried, _) = searched(&mode, |slot| if slot % 3 == 2 { evidence(slot, 100) } else { half_sent(slot) });
    assert_eq!(tried, [10.0; 6]);
    // With an end all rates are gone through.
    let (tried, found) = searched(&json!({"start": 1, "end": 5, "slot": "1s"}), half_sent);
    assert_eq!(tried, [1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(found.unknown, "slot 4: the loader sent 50 % in time");
    assert_eq!(interval(&found), [None, None]);
}

#[test]
fn a_slot_in_which_nothing_was_due_is_passed() {
    let nothing = |slot| SlotEvidence { slot, ..SlotEvidence::default() };
    for (search, expected) in [("linear", [1.0, 2.0, 2.0, 2.0]), ("bisect", [1.0, 2.0, 2.0, 2.0])] {
        let mode = json!({"start": 1, "slot": "1s", "search": search, "slotDrain": "0s"});
        let (tried, found) = searched(&mode, |slot| if slot == 0 { nothing(0) } else { evidence(slot, 100) });
        assert_eq!(tried, expected[..tried.len()], "{search}");
        assert_eq!(interval(&found)[0], None);
    }
}

#[test]
fn bisection_doubles_halves_and_tries_its_edges() {
    let mode = json!({"start": 10, "slot": "10s", "search": "bisect"});
    let (tried, found) = up_to(100.0, &mode);
    let expected = [10.0, 20.0, 40.0, 80.0, 160.0, 120.0, 100.0, 110.0, 105.0, 100.0, 100.0, 105.0, 105.0];
    assert_eq!(tried, expected);
    assert_eq!(interval(&found), [Some((100.0, 3, 3)), Some((105.0, 0, 3))]);
    assert!(found.ended_at_overload && !found.at_least && found.unknown.is_empty());
    // The narrower, the more slots.
    let (_, found) = up_to(101.0, &json!({"start": 10, "slot": "100s", "search": "bisect", "precision": 0.001}));
    let [Some((lower, ..)), Some((upper, ..))] = interval(&found) else { panic!("{found:?}") };
    assert!(lower <= 101.0 && upper > 101.0 && upper - lower <= 0.001 * upper, "{lower} to {upper}");
}

#[test]
fn bisection_says_at_least_or_none() {
    let (tried, found) = up_to(1e9, &json!({"start": 10, "end": 70, "slot": "1s", "search": "bisect"}));
    assert_eq!(tried, [10.0, 20.0, 40.0, 70.0, 70.0, 70.0]);
    assert_eq!(interval(&found), [Some((70.0, 3, 3)), None]);
    assert!(found.at_least && !found.ended_at_overload);
    let (tried, found) = up_to(5.0, &json!({"start": 10, "slot": "1s", "search": "bisect"}));
    assert_eq!(tried, [10.0; 3]);
    assert_eq!(interval(&found), [None, Some((10.0, 0, 3))]);
    assert!(!found.at_least && found.ended_at_overload);
}

#[test]
fn bisection_stops_where_rates_are_the_same() {
    // Two and three invocations in a slot, and nothing between.
    let (tried, found) = up_to(2.0, &json!({"start": 2, "slot": "1s", "search": "bisect"}));
    assert_eq!(tried, [2.0, 4.0, 3.0, 2.0, 2.0, 3.0, 3.0]);
    assert_eq!(interval(&found), [Some((2.0, 3, 3)), Some((3.0, 0, 3))]);
}

#[test]
fn an_edge_that_is_refuted_moves() {
    // 20 passes once, and then no more.
    let mode = json!({"start": 10, "end": 20, "slot": "1s", "search": "bisect", "precision": 1});
    let (tried, found) = rates(&mode, &[0, 0, 100, 100]);
    assert_eq!(tried, [10.0, 20.0, 20.0, 20.0, 10.0, 10.0]);
    assert_eq!(interval(&found), [Some((10.0, 3, 3)), Some((20.0, 1, 3))]);
}

#[test]
fn slots_begin_when_the_one_before_has_drained() {
    let mut plan = plan(&json!({"rps": {"start": 1, "end": 3, "slot": "1s"}}));
    let mut start = |next_start: Option<u64>| {
        let next_start = next_start.map(|millis| Offset::from_nanos(millis * 1_000_000));
        let outcome = next_start.map(|next_start| SlotOutcome { next_start, ..outcome(0, 0) });
        plan.next_slot(outcome.as_ref()).map(|slot| slot.start.as_nanos() / 1_000_000)
    };
    assert_eq!([start(None), start(Some(1000)), start(Some(2345))], [Some(0), Some(1000), Some(2345)]);
}

#[test]
fn each_functions_arrivals_follow_the_process() {
    let coefficient = |arrivals: &str| {
        let rps = json!({"start": 1000, "end": 1000, "slot": "10s", "functions": 10});
        let slots = slots(&mut *plan(&json!({"rps": rps, "arrivals": arrivals})), 1);
        let of_first = slots[0].invocations.iter().filter(|it| it.target == Target::Function(FunctionIndex(0)));
        let due: Vec<f64> = of_first.map(|it| it.due.as_nanos() as f64).collect();
        let gaps: Vec<f64> = due.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        variance.sqrt() / mean
    };
    // Of a thousand exponential gaps it is 1, with a standard error of 0.03; evenly spaced ones stay so.
    assert!((coefficient("poisson") - 1.0).abs() < 0.15, "{}", coefficient("poisson"));
    assert!(coefficient("equidistant") < 1e-6);
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
fn an_open_end_is_reported() {
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
    let slot = Duration::from_mins(1);
    let patience = Patience { drain: slot, verdict: slot };
    let expected = RpsSpec { search: SearchKind::Linear, ramp, slot, functions: 1, patience, size, cold: None };
    assert_eq!(check.finish(spec), Ok(expected));
}
