//! The reference values of InVitro's sampler, computed with its own code, and what samples promise.

use std::path::Path;
use std::time::Duration;

use super::exact::{Measured, by_unit};
use super::population::Population;
use super::*;
use crate::counts::Counts;
use crate::format::{Options, open};
use crate::load::Load;
use crate::sizes::{MemoryProfile, RuntimeProfile};
use crate::trace::{Trace, TraceFunction};

fn shipped(name: &str) -> Trace {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/traces").join(name);
    open(&path, &Options::default()).unwrap().trace
}

fn function(id: &str, counts: &[u32], runtime_ms: f64, memory_mib: f64) -> TraceFunction {
    TraceFunction {
        id: id.to_owned(),
        owner: "o".to_owned(),
        app: id.to_owned(),
        trigger: Some("http".to_owned()),
        load: Load::Counts(Counts::new(counts)),
        runtime: RuntimeProfile::from_millis([runtime_ms; 7]).ok(),
        memory: MemoryProfile::from_mib([memory_mib; 8]).ok(),
    }
}

fn trace(functions: Vec<TraceFunction>, units: usize) -> Trace {
    Trace { functions, units, unit: Duration::from_mins(1) }
}

fn near(found: f64, expected: f64) {
    // The references have nine decimals.
    assert!((found - expected).abs() < 6e-10, "{found} {expected}");
}

#[test]
fn distances_of_the_unit_table() {
    let of = |id, counts: [u32; 2], size| function(id, &counts, size, size);
    let trace =
        trace(vec![of("fe", [1, 2], 10.0), of("fd", [2, 1], 20.0), of("ff", [1, 2], 10.0), of("fg", [2, 1], 20.0)], 2);
    for (places, invocations, resources, j) in [
        (&[0][..], 0.5, 0.000_225, 0.250_112_5),
        (&[0, 1], 0.0, 0.0, 0.0),
        (&[0, 2], 0.5, 0.000_225, 0.250_112_5),
        (&[0, 1, 2], 0.166_666_667, 0.000_075, 0.083_370_833),
    ] {
        let found = distance(&trace, places).unwrap();
        near(found.invocations, invocations);
        near(found.resources, resources);
        near(found.j(), j);
    }
}

#[test]
fn distances_of_the_sample_traces() {
    let small = shipped("small");
    let day = shipped("day");
    let first = |n: usize| (0..n).collect::<Vec<_>>();
    for (trace, places, invocations, resources, j) in [
        (&small, first(2), 0.848_333_333, 0.313_198_449, 0.580_765_891),
        (&small, first(5), 0.386_666_667, 0.146_407_039, 0.266_536_853),
        (&small, vec![0, 2, 4, 6, 8], 0.413_333_333, 0.217_902_048, 0.315_617_691),
        (&day, first(10), 5.385_430_556, 1.018_861_967, 3.202_146_261),
        (&day, first(20), 4.068_409_722, 0.742_622_123, 2.405_515_923),
        (&day, first(50), 3.934_847_222, 0.634_607_727, 2.284_727_475),
        (&day, first(90), 0.504_930_556, 0.082_020_685, 0.293_475_620),
        (&day, (0..100).step_by(10).collect(), 4.200_333_333, 0.769_085_276, 2.484_709_305),
        (&day, vec![1, 3, 23, 33, 39, 48, 59, 62, 73, 87], 3.8027, 0.6237, 2.2132),
    ] {
        let found = distance(trace, &places).unwrap();
        // The last row's references have four decimals.
        let digits = if places[1] == 3 { 6e-5 } else { 6e-10 };
        for (found, expected) in [(found.invocations, invocations), (found.resources, resources), (found.j(), j)] {
            assert!((found - expected).abs() < digits, "{found} {expected}");
        }
        assert!(found.bound <= found.j());
    }
}

#[test]
fn distances_of_single_minutes() {
    let first = |n: u32| (0..n).collect::<Vec<_>>();
    for (name, places, invocations, resources) in [
        ("small", first(2), 0.7, 0.139_205_068),
        ("small", first(5), 0.1, 0.046_999_437),
        ("small", vec![0, 2, 4, 6, 8], 0.1, 0.046_999_437),
        ("day", first(10), 2.97, 0.468_772_868),
        ("day", first(20), 2.48, 0.307_246_059),
        ("day", first(50), 1.97, 0.296_222_880),
        ("day", first(90), 0.305_555_556, 0.037_308_696),
        ("day", (0..100).step_by(10).collect(), 2.33, 0.436_089_265),
    ] {
        let population = Population::of(&shipped(name)).unwrap();
        let units = by_unit(&population, &[Measured { members: &places, weights: None }]);
        near(units[0][0].invocations, invocations);
        near(units[0][0].resources, resources);
    }
}

#[test]
fn resources_add_up_as_in_the_reference() {
    for (name, invocations, resources) in [("small", 540, 155.057_858), ("day", 691_200, 111_242.150_226)] {
        let trace = shipped(name);
        let population = Population::of(&trace).unwrap();
        let of = |(function, figures): (u32, &crate::describe::FunctionFigures)| {
            figures.invocations as f64 * population.resource(function)
        };
        let sum: f64 = (0_u32..).zip(&population.figures).map(of).sum();
        assert_eq!(trace.invocations(), invocations);
        assert!((sum - resources).abs() < 6e-7, "{sum}");
    }
}

fn sampled(trace: &Trace, sizes: &[usize], seed: u64) -> Sampled {
    // Less than the usual work is enough for what is checked here.
    let sampling = Sampling { size: Size::Functions(sizes.to_vec()), seed, effort: 0.01, ..Sampling::default() };
    sample(trace, &sampling).unwrap()
}

#[test]
fn samples_are_nested_and_better_than_the_best_of_16_draws() {
    let day = shipped("day");
    let found = sampled(&day, &[30, 10, 20], 7);
    assert_eq!(found.whole.functions, 100);
    assert_eq!(found.samples.iter().map(|sample| sample.functions.len()).collect::<Vec<_>>(), [10, 20, 30]);
    for pair in found.samples.windows(2) {
        assert!(pair[0].functions.iter().all(|function| pair[1].functions.contains(function)));
    }
    for sample in &found.samples {
        let chance = sample.chance.unwrap();
        assert!(sample.functions.is_sorted());
        assert!(sample.distance.j() < chance.best_of_16, "{} {chance:?}", sample.distance.j());
        assert!(sample.distance.j() >= sample.distance.bound);
        assert!(sample.j_star().unwrap() < 1.0);
        // The report measures what is asked of a sample by the same rule.
        let again = distance(&day, &sample.functions).unwrap();
        assert!((again.j() - sample.distance.j()).abs() < 1e-12);
        let all: f64 = sample.weights.iter().sum();
        assert!((all - 100.0).abs() < 1e-6 && sample.weights.iter().all(|&weight| weight > 0.0));
        for measure in ["D invocations", "D run time", "D memory", "D idle time"] {
            let (finding, chance) = sample.findings.iter().find(|(finding, _)| finding.measure == measure).unwrap();
            assert!(finding.value.unwrap() < chance.unwrap().mean, "{measure}: {finding:?} {chance:?}");
        }
    }
}

#[test]
fn the_seed_decides_everything() {
    let day = shipped("day");
    assert_eq!(sampled(&day, &[5, 10], 3), sampled(&day, &[5, 10], 3));
    assert_ne!(sampled(&day, &[10], 3), sampled(&day, &[10], 4));
}

#[test]
fn all_functions_are_the_trace_itself() {
    let small = shipped("small");
    let found = sampled(&small, &[10], 1);
    let sample = &found.samples[0];
    assert!(sample.distance.j() < 1e-12 && sample.distance.bound < 1e-12);
    assert_eq!(sample.functions, (0..10).collect::<Vec<_>>());
    for (finding, _) in &sample.findings {
        let expected = if finding.measure.ends_with("kept") { 1.0 } else { 0.0 };
        assert!((finding.value.unwrap() - expected).abs() < 1e-9, "{finding:?}");
    }
    assert_eq!(sample.load.invocations, found.whole.invocations);
    assert!((sample.load.cores - found.whole.cores).abs() < 1e-12);
}

#[test]
fn samples_have_the_load_that_is_asked_for() {
    let day = shipped("day");
    for (measure, share) in
        [(Measure::MeanRate, 0.2), (Measure::PeakRate, 0.3), (Measure::Cores, 0.1), (Measure::Memory, 0.5)]
    {
        let whole = sampled(&day, &[1], 1).whole;
        let asked = whole.get(measure) * share;
        let sampling = Sampling { size: Size::Load(measure, asked), effort: 0.003, ..Sampling::default() };
        let found = sample(&day, &sampling).unwrap();
        let load = found.samples[0].load.get(measure);
        assert!((load / asked - 1.0).abs() < 0.05, "{measure:?}: {load} of {asked}");
    }
}

#[test]
fn what_is_preserved_is_nearer() {
    let day = shipped("day");
    let of = |preserve: &[Preserve], measure: &str| {
        let preserve = preserve.to_vec();
        let sampling = Sampling { size: Size::Functions(vec![20]), preserve, effort: 0.02, ..Sampling::default() };
        let found = sample(&day, &sampling).unwrap();
        let finding = found.samples[0].findings.iter().find(|(finding, _)| finding.measure == measure);
        finding.and_then(|(finding, _)| finding.value).unwrap().abs()
    };
    assert!(of(&[Preserve::Rate], "bias of load") < of(&[], "bias of load"));
    assert!(of(&[Preserve::Durations], "D run time") <= of(&[], "D run time"));
    assert!(of(&[Preserve::IdleTimes], "D idle time") <= of(&[], "D idle time"));
}

#[test]
fn what_cannot_be_had_is_refused_with_what_can() {
    let small = shipped("small");
    let functions = |sizes: &[usize]| Size::Functions(sizes.to_vec());
    let load = Size::Load;
    for (size, message) in [
        (functions(&[]), "a sample needs at least one function"),
        (functions(&[3, 0]), "a sample needs at least one function"),
        (functions(&[3, 11]), "a sample of 11 functions is more than the trace has, which are 10"),
        (functions(&[3, 5, 3]), "3 functions are asked for twice; each sample is part of the next larger one"),
        (load(Measure::Cores, 0.0), "the mean of busy cores is 0; it must be above 0"),
        (load(Measure::MeanRate, f64::NAN), "the mean rate in invocations a second is NaN; it must be above 0"),
        (
            load(Measure::MeanRate, 3.0),
            "a mean rate in invocations a second of 3 is more than the whole trace has, which is 0.150000",
        ),
        (
            load(Measure::PeakRate, 1e-6),
            "a peak rate in invocations a second of 0.000001 is less than any function of the trace makes, of which \
             the lightest has 0.016667",
        ),
    ] {
        let refused = sample(&small, &Sampling { size, ..Sampling::default() }).unwrap_err();
        assert_eq!(refused.to_string(), message);
    }
    assert_eq!(distance(&small, &[]), Err(SampleError::Empty));
    assert!(distance(&small, &[10]).is_err());
    let mut lacking = small.clone();
    lacking.functions[3].runtime = None;
    let refused = sample(&lacking, &Sampling { size: functions(&[1]), ..Sampling::default() }).unwrap_err();
    assert_eq!(refused.to_string(), "1 of 10 functions have no run times; give all a default, or leave them out");
}

/// Of many functions the grid has fewer thresholds than there are values; J on it is nearly the same.
#[test]
fn the_grid_is_near_the_distances() {
    let made = crate::synth::Synth { functions: 1000, minutes: 90, target_rate: 81.0, seed: 5 };
    let folder = tempfile::tempdir().unwrap();
    made.write(folder.path(), false).unwrap();
    let trace = open(folder.path(), &Options::default()).unwrap().trace;
    let population = Population::of(&trace).unwrap();
    let grid = super::grid::Grid::of(&population, &super::own::quantities(&population));
    for members in [(0..100).collect::<Vec<u32>>(), (0..1000).step_by(3).collect()] {
        let exact = super::exact::distances(&population, &[Measured { members: &members, weights: None }])[0].j();
        let near = super::table::objective(&population, &grid, &members).j;
        assert!((near / exact - 1.0).abs() < 0.02, "{near} {exact}");
    }
}
