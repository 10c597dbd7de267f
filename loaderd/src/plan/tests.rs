//! What holds for the plans of all modes.

mod validation;

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    testkit::{Whole, found, function, lines, plan, request, slots, trace, trace_plan},
    *,
};
use crate::id::FunctionIndex;

/// A small spec of each mode, with arrivals and seed.
fn modes(seed: u64, arrivals: &str) -> Vec<Value> {
    let modes = [
        json!({"rps": {"start": 3, "end": 9, "step": 2.5, "slot": "2s", "functions": 3, "coldStartRatio": 0.2,
               "cooldown": "5s"}}),
        json!({"burst": {"targetRps": 3, "burst": 7, "hold": "5s", "stepDuration": "1.5s"}}),
        json!({"coldstart": {"start": 4, "step": 1, "coldStarts": [3, 0, 2], "functions": 4, "slot": "2s",
               "duration": "8s"}}),
        json!({"trace": {"path": "/t", "granularity": "second"}}),
    ];
    let with = |mut mode: Value| {
        mode["seed"] = json!(seed);
        mode["arrivals"] = json!(arrivals);
        mode
    };
    modes.into_iter().map(with).collect()
}

fn small_trace() -> Trace {
    trace(vec![function("f1", &[3, 0, 5, 1]), function("f2", &[2, 4, 0, 300]), function("f3", &[0, 0, 1, 0])])
}

fn any_plan(spec: &Value) -> Box<dyn Plan> {
    trace_plan(spec, small_trace())
}

/// What every plan keeps to.
fn check(plan: &mut dyn Plan) -> Vec<Whole> {
    let outline = plan.outline();
    let functions = plan.functions().len();
    let slots = slots(plan, 1000);
    let (mut end, mut by_function) = (0, BTreeMap::<u32, u64>::new());
    for (index, slot) in slots.iter().enumerate() {
        assert_eq!((slot.index as usize, slot.start_ms), (index, end), "slots follow each other");
        end += slot.duration_ms;
        assert_eq!(slot.invocations.len() as u64, slot.planned);
        let measured = slot.invocations.iter().filter(|invocation| invocation.mark != Mark::StepWarmup).count();
        assert_eq!(measured as u64, slot.measured);
        assert!(slot.invocations.is_sorted_by_key(|invocation| invocation.due), "they come in order");
        for invocation in &slot.invocations {
            let due = invocation.due.as_nanos();
            assert!(due >= slot.start_ms * 1_000_000 && due < end * 1_000_000, "{due} is not in its slot");
            let FunctionIndex(function) = match invocation.target {
                Target::Function(function) | Target::Cold { otherwise: function } => function,
            };
            assert!((function as usize) < functions);
            *by_function.entry(function).or_default() += 1;
        }
    }
    let outlined: Vec<_> = outline.slots.iter().map(|slot| (slot.invocations, slot.rate)).collect();
    assert_eq!(outlined, slots.iter().map(|slot| (slot.planned, slot.rate)).collect::<Vec<_>>(), "the outline matches");
    assert_eq!(outline.functions.len(), functions);
    if plan.cold_pool().is_empty() {
        let total: u64 = outline.functions.iter().map(|function| function.invocations).sum();
        assert_eq!(total, outline.invocations());
        let known = plan.functions().iter().map(|function| function.invocations);
        for (function, known) in (0..).zip(known) {
            let found = by_function.get(&function).copied().unwrap_or_default();
            assert!(known.is_none_or(|known| known == found), "{function}: {found}, not {known:?}");
            assert!(known.is_none_or(|known| known == outline.functions[function as usize].invocations));
        }
    }
    slots
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_plan_keeps_its_word(seed in any::<u64>(), arrivals in prop::sample::select(&loader_trace::Arrivals::ALL[..])) {
        for spec in modes(seed, arrivals.name()) {
            check(&mut *any_plan(&spec));
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_plan(seed in any::<u64>()) {
        for spec in modes(seed, "poisson") {
            let again = slots(&mut *any_plan(&spec), 1000);
            prop_assert_eq!(slots(&mut *any_plan(&spec), 1000), again);
        }
        let (one, other) = (&modes(seed, "poisson"), &modes(seed ^ 1, "poisson"));
        for (one, other) in one.iter().zip(other) {
            prop_assert_ne!(slots(&mut *any_plan(one), 1000), slots(&mut *any_plan(other), 1000));
        }
    }
}

#[test]
fn plans_are_the_same_bit_for_bit_on_any_machine() {
    let digest = |spec: &Value| {
        let mut hash = Sha256::new();
        for line in lines(&slots(&mut *any_plan(spec), 1000)) {
            hash.update(line + "\n");
        }
        hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let mut digests = BTreeMap::new();
    for arrivals in loader_trace::Arrivals::ALL {
        let specs = modes(42, arrivals.name());
        digests.insert(arrivals.name(), specs.iter().map(digest).collect::<Vec<_>>().join(" "));
    }
    insta::assert_debug_snapshot!(digests);
}

#[test]
fn a_plan_can_be_read_off() {
    let golden = |spec: Value| {
        let slots = slots(&mut *any_plan(&spec), 1000);
        let heads = slots.iter().map(|slot| {
            let Whole { index, start_ms, duration_ms, rate, planned, measured, .. } = slot;
            let head = format!(
                "slot {index}: {start_ms} ms + {duration_ms} ms, {rate}/s, {planned} planned, {measured} measured"
            );
            std::iter::once(head).chain(slot.invocations.iter().take(12).map(testkit::line)).collect::<Vec<_>>()
        });
        heads.collect::<Vec<_>>()
    };
    insta::assert_debug_snapshot!(
        "burst",
        golden(json!({"burst": {"targetRps": 2, "burst": 3, "hold": "3s", "stepDuration": "2s"}}))
    );
    insta::assert_debug_snapshot!("rps", golden(json!({"rps": {"start": 4, "end": 5, "slot": "1s", "functions": 2}})));
    let coldstart = json!({"coldstart": {"start": 4, "step": 1, "coldStarts": [2, 1], "functions": 3, "slot": "1s"}});
    insta::assert_debug_snapshot!("coldstart", golden(coldstart));
    insta::assert_debug_snapshot!(
        "trace",
        golden(json!({"trace": {"path": "/t", "granularity": "second", "duration": "3s"}}))
    );
}

#[test]
fn a_trace_that_does_not_fit_is_refused() {
    let refused = |mode: Value, trace: Option<Trace>| {
        let violations = request(&json!({ "trace": mode })).plan(trace.map(Arc::new)).err().expect("is refused");
        violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    let long = Trace { units: 1 << 21, ..small_trace() };
    assert_eq!(
        refused(json!({"path": "/t"}), Some(long)),
        "trace: lasts 2097152 units of 1s; at most 1048576 can be replayed, see trace.duration"
    );
    let idle = trace(vec![function("f", &[0, 0])]);
    assert_eq!(refused(json!({"path": "/t"}), Some(idle)), "trace: has no invocation in the units that are replayed");
    assert_eq!(refused(json!({"path": "/t"}), None), "trace: was not read");
}

#[test]
fn findings_are_those_of_the_mode_and_of_no_other() {
    let found = modes(1, "poisson").into_iter().map(|spec| {
        let (_, summary) = found(&mut *any_plan(&spec), 100, |_| SlotOutcome::default());
        let v1::RunSummary { rps, burst, coldstart, .. } = summary;
        [rps.is_some(), burst.is_some(), coldstart.is_some()]
    });
    assert_eq!(
        found.collect::<Vec<_>>(),
        [[true, false, false], [false, true, false], [false, false, true], [false, false, false]]
    );
    assert!(!plan(&json!({"burst": {}})).needs_outcomes());
}
