use std::{collections::BTreeMap, time::Duration};

use loader_proto::v1;
use loader_trace::{Clamp, Event, Load, Trace};

use proptest::{collection::vec, prelude::*};
use serde_json::json;

use super::spec::TraceSpec;
use crate::{
    plan::{
        Invocation, Plan, Target, TraceSource,
        testkit::{self, Whole, function, slots, trace, trace_plan},
    },
    spec::Check,
};

fn seconds() -> serde_json::Value {
    json!({"trace": {"path": "/t", "granularity": "second"}})
}

/// By function: when its invocations are due and what they ask for.
fn by_function(plan: &mut dyn Plan) -> BTreeMap<String, Vec<(u64, u32, u32)>> {
    let names: Vec<_> = plan.functions().iter().map(|function| function.source_id.clone()).collect();
    let mut found = BTreeMap::<_, Vec<_>>::new();
    for Whole { invocations, .. } in slots(plan, 1000) {
        for Invocation { due, target, runtime_us, memory_mib, .. } in invocations {
            let Target::Function(function) = target else { panic!("{target:?}") };
            let name = names[function.as_usize()].clone();
            found.entry(name).or_default().push((due.as_nanos(), runtime_us, memory_mib));
        }
    }
    found
}

#[test]
fn the_concurrency_of_functions_adds_up_to_that_of_their_slot() {
    let functions = vec![function("busy", &[30, 0, 7]), function("rare", &[0, 0, 1])];
    let plan = trace_plan(&seconds(), trace(functions));
    let outline = plan.outline();
    for (slot, expected) in outline.slots.iter().enumerate() {
        let by_function = plan.slot_concurrency(slot, &outline).expect("a trace has profiles");
        assert!((by_function.iter().sum::<f64>() - expected.concurrency).abs() < 1e-9, "{slot}: {by_function:?}");
        assert_eq!(by_function[1] > 0.0, slot == 2, "{by_function:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn counts_are_kept_exactly(counts in vec(vec(0_u32..40, 5), 1..6)) {
        prop_assume!(counts.iter().flatten().any(|&count| count > 0));
        let functions = counts.iter().enumerate().map(|(index, counts)| function(&format!("f{index}"), counts));
        let mut plan = trace_plan(&seconds(), trace(functions.collect()));
        let mut found = vec![vec![0_u32; 5]; counts.len()];
        for slot in slots(&mut *plan, 1000) {
            for invocation in &slot.invocations {
                let Target::Function(function) = invocation.target else { panic!("{invocation:?}") };
                found[function.as_usize()][slot.index as usize] += 1;
                prop_assert!((10_000..=40_000).contains(&invocation.runtime_us), "{invocation:?}");
                prop_assert!((20..=70).contains(&invocation.memory_mib), "{invocation:?}");
            }
        }
        prop_assert_eq!(found, counts);
    }

    #[test]
    fn a_functions_plan_depends_on_no_other_function(counts in vec(vec(0_u32..20, 4), 2..6), seed in any::<u64>()) {
        let functions: Vec<_> =
            counts.iter().enumerate().map(|(index, counts)| function(&format!("f{index}"), counts)).collect();
        prop_assume!(functions.iter().all(|function| function.load.total() > 0));
        let mut spec = seconds();
        spec["seed"] = json!(seed);
        let together = by_function(&mut *trace_plan(&spec, trace(functions.clone())));
        for alone in functions {
            let id = alone.id.clone();
            let found = by_function(&mut *trace_plan(&spec, trace(vec![alone])));
            prop_assert_eq!(&found[&id], &together[&id]);
        }
    }
}

#[test]
fn huge_counts_are_generated_as_they_are_used() {
    let mut spec = seconds();
    spec["arrivals"] = json!("equidistant");
    let mut plan = trace_plan(&spec, trace(vec![function("f", &[u32::MAX, 1])]));
    let slot = plan.next_slot(None).expect("a slot");
    assert_eq!(slot.planned, u64::from(u32::MAX));
    assert_eq!(slot.invocations.take(1000).count(), 1000);
}

#[test]
fn sizes_are_clamped_and_counted() {
    let spec = json!({"trace": {"path": "/t", "granularity": "second", "minRuntime": "0.02s", "maxRuntime": "0.03s",
                      "maxMemoryMib": 40}});
    let mut plan = trace_plan(&spec, trace(vec![function("f", &[4000])]));
    let outlined = plan.outline().clamped;
    let slots = slots(&mut *plan, 10);
    let invocations = &slots[0].invocations;
    assert!(invocations.iter().all(|it| (20_000..=30_000).contains(&it.runtime_us) && it.memory_mib <= 40));
    // Run times below 20 ms and above 30 ms are half and a quarter of all, memory above 40 MiB half: of the quarter that
    // no clamp of run time touches, half is left.
    let share = invocations.iter().filter(|it| it.clamped).count() as f64 / 4000.0;
    assert!((share - 0.875).abs() < 0.03, "{share}");
    assert!((outlined as f64 / 4000.0 - 0.875).abs() < 0.01, "{outlined}");
}

#[test]
fn what_the_trace_does_not_say_has_defaults() {
    let bare = loader_trace::TraceFunction { runtime: None, memory: None, trigger: None, ..function("f", &[2]) };
    let mut plan = trace_plan(&seconds(), trace(vec![bare]));
    assert_eq!((plan.functions()[0].trigger.as_str(), plan.functions()[0].peak_memory_mib), ("", 200));
    let slots = slots(&mut *plan, 10);
    assert!(slots[0].invocations.iter().all(|it| (it.runtime_us, it.memory_mib) == (1000, 200)));
}

#[test]
fn the_spec_says_what_the_trace_does_not() {
    let spec = json!({"trace": {"path": "/t", "granularity": "second", "defaultMemoryMib": 64}});
    let functions = vec![exact("app/f", &[(0, 5000, None), (1500, 5000, Some(20_000))])];
    let mut plan = trace_plan(&spec, Trace { functions, units: 2, unit: Duration::from_secs(1) });
    // What a trace says is bounded, what a plan says is not.
    assert_eq!(testkit::lines(&slots(&mut *plan, 10)), ["0 0 5000 64", "1500000000 0 5000 10240"]);
}

#[test]
fn names_are_dns_labels_and_differ() {
    let long = "c13acdc7567b225971cef2416a3a2b03c8a4d8d154df48afe75834e2f5c59ddf";
    let ids = [long, &format!("{}xyz", &long[..40]), "App/Func_1", "", "ÄÖ", "--", "own-name-1"];
    let functions = ids.map(|id| function(id, &[1]));
    let plan = trace_plan(&seconds(), trace(functions.into()));
    let names: Vec<_> = plan.functions().iter().map(|function| &*function.name).collect();
    assert_eq!(
        names,
        ["fn-c13acdc7567b2259", "fn-c13acdc7567b2259-2", "fn-func-1", "fn", "fn-2", "fn-3", "own-name-1"]
    );
}

#[test]
fn an_outline_is_made_no_further_when_nobody_wants_it() {
    let plan = trace_plan(&seconds(), trace(vec![function("f", &[1; 100])]));
    let asked = std::cell::Cell::new(0);
    let outline = plan.outline_while(&|| {
        asked.set(asked.get() + 1);
        asked.get() < 10
    });
    assert_eq!((outline.is_none(), asked.get()), (true, 10));
    assert_eq!(plan.outline_while(&|| true).map(|outline| outline.slots.len()), Some(plan.outline().slots.len()));
}

#[test]
fn the_outline_follows_littles_law() {
    let outline = trace_plan(&seconds(), trace(vec![function("f", &[100, 50])])).outline();
    let function = &outline.functions[0];
    // Piecewise uniform: the means of run time and memory lie between the middles of their pieces.
    let (runtime, memory) = (function.mean_runtime.as_secs_f64(), function.mean_memory_mib);
    assert!((0.021..0.024).contains(&runtime) && (39.0..42.0).contains(&memory), "{function:?}");
    let slot = &outline.slots[0];
    assert!((slot.concurrency - 100.0 * runtime).abs() < 1e-9, "{slot:?}");
    assert!((slot.memory_mib - slot.concurrency * memory).abs() < 1e-9, "{slot:?}");
    assert_eq!((outline.invocations(), outline.duration()), (150, Duration::from_secs(2)));
}

/// The same, of a plan: its sizes are not bounded.
fn planned(id: &str, events: &[(u64, u32, Option<u32>)]) -> loader_trace::TraceFunction {
    let function = exact(id, events);
    let Load::Events(events) = &function.load else { panic!("{function:?}") };
    let load = Load::Events(loader_trace::Events::planned(events.all().to_vec(), Duration::from_secs(1)));
    loader_trace::TraceFunction { load, ..function }
}

/// A function that is invoked exactly so: start in milliseconds, run time in microseconds, memory in MiB.
fn exact(id: &str, events: &[(u64, u32, Option<u32>)]) -> loader_trace::TraceFunction {
    let event = |&(start_ms, runtime_us, memory_mib): &(u64, u32, Option<u32>)| Event {
        start_ns: start_ms * 1_000_000,
        runtime_us,
        memory_mib: memory_mib.and_then(std::num::NonZeroU32::new),
    };
    let load = Load::Events(loader_trace::Events::new(events.iter().map(event).collect(), Duration::from_secs(1)));
    loader_trace::TraceFunction { load, runtime: None, memory: None, ..function(id, &[]) }
}

#[test]
fn exact_times_and_sizes_are_replayed_as_they_are() {
    let functions = vec![
        // Azure 2021 knows no memory, and durations of 0.
        exact("app/f", &[(0, 0, None), (1500, 90_000_000, None)]),
        // A plan knows all.
        planned("steady", &[(250, 0, Some(7)), (1999, 90_000_000, Some(20_000))]),
    ];
    let mut plan = trace_plan(&seconds(), Trace { functions, units: 2, unit: Duration::from_secs(1) });
    assert_eq!(plan.functions().iter().map(|function| function.peak_memory_mib).collect::<Vec<_>>(), [200, 20_000]);
    assert_eq!(plan.outline().clamped, 2);
    let slots = slots(&mut *plan, 10);
    assert_eq!(slots.iter().map(|slot| slot.planned).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(
        testkit::lines(&slots),
        ["0 0 1000 200", "250000000 1 0 7", "1500000000 0 60000000 200", "1999000000 1 90000000 20000"]
    );
    let clamped: Vec<_> = slots.iter().flat_map(|slot| &slot.invocations).map(|it| it.clamped).collect();
    assert_eq!(clamped, [true, false, true, false]);
}

#[test]
fn what_is_left_out_is_as_documented() {
    let mut check = Check::default();
    let source = Some(v1::trace_mode::Source::Path("/t".to_owned()));
    let spec = super::check(&mut check, &v1::TraceMode { source, ..v1::TraceMode::default() });
    let expected = TraceSpec {
        warmup: None,
        source: TraceSource::Path("/t".into()),
        format: None,
        day: None,
        size: None,
        start: Duration::ZERO,
        duration: None,
        granularity: None,
        skip_incomplete: false,
        strict: false,
        default_runtime: None,
        default_memory_mib: None,
        runtime: Clamp { min: Duration::from_millis(1), max: Duration::from_mins(1) },
        memory_mib: Clamp { min: 1, max: 10_240 },
    };
    assert_eq!(check.finish(spec), Ok(expected));
}

#[test]
fn a_trace_has_a_bounded_number_of_functions() {
    let of = |count: usize| trace((0..count).map(|index| function(&index.to_string(), &[1])).collect());
    let request = testkit::request(&seconds());
    let Err(refused) = request.plan(Some(std::sync::Arc::new(of(100_001)))) else { panic!("is taken") };
    let rule = "trace: has 100001 functions; at most 100000 can be replayed: take a sample";
    assert_eq!(refused.iter().map(ToString::to_string).collect::<Vec<_>>(), [rule]);
    assert!(request.plan(Some(std::sync::Arc::new(of(100_000)))).is_ok());
}
