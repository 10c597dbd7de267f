use std::path::Path;
use std::time::Duration;

use super::*;
use crate::edit::diff;
use crate::format::{Options, open};
use crate::load::Load;
use crate::trace::Trace;

fn day() -> Trace {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/traces/day");
    open(&path, &Options::default()).unwrap().trace
}

fn like(model: &Model, exact: bool) -> Like {
    Like {
        functions: model.functions,
        units: model.minutes,
        unit: Duration::from_mins(1),
        rate: model.mean_rate,
        model: model.clone(),
        exact,
        seed: 3,
    }
}

#[test]
fn what_is_made_is_distributed_as_the_trace() {
    let day = day();
    let model = fit(&day).unwrap();
    let made = like(&model, false).make().unwrap();
    assert_eq!((made.functions.len(), made.units), (100, 1440));
    let (found, wanted) = (made.invocations() as f64, day.invocations() as f64);
    assert!((found / wanted - 1.0).abs() < 0.01, "{found} {wanted}");
    let difference = diff(&day, &made);
    for (quantity, most) in difference.quantities.iter().zip([0.1, 0.05, 0.05, 0.3, 0.3]) {
        assert!(quantity.greatest.unwrap() < most, "{quantity:?}");
    }
    assert!(difference.only_first.len() == 100, "no function is the trace's");
    // What is fitted to it is the same model, as far as chance lets it.
    let again = fit(&made).unwrap();
    for (first, second) in model.triggers.iter().zip(&again.triggers) {
        assert!((first.functions - second.functions).abs() < 0.03, "{first:?} {second:?}");
        assert!((first.invocations - second.invocations).abs() < 0.15, "{first:?} {second:?}");
    }
    let correlation = |model: &Model| model.correlations[0][1];
    assert!((correlation(&model) - correlation(&again)).abs() < 0.2);
    let swing = |model: &Model| model.shape[56] / model.shape[8];
    assert!((swing(&again) / swing(&model) - 1.0).abs() < 0.3, "{} {}", swing(&again), swing(&model));
}

#[test]
fn the_seed_decides_everything() {
    let model = fit(&day()).unwrap();
    let small = Like { functions: 20, units: 60, rate: 1.0, ..like(&model, false) };
    assert_eq!(small.make(), small.make());
    assert_ne!(small.make(), Like { seed: 4, ..small.clone() }.make());
    let exact = Like { exact: true, ..small };
    let made = exact.make().unwrap();
    assert!(made.functions.iter().all(|function| matches!(&function.load, Load::Events(_))));
    assert_eq!(made.invocations(), like(&model, false).clone().with(20, 60, 1.0).invocations());
}

impl Like {
    fn with(self, functions: u32, units: u32, rate: f64) -> Trace {
        Self { functions, units, rate, ..self }.make().unwrap()
    }
}

#[test]
fn bursts_have_correlated_gaps() {
    let mut model = fit(&day()).unwrap();
    model.variations = vec![3.0];
    let made = Like { functions: 5, units: 600, rate: 0.5, ..like(&model, true) }.make().unwrap();
    for function in &made.functions {
        let figures = crate::describe::FunctionFigures::of(function);
        if figures.invocations > 1000 {
            assert!(figures.variation.unwrap() > 1.5, "{figures:?}");
        }
    }
}

#[test]
fn models_are_kept_as_text_and_checked() {
    let model = fit(&day()).unwrap();
    let text = model.text().unwrap();
    assert_eq!(Model::parse(&text).unwrap(), model);
    let broken =
        text.replacen("\"functions\": 100", "\"functions\": 0", 1).replacen("\"meanRate\": 8", "\"meanRate\": -8", 1);
    assert_eq!(
        Model::parse(&broken).unwrap_err().to_string(),
        "parameters: functions must be at least 1; meanRate must be above 0"
    );
    assert!(Model::parse("{}").unwrap_err().to_string().starts_with("not the parameters of a trace: missing field"));
    let mut bare = day();
    bare.functions.iter_mut().for_each(|function| function.runtime = None);
    assert_eq!(fit(&bare).unwrap_err().to_string(), "the trace has no run times, without which nothing can be fitted");
}

#[test]
fn what_cannot_be_made_is_refused() {
    let model = fit(&day()).unwrap();
    for (like, message) in [
        (Like { functions: 0, ..like(&model, false) }, "a trace needs at least one function and one unit of time"),
        (
            Like { rate: 1e-9, ..like(&model, false) },
            "the rate is 0.000000001; it must be at least 0.001157 invocations a second, so that each function is \
             invoked once",
        ),
        (
            Like { rate: 1e9, ..like(&model, true) },
            "that would be 86400000000000 invocations; at most 100000000 are made",
        ),
    ] {
        assert_eq!(like.make().unwrap_err().to_string(), message);
    }
}
