use std::time::Duration;

use super::*;
use crate::counts::Counts;
use crate::load::Load;
use crate::sizes::{MemoryProfile, RuntimeProfile};
use crate::trace::{Trace, TraceFunction};

const DAY: usize = 1440;

/// A function of `app`, invoked `each` times in every minute that `at` names.
fn function(app: &str, trigger: &str, at: impl Fn(usize) -> u32, runtime_ms: f64, memory_mib: f64) -> TraceFunction {
    let counts: Vec<u32> = (0..DAY).map(at).collect();
    TraceFunction {
        id: format!("{app}-{trigger}"),
        owner: "o".to_owned(),
        app: app.to_owned(),
        trigger: Some(trigger.to_owned()),
        load: Load::Counts(Counts::new(&counts)),
        runtime: Some(RuntimeProfile::from_millis([runtime_ms; 7]).unwrap()),
        memory: Some(MemoryProfile::from_mib([memory_mib; 8]).unwrap()),
    }
}

/// Four apps: A is busy by day and has two functions, B a timer once an hour, C a timer twice a minute, D five at a time.
fn trace() -> Trace {
    let functions = vec![
        function("a", "http", |minute| if minute < 60 { 0 } else { 3 }, 1000.0, 100.0),
        function("a", "queue", |minute| u32::from(minute == 60), 20_000.0, 300.0),
        function("b", "timer", |minute| u32::from(minute % 60 == 0), 1000.0, 50.0),
        function("c", "timer", |_| 2, 1000.0, 70.0),
        function("d", "http", |minute| if [500, 1000].contains(&minute) { 5 } else { 0 }, 1000.0, 90.0),
    ];
    Trace { functions, units: DAY, unit: Duration::from_mins(1) }
}

#[test]
fn every_statistic_of_a_small_trace() {
    let figures = Figures::of(&trace(), AppMemory::OfEachFunction);
    let all = 3 * 1380 + 1 + 24 + 2880 + 10;
    let shares = |shares: &[(&str, f64)]| {
        Some(shares.iter().map(|&(name, share)| (name.to_owned(), share)).collect::<std::collections::BTreeMap<_, _>>())
    };
    assert_eq!(figures.functions_by_trigger, shares(&[("http", 0.4), ("queue", 0.2), ("timer", 0.4)]));
    let of_all = |invocations: i32| f64::from(invocations) / f64::from(all);
    let by_trigger = [("http", of_all(4150)), ("queue", of_all(1)), ("timer", of_all(2904))];
    assert_eq!(figures.invocations_by_trigger, shares(&by_trigger));
    assert_eq!((figures.apps_of_one, figures.apps_up_to_ten), (Some(0.75), Some(1.0)));
    assert_eq!((figures.apps_only_http, figures.apps_only_timers), (Some(0.25), Some(0.5)));
    assert_eq!((figures.apps_hourly, figures.apps_minutely), (Some(0.5), Some(0.5)));
    // One of four.
    assert_eq!(figures.popular_invocations, Some(of_all(4141)));
    // D alone: its two bursts are eight hours apart.
    assert_eq!(figures.apps_varying, Some(0.25));
    assert_eq!(figures.timers_minutely, Some(0.5));
    // B and C alone fire in the first hour.
    assert_eq!(figures.quietest_hour, Some(121.0 / (f64::from(all) / 24.0)));
    assert_eq!(figures.functions_up_to_10s, Some(0.8));
    assert_eq!(figures.runtime_median_s, Some(1.0));
    // Four of 0 and one of ln 20: variance 4/25 of its square.
    assert!((figures.runtime_ln_deviation.unwrap() - 0.4 * 20.0_f64.ln()).abs() < 1e-9);
    // 200, 50, 70 and 90.
    assert_eq!(figures.memory_median_mb, Some(80.0));
    assert!((figures.memory_p90_mb.unwrap() - 167.0).abs() < 1e-9);
}

#[test]
fn divided_memory_is_summed_up() {
    // 400, 50, 70 and 90.
    let figures = Figures::of(&trace(), AppMemory::SumOfFunctions);
    assert!((figures.memory_p90_mb.unwrap() - 307.0).abs() < 1e-9);
}

#[test]
fn what_a_trace_does_not_tell_is_unknown() {
    let mut trace = trace();
    trace.units = 60;
    for function in &mut trace.functions {
        (function.trigger, function.runtime, function.memory) = (None, None, None);
        function.app.clear();
    }
    assert_eq!(Figures::of(&trace, AppMemory::OfEachFunction), Figures::default());
    trace = self::trace();
    trace.units = 59;
    let figures = Figures::of(&trace, AppMemory::OfEachFunction);
    assert_eq!((figures.apps_hourly, figures.quietest_hour), (None, None));
    assert!(azure2019(&Figures::default()).iter().all(|row| row.met().is_none()));
}

#[test]
fn targets_are_the_published_numbers() {
    let rows = azure2019(&Figures::default());
    let targets: Vec<f64> = rows.iter().map(|row| (row.target * 1000.0).round() / 1000.0).collect();
    let by_trigger = [55.0, 15.2, 2.2, 6.9, 15.6, 2.8, 2.2, 35.9, 33.5, 24.7, 2.3, 2.0, 0.7, 1.0];
    let of_apps = [54.0, 95.0, 43.0, 13.0, 45.0, 81.0, 99.6, 40.0];
    // e^−0.38 s; the quantiles of the Burr distribution.
    let others = [95.0, 50.0, 75.0, 0.684, 2.36, 139.626, 261.851];
    assert_eq!(targets, [&by_trigger[..], &of_apps, &others].concat());
}

#[test]
fn a_row_is_met_within_its_tolerance() {
    let row = |found, tolerance| Row {
        statistic: String::new(),
        unit: Unit::Plain,
        found: Some(found),
        target: 50.0,
        tolerance,
    };
    for (found, tolerance, met) in [
        (52.0, Tolerance::Points(2.0), true),
        (52.1, Tolerance::Points(2.0), false),
        (47.9, Tolerance::Points(2.0), false),
        (52.5, Tolerance::Percent(5.0), true),
        (47.4, Tolerance::Percent(5.0), false),
    ] {
        assert_eq!(row(found, tolerance).met(), Some(met), "{found}");
    }
}
