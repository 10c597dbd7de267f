use std::time::Duration;

use super::functions::{Function, make};
use super::*;
use crate::azure2019::TRIGGERS;
use crate::counts::Counts;
use crate::describe::{AppMemory, Figures, Row, Tolerance, azure2019};
use crate::format::{Directory, Options, Report, read};
use crate::load::Load;
use crate::sizes::{MemoryProfile, RuntimeProfile};
use crate::trace::{Trace, TraceFunction};
use crate::write::Form;

/// About the rate at which all published figures hold together, in invocations a second for each function.
const PUBLISHED_RATE: f64 = 0.081;

fn synth(functions: u32, minutes: u32, target_rate: f64) -> Synth {
    Synth { functions, minutes, target_rate, seed: 42 }
}

fn all(synth: &Synth) -> Vec<Function> {
    let mut functions = Vec::new();
    make(synth, |function| {
        functions.push(function);
        Ok(())
    })
    .unwrap();
    functions
}

/// The trace as it is read back, but for the rounding of what is written.
fn trace(synth: &Synth) -> Trace {
    let mut functions = Vec::new();
    make(synth, |function| {
        let Function { owner, app, id, trigger, counts, runtime, memory } = function;
        functions.push(TraceFunction {
            id,
            owner,
            app,
            trigger: Some(trigger.to_owned()),
            load: Load::Counts(Counts::new(&counts)),
            runtime: Some(RuntimeProfile::from_millis(runtime.percentiles).unwrap()),
            memory: Some(MemoryProfile::from_mib(memory.percentiles).unwrap()),
        });
        Ok(())
    })
    .unwrap();
    Trace { functions, units: synth.minutes as usize, unit: Duration::from_mins(1) }
}

fn total(function: &Function) -> u64 {
    function.counts.iter().copied().map(u64::from).sum()
}

/// The statistics of a day that `wider` times the published tolerances do not hold.
fn missed(functions: u32, seed: u64, wider: f64) -> Vec<Row> {
    let synth = Synth { functions, minutes: 1440, target_rate: f64::from(functions) * PUBLISHED_RATE, seed };
    let rows = azure2019(&Figures::of(&trace(&synth), AppMemory::OfEachFunction));
    let wide = |mut row: Row| {
        row.tolerance = match row.tolerance {
            Tolerance::Points(points) => Tolerance::Points(points * wider),
            Tolerance::Percent(percent) => Tolerance::Percent(percent * wider),
        };
        row
    };
    rows.into_iter().map(wide).filter(|row| row.met() != Some(true)).collect()
}

/// Of fewer functions than the 10 000 for which the tolerances are meant, single apps weigh more.
#[test]
fn three_seeds_have_the_published_statistics() {
    for seed in 1..=3 {
        assert_eq!(missed(1000, seed, 2.5), [], "seed {seed}");
    }
}

#[test]
fn meets_the_rate_whatever_the_size() {
    for (functions, minutes, rate) in [(1, 1, 1.0), (3, 10, 5.0), (20, 60, 0.01), (50, 30, 1.0), (300, 120, 400.0)] {
        let synth = synth(functions, minutes, rate);
        let made = all(&synth);
        let invocations: u64 = made.iter().map(total).sum();
        let wanted = rate * 60.0 * f64::from(minutes);
        assert_eq!(made.len(), functions as usize);
        assert!(made.iter().all(|function| total(function) > 0 && function.counts.len() == minutes as usize));
        // Totals are rounded app by app with the error carried on.
        assert!((invocations as f64 - wanted).abs() <= 1.0, "{invocations} for {wanted}");
    }
}

#[test]
fn apps_stand_together_with_their_functions_by_trigger() {
    let made = all(&synth(300, 10, 50.0));
    let mut apps: Vec<&str> = made.iter().map(|function| function.app.as_str()).collect();
    apps.dedup();
    let mut distinct = apps.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(apps.len(), distinct.len());
    let known = |function: &Function| TRIGGERS.iter().any(|trigger| trigger.name == function.trigger);
    assert!(made.iter().all(known));
}

#[test]
fn what_is_written_is_read_again_whole() {
    let directory = tempfile::tempdir().unwrap();
    let synth = synth(40, 30, 2.0);
    synth.write(directory.path(), Form::Csv, false).unwrap();
    let (trace, report) = read(&Directory(directory.path().to_owned()), &Options::default()).unwrap().into_parts();
    assert_eq!(report, Report::default());
    let made = all(&synth);
    assert_eq!((trace.units, trace.functions.len()), (30, made.len()));
    for (read, made) in trace.functions.iter().zip(&made) {
        assert_eq!((&read.id, &read.app, &read.owner), (&made.id, &made.app, &made.owner));
        assert_eq!(read.trigger.as_deref(), Some(made.trigger));
        assert_eq!(read.load, Load::Counts(Counts::new(&made.counts)));
        let median = read.runtime.as_ref().unwrap().quantile(0.5).as_secs_f64() * 1000.0;
        // Written to the microsecond.
        assert!((median - made.runtime.percentiles[3]).abs() < 0.0011);
        let median = f64::from(read.memory.as_ref().unwrap().quantile(0.5));
        assert!((median - made.memory.percentiles[3]).abs() < 0.51);
    }
    assert!(trace.functions.iter().all(|function| function.id.len() == 64));
}

#[test]
fn the_seed_decides_everything() {
    let one = synth(30, 20, 2.0);
    assert_eq!(all(&one), all(&one));
    assert_ne!(all(&one), all(&Synth { seed: 43, ..one }));
}

#[test]
fn senseless_requests_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    for (request, message) in [
        (synth(0, 1, 1.0), "a trace needs at least one function and one minute"),
        (synth(1, 0, 1.0), "a trace needs at least one function and one minute"),
        (synth(1, 1, 0.0), "the rate is 0; it must be above 0 and at most 1000000 invocations a second"),
        (synth(1, 1, f64::NAN), "the rate is NaN; it must be above 0 and at most 1000000 invocations a second"),
        (synth(1, 1, 2e6), "the rate is 2000000; it must be above 0 and at most 1000000 invocations a second"),
        (
            synth(120, 1, 1.0),
            "the rate must be at least 2.000000 invocations a second, so that each function is invoked once",
        ),
    ] {
        assert_eq!(request.write(directory.path(), Form::Csv, false).unwrap_err().to_string(), message);
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn files_that_exist_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let synth = Synth { functions: 2, minutes: 3, target_rate: 1.0, seed: 1 };
    let memory = directory.path().join("memory.csv");
    std::fs::write(&memory, "mine").unwrap();
    let refused = synth.write(directory.path(), Form::Csv, false).unwrap_err().to_string();
    assert_eq!(refused, format!("{} exists", memory.display()));
    assert!(!directory.path().join("invocations.csv").exists());
    assert_eq!(std::fs::read_to_string(&memory).unwrap(), "mine");
    synth.write(directory.path(), Form::Csv, true).unwrap();
    assert!(std::fs::read_to_string(&memory).unwrap().starts_with("HashOwner,"));
}
