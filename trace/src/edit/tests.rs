use std::path::Path;
use std::time::Duration;

use super::*;
use crate::counts::Counts;
use crate::events::{Event, Events};
use crate::format::{Options, open};
use crate::load::Load;
use crate::sizes::RuntimeProfile;
use crate::trace::{Trace, TraceFunction};

const MINUTE: Duration = Duration::from_mins(1);

fn shipped(name: &str) -> Trace {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/traces").join(name);
    open(&path, &Options::default()).unwrap().trace
}

fn function(id: &str, trigger: &str, counts: &[u32], runtime_ms: f64) -> TraceFunction {
    TraceFunction {
        id: id.to_owned(),
        owner: "o".to_owned(),
        app: format!("app of {id}"),
        trigger: Some(trigger.to_owned()),
        load: Load::Counts(Counts::new(counts)),
        runtime: RuntimeProfile::from_millis([runtime_ms; 7]).ok(),
        memory: None,
    }
}

fn trace() -> Trace {
    let functions = vec![
        function("a", "http", &[60, 0, 120, 0], 10.0),
        function("b", "timer", &[1, 1, 1, 1], 1000.0),
        function("c", "http", &[0, 0, 0, 6], 50.0),
    ];
    Trace { functions, units: 4, unit: MINUTE }
}

/// The same with exact times: equidistant in each minute.
fn exact() -> Trace {
    let mut trace = trace();
    for function in &mut trace.functions {
        let mut events = Vec::new();
        function.load.each_active(|unit, count| {
            events.extend((0..u64::from(count)).map(|number| Event {
                start_ns: 60_000_000_000 * unit as u64 + number * 60_000_000_000 / u64::from(count),
                runtime_us: 10,
                memory_mib: None,
            }));
        });
        function.load = Load::Events(Events::new(events, MINUTE));
    }
    trace
}

fn ids(trace: &Trace) -> Vec<&str> {
    trace.functions.iter().map(|function| function.id.as_str()).collect()
}

fn totals(trace: &Trace) -> Vec<u64> {
    trace.functions.iter().map(|function| function.load.total()).collect()
}

fn counts(trace: &Trace) -> Vec<Vec<u32>> {
    let of = |function: &TraceFunction| (0..trace.units).map(|unit| function.load.count(unit)).collect();
    trace.functions.iter().map(of).collect()
}

#[test]
fn functions_are_selected_by_every_condition() {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    for (selection, expected) in [
        (Selection::default(), vec!["a", "b", "c"]),
        (Selection { triggers: names(&["http"]), ..Selection::default() }, vec!["a", "c"]),
        (Selection { apps: names(&["app of b"]), ..Selection::default() }, vec!["b"]),
        (Selection { names: names(&["c", "a"]), ..Selection::default() }, vec!["a", "c"]),
        (Selection { least_rate: Some(0.02), ..Selection::default() }, vec!["a", "c"]),
        (Selection { most_rate: Some(0.02), ..Selection::default() }, vec!["b"]),
        (Selection { least_runtime_ms: Some(50.0), ..Selection::default() }, vec!["b", "c"]),
        (Selection { most_runtime_ms: Some(50.0), top: Some(1), ..Selection::default() }, vec!["a"]),
        (Selection { top: Some(2), ..Selection::default() }, vec!["a", "c"]),
    ] {
        assert_eq!(ids(&select(&trace(), &selection).unwrap()), expected, "{selection:?}");
    }
    for (selection, message) in [
        (Selection { names: names(&["a", "x"]), ..Selection::default() }, "the trace has no function named x"),
        (Selection { triggers: names(&["queue"]), ..Selection::default() }, "the trace has no trigger named queue"),
        (Selection { least_rate: Some(9.0), ..Selection::default() }, "none of the 3 functions meets all conditions"),
        (Selection { top: Some(0), ..Selection::default() }, "none of the 3 functions meets all conditions"),
    ] {
        assert_eq!(select(&trace(), &selection).unwrap_err().to_string(), message);
    }
    let mut bare = trace();
    bare.functions.iter_mut().for_each(|function| (function.trigger, function.runtime) = (None, None));
    for selection in [
        Selection { triggers: names(&["http"]), ..Selection::default() },
        Selection { least_runtime_ms: Some(1.0), ..Selection::default() },
    ] {
        assert!(matches!(select(&bare, &selection), Err(EditError::NoData(_))));
    }
}

#[test]
fn merged_traces_keep_their_names_apart() {
    let named = |name: &str, trace| (name.to_owned(), trace);
    let merged = merge(vec![named("x", trace()), named("y", trace())]).unwrap();
    assert_eq!(ids(&merged), ["x:a", "x:b", "x:c", "y:a", "y:b", "y:c"]);
    assert_eq!(merged.functions[3].app, "y:app of a");
    let longer = Trace {
        functions: vec![TraceFunction { owner: "p".to_owned(), ..function("d", "http", &[1; 6], 1.0) }],
        units: 6,
        unit: MINUTE,
    };
    let merged = merge(vec![named("x", trace()), named("y", longer)]).unwrap();
    assert_eq!((ids(&merged), merged.units), (vec!["a", "b", "c", "d"], 6));
    assert_eq!(counts(&merged)[1], [1, 1, 1, 1, 0, 0]);
    let second = Trace { unit: Duration::from_secs(1), ..trace() };
    assert!(matches!(merge(vec![named("x", trace()), named("y", second)]), Err(EditError::Units { .. })));
}

#[test]
fn parts_are_disjoint_and_of_equal_load() {
    let day = shipped("day");
    let parts = split(&day, 3).unwrap();
    let mut all: Vec<&str> = parts.iter().flat_map(ids).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 100);
    assert_eq!(parts.iter().map(Trace::invocations).sum::<u64>(), 691_200);
    let heaviest = totals(&day).into_iter().max().unwrap();
    let loads = parts.iter().map(Trace::invocations);
    // No part differs from another by more than the function that could be moved.
    assert!(loads.clone().max().unwrap() - loads.min().unwrap() <= heaviest);
    let even = split(
        &Trace {
            functions: (0..8).map(|n| function(&n.to_string(), "http", &[5], 1.0)).collect(),
            units: 1,
            unit: MINUTE,
        },
        4,
    )
    .unwrap();
    assert!(even.iter().all(|part| part.invocations() == 10));
    assert_eq!(
        split(&trace(), 4).unwrap_err().to_string(),
        "4 parts are more than there are functions with invocations, which are 3"
    );
    assert_eq!(split(&trace(), 0), Err(EditError::NoPart));
}

fn scaling(way: Way, minutes: Option<u64>, peak_rate: Option<f64>) -> Scaling {
    Scaling { way, duration: minutes.map(Duration::from_mins), peak_rate, seed: 1 }
}

#[test]
fn thumbnails_add_units_up() {
    for trace in [trace(), exact()] {
        let scaled = scale(&trace, &scaling(Way::Thumbnails, Some(2), None)).unwrap();
        assert_eq!(counts(&scaled.trace), [[60, 120], [2, 2], [0, 6]]);
        assert_eq!((scaled.trace.units, scaled.lost), (2, 0));
    }
    let refused = scale(&trace(), &scaling(Way::Thumbnails, Some(3), None)).unwrap_err().to_string();
    assert_eq!(refused, "4 units can't be added up to 3 evenly; 2 or 4 would do");
}

#[test]
fn ranges_are_the_units_from_one_on() {
    let from = Duration::from_mins(2);
    for trace in [trace(), exact()] {
        let scaled = scale(&trace, &scaling(Way::Range { from }, Some(1), None)).unwrap();
        assert_eq!((counts(&scaled.trace), scaled.lost), (vec![vec![120], vec![1]], 1));
        let rest = scale(&trace, &scaling(Way::Range { from }, None, None)).unwrap();
        assert_eq!(counts(&rest.trace), [[120, 0], [1, 1], [0, 6]]);
    }
    let refused = scale(&trace(), &scaling(Way::Range { from }, Some(3), None)).unwrap_err().to_string();
    assert_eq!(refused, "3 units are more than the trace has from there on, which are 2");
}

#[test]
fn thinning_keeps_the_asked_share() {
    let day = shipped("day");
    let peak = 31.0;
    for trace in [day.clone(), scale(&day, &scaling(Way::Thumbnails, Some(360), None)).unwrap().trace] {
        let scaled = scale(&trace, &scaling(Way::Whole, None, Some(peak / 10.0))).unwrap();
        let expected = trace.invocations() as f64 * scaled.kept;
        let sd = (expected * (1.0 - scaled.kept)).sqrt();
        assert!((scaled.trace.invocations() as f64 - expected).abs() < 5.0 * sd);
        assert!(scaled.breaks.iter().any(|text| text.contains("idle times")));
        assert_eq!(scaled, scale(&trace, &scaling(Way::Whole, None, Some(peak / 10.0))).unwrap());
    }
    // Of 180 + 4 + 6 invocations with probability 0.5.
    let scaled = scale(&exact(), &scaling(Way::Whole, None, Some(121.0 / 120.0))).unwrap();
    assert!((60..130).contains(&scaled.trace.invocations()), "{}", scaled.trace.invocations());
}

#[test]
fn smirnov_has_a_constant_rate_and_the_shares() {
    for trace in [trace(), exact()] {
        let scaled = scale(&trace, &scaling(Way::Smirnov, Some(10), Some(50.0))).unwrap();
        let sums: Vec<u32> =
            (0..10).map(|unit| counts(&scaled.trace).iter().map(|counts| counts[unit]).sum()).collect();
        assert_eq!(sums, [3000; 10]);
        let share = totals(&scaled.trace)[0] as f64 / 30_000.0;
        assert!((share - 180.0 / 190.0).abs() < 0.01, "{share}");
    }
}

#[test]
fn what_cannot_be_had_is_refused_with_what_can() {
    for (way, minutes, rate, message) in [
        (Way::Whole, None, Some(0.0), "the peak rate is 0; it must be above 0"),
        (
            Way::Whole,
            None,
            Some(3.0),
            "a peak rate of 3 invocations a second is more than this way gives, which is at most 2.016667",
        ),
        (
            Way::Smirnov,
            None,
            Some(0.001),
            "a peak rate of 0.001 invocations a second leaves no invocation; one has a peak of 0.016667",
        ),
        (Way::Whole, Some(0), None, "the duration is 0ns; it must be a whole number of units of 60s, and at least one"),
    ] {
        assert_eq!(scale(&trace(), &scaling(way, minutes, rate)).unwrap_err().to_string(), message);
    }
}

#[test]
fn differences_are_by_name_and_by_distribution() {
    let mut other = trace();
    other.functions[1] = function("b", "timer", &[1, 1, 1, 5], 1000.0);
    other.functions[2].id = "d".to_owned();
    let found = diff(&trace(), &other);
    assert_eq!((found.only_first, found.only_second, found.alike), (vec!["c".to_owned()], vec!["d".to_owned()], 1));
    assert_eq!(found.changed.len(), 1);
    assert_eq!((found.changed[0].first.invocations, found.changed[0].second.invocations), (4, 8));
    let same = diff(&trace(), &trace());
    assert_eq!(same.alike, 3);
    assert!(same.quantities.iter().all(|quantity| quantity.distance.is_none_or(|distance| distance < 1e-12)));
    // Invocations 4, 6, 180 and 6, 8, 180: a third of the functions moves from 4 to 8.
    let quantity = found.quantities[0];
    assert!((quantity.distance.unwrap() - (9.0_f64 / 5.0).log10() / 3.0).abs() < 1e-12);
    assert!((quantity.greatest.unwrap() - 1.0 / 3.0).abs() < 1e-12);
    assert_eq!(found.quantities[2].distance, None, "of memory nothing is known");
}
