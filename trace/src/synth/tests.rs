use super::functions::{Function, TRIGGERS, make};
use super::*;
use crate::counts::Counts;
use crate::format::{Directory, Options, Report, read};
use crate::load::Load;

/// About the rate at which all published figures hold together.
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

fn total(function: &Function) -> u64 {
    function.counts.iter().copied().map(u64::from).sum()
}

/// Asserts that `found` of `n` are a share `expected`, to within four standard errors.
fn assert_share(found: usize, n: usize, expected: f64) {
    let share = found as f64 / n as f64;
    let error = (expected * (1.0 - expected) / n as f64).sqrt();
    assert!((share - expected).abs() < 4.0 * error, "{share} is not {expected} ± {error}");
}

#[test]
fn apps_have_the_published_sizes_and_popularity() {
    let synth = synth(20_000, 1440, 20_000.0 * PUBLISHED_RATE);
    let apps = apps::draw(&synth);
    let n = apps.len();
    assert_share(apps.iter().filter(|app| app.functions == 1).count(), n, 0.54);
    assert_share(apps.iter().filter(|app| app.functions <= 10).count(), n, 0.95);
    let mut daily = popularity::invocations(&apps, synth.minutes, synth.invocations().unwrap());
    daily.sort_by(f64::total_cmp);
    assert_share(daily.iter().filter(|&&daily| daily <= 24.0).count(), n, 0.45);
    assert_share(daily.iter().filter(|&&daily| daily <= 1440.0).count(), n, 0.81);
    let sum: f64 = daily.iter().sum();
    assert!((sum / (synth.target_rate * 86_400.0) - 1.0).abs() < 1e-6);
    // The 18.6 % most popular. No random number: the rate fixes it, and is rounded here.
    let popular: f64 = daily[n * 407 / 500..].iter().sum();
    assert!((popular / sum - 0.996).abs() < 0.001, "{}", popular / sum);
}

#[test]
fn functions_have_the_published_triggers_run_times_and_memory() {
    let functions = all(&synth(20_000, 20, 20_000.0));
    let n = functions.len();
    assert_eq!(n, 20_000);
    for (trigger, percent, _) in TRIGGERS {
        let found = functions.iter().filter(|function| function.trigger == trigger).count();
        assert_share(found, n, percent / 100.0);
    }

    let logs: Vec<f64> = functions.iter().map(|function| (function.runtime.average / 1000.0).ln()).collect();
    let mean = logs.iter().sum::<f64>() / n as f64;
    let deviation = (logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / n as f64).sqrt();
    assert!((mean + 0.38).abs() < 4.0 * 2.36 / (n as f64).sqrt(), "{mean}");
    assert!((deviation - 2.36).abs() < 4.0 * 2.36 / (2.0 * n as f64).sqrt(), "{deviation}");

    let mut apps: Vec<(&str, f64)> =
        functions.iter().map(|function| (function.app.as_str(), function.memory.average)).collect();
    apps.dedup();
    for quantile in [0.1_f64, 0.5, 0.9, 0.99] {
        let burr = 107.083 * ((1.0 - quantile).powf(-1.0 / 0.221) - 1.0).powf(1.0 / 11.652);
        assert_share(apps.iter().filter(|(_, memory)| *memory <= burr).count(), apps.len(), quantile);
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
        // Totals are rounded function by function with the error carried on.
        assert!((invocations as f64 - wanted).abs() <= 1.0, "{invocations} for {wanted}");
    }
}

/// The hours of the day differ for half of the load: over the whole it goes from 1 − 0.5·0.75 at night to 1 + 0.5·0.75 at
/// day, or somewhat less as the peaks are not all at one hour. Were all of it constant the ratio would be 1; were none, 7.
#[test]
fn half_of_the_load_follows_the_hours_of_the_day() {
    let mut by_hour = [0.0; 24];
    for function in all(&synth(3000, 1440, 300.0)) {
        function.counts.iter().enumerate().for_each(|(minute, &count)| by_hour[minute / 60] += f64::from(count));
    }
    let (night, day) = (by_hour[0..4].iter().sum::<f64>(), by_hour[12..16].iter().sum::<f64>());
    assert!((1.5..2.5).contains(&(day / night)), "{}", day / night);
}

#[test]
fn what_is_written_is_read_again_whole() {
    let directory = tempfile::tempdir().unwrap();
    let synth = synth(40, 30, 2.0);
    synth.write(directory.path()).unwrap();
    let (trace, report) = read(&Directory(directory.path().to_owned()), &Options::default()).unwrap();
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
        assert_eq!(request.write(directory.path()).unwrap_err().to_string(), message);
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
