use std::time::Duration;

use super::*;
use crate::counts::Counts;
use crate::load::Load;
use crate::sizes::{MemoryProfile, RuntimeProfile};
use crate::trace::{Trace, TraceFunction};

/// A profile of functions with these medians; the other percentiles are so many times as much at the ends.
fn profile(functions: &[(&str, f64, f64, f64)]) -> String {
    let entries = functions.iter().map(|(name, duration, memory, tail)| {
        let of = |median: f64| {
            let values = [0, 1, 5, 25, 50, 75, 95, 99, 100].map(|percentile| {
                let value = if percentile > 75 { median * tail } else { median };
                format!("\"{percentile}-percentile\": {value}")
            });
            values.join(", ")
        };
        format!(
            "\"{name}\": {{\"name\": \"{name}\", \"yaml\": \"{name}.yaml\", \"cpu\": {{}}, \"memory\": {{{}}}, \
             \"duration\": {{{}}}}}",
            of(*memory),
            of(*duration)
        )
    });
    format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
}

fn trace(functions: &[(f64, f64, u32)]) -> Trace {
    let function = |(number, &(runtime, memory, invocations)): (usize, &(f64, f64, u32))| TraceFunction {
        id: number.to_string(),
        owner: "o".to_owned(),
        app: "a".to_owned(),
        trigger: None,
        load: Load::Counts(Counts::new(&[invocations])),
        runtime: RuntimeProfile::from_millis([runtime; 7]).ok(),
        memory: MemoryProfile::from_mib([memory; 8]).ok(),
    };
    let functions = functions.iter().enumerate().map(function).collect();
    Trace { functions, units: 1, unit: Duration::from_mins(1) }
}

fn chosen(trace: &Trace, proxies: &Proxies, rule: Rule) -> Vec<Option<usize>> {
    map(trace, proxies, rule).choices.into_iter().map(|choice| choice.proxy).collect()
}

#[test]
fn medians_choose_as_the_mapper_does() {
    let proxies =
        Proxies::parse(&profile(&[("a", 10.0, 100.0, 1.0), ("b", 100.0, 100.0, 1.0), ("c", 10.0, 100.0, 1.0)]))
            .unwrap();
    // The first of equals; none beyond 40 % of the trace's run time.
    let trace = trace(&[(10.0, 100.0, 1), (15.0, 90.0, 1), (20.0, 100.0, 1), (170.0, 100.0, 1), (60.0, 100.0, 1)]);
    assert_eq!(chosen(&trace, &proxies, Rule::Medians), [Some(0), Some(0), None, None, None]);
    assert_eq!(chosen(&trace, &proxies, Rule::Distribution), [Some(0), Some(0), Some(0), Some(1), Some(1)]);
}

#[test]
fn distributions_choose_by_more_than_the_median() {
    let proxies = Proxies::parse(&profile(&[("long tail", 10.0, 100.0, 50.0), ("even", 11.0, 100.0, 1.0)])).unwrap();
    let trace = trace(&[(10.0, 100.0, 1)]);
    assert_eq!(chosen(&trace, &proxies, Rule::Medians), [Some(0)]);
    assert_eq!(chosen(&trace, &proxies, Rule::Distribution), [Some(1)]);
}

#[test]
fn errors_are_of_functions_and_of_invocations() {
    let proxies = Proxies::parse(&profile(&[("a", 10.0, 100.0, 1.0)])).unwrap();
    let found = map(&trace(&[(10.0, 50.0, 3), (20.0, 100.0, 1)]), &proxies, Rule::Distribution);
    let runtime = found.runtime.unwrap();
    for (found, expected) in [
        (runtime.by_function, [0.25, 0.0, 0.5]),
        (runtime.by_invocation, [0.125, 0.0, 0.5]),
        (found.memory.unwrap().by_function, [0.5, 0.0, 1.0]),
    ] {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
    }
    assert_eq!((found.unmapped, found.choices.len()), (0, 2));
    assert!((found.runtime_error_ms.unwrap() - 5.0).abs() < 1e-12);
    assert!((found.memory_error_mib.unwrap() - 25.0).abs() < 1e-12);
}

#[test]
fn profiles_are_checked() {
    let good = profile(&[("a", 10.0, 100.0, 1.0)]);
    for (text, message) in [
        ("{}".to_owned(), "the profile has no function"),
        (good.replacen("\"5-percentile\"", "\"6-percentile\"", 1), "function a: memory has no 5-percentile"),
        (good.replacen(": 100", ": -1", 1), "function a: memory: 0-percentile is -1; it must be 0 or more"),
        (
            good.replacen("0-percentile\": 100", "0-percentile\": 200", 1),
            "function a: memory: percentiles must not decrease",
        ),
    ] {
        assert_eq!(Proxies::parse(&text).unwrap_err().to_string(), message);
    }
    assert!(Proxies::parse("[]").unwrap_err().to_string().starts_with("not a profile of functions: "));
}
