//! Studies read from files, as tables; orders as properties.

use std::collections::BTreeSet;

use loader_proto::{json, v1};
use proptest::prelude::*;

use super::*;
use crate::spec::{Defaults, Violation};

fn read(yaml: &str) -> Result<StudyPlan, Vec<Violation>> {
    let (message, faults) = json::from_yaml::<v1::StudySpec>(yaml);
    assert_eq!(faults, [], "{yaml}");
    StudyPlan::of(&message, &Defaults { platform: "local".to_owned() })
}

fn plan(yaml: &str) -> StudyPlan {
    read(yaml).unwrap_or_else(|faults| panic!("{yaml}: {faults:?}"))
}

fn labels(study: &StudyPlan) -> Vec<String> {
    study.cells.iter().map(|cell| cell.label(&study.axes)).collect()
}

/// A study of bursts.
fn of(rest: &str) -> String {
    format!("base: {{ burst: {{}} }}\n{rest}")
}

const WINDOWS: &str = "{ field: scaling.stableWindow, values: [30s, 60s] }";
const RATES: &str = "{ field: burst.targetRps, values: [2, 4, 8] }";

#[test]
fn a_grid_has_each_value_with_each_and_the_last_axis_varies_fastest() {
    let study = plan(&of(&format!("vary: [{WINDOWS}, {RATES}]")));
    let first = ["scaling.stableWindow=30s, burst.targetRps=2", "scaling.stableWindow=30s, burst.targetRps=4"];
    assert_eq!(labels(&study)[..2], first);
    assert_eq!((study.cells.len(), study.runs.len()), (6, 42));
}

#[test]
fn a_zip_has_the_values_of_one_position() {
    let rates = "{ field: burst.targetRps, values: [2, 4] }";
    let study = plan(&of(&format!("vary: [{WINDOWS}, {rates}]\ncombine: zip")));
    let expected = ["scaling.stableWindow=30s, burst.targetRps=2", "scaling.stableWindow=60s, burst.targetRps=4"];
    assert_eq!(labels(&study), expected);
}

#[test]
fn excluded_cells_are_left_out() {
    let exclude = "exclude: [{ scaling.stable_window: 30s, burst.targetRps: 8 }, { burst.targetRps: 4 }]";
    let study = plan(&of(&format!("vary: [{WINDOWS}, {RATES}]\n{exclude}")));
    let expected = [
        "scaling.stableWindow=30s, burst.targetRps=2",
        "scaling.stableWindow=60s, burst.targetRps=2",
        "scaling.stableWindow=60s, burst.targetRps=8",
    ];
    assert_eq!(labels(&study), expected);
}

#[test]
fn without_an_axis_there_is_one_cell() {
    let study = plan(&of("repeats: 3"));
    assert_eq!((labels(&study), study.runs.len()), (vec![String::new()], 3));
}

#[test]
fn each_run_has_its_cells_values_its_repeats_seed_and_a_name() {
    let study = plan(&of(&format!("name: sweep\nvary: [{WINDOWS}]\nrepeats: 2")));
    let spec = study.spec(PlannedRun { cell: 1, repeat: 1, round: 0 });
    assert_eq!((spec.name.as_str(), spec.seed), ("sweep", Some(43)));
    assert_eq!(spec.scaling.and_then(|scaling| scaling.stable_window).map(|window| window.seconds), Some(60));
    let same = plan("base: { name: own, seed: 7, burst: {} }\nseeds: same");
    let spec = same.spec(PlannedRun { cell: 0, repeat: 4, round: 4 });
    assert_eq!((spec.name.as_str(), spec.seed), ("own", Some(7)));
    let varied = plan(&of("vary: [{ field: seed, values: [18446744073709551615, 2] }]"));
    assert_eq!(varied.settings.seeds, Seeds::Same);
    assert_eq!(
        varied.spec(varied.runs[0]).seed,
        varied.cells[varied.runs[0].cell as usize]
            .fields(&varied.axes)
            .next()
            .map(|(_, text)| text.parse().expect("a number"))
    );
}

#[test]
fn a_mode_and_its_lists_can_vary() {
    let study = plan("vary: [{ field: coldstart.coldStarts, values: [[1], [10, 20]] }]\nbase: {}");
    let mode = study.spec(PlannedRun { cell: 1, repeat: 0, round: 0 }).mode;
    let Some(v1::run_spec::Mode::Coldstart(mode)) = mode else { panic!("{mode:?}") };
    assert_eq!(mode.cold_starts, [10, 20]);
}

#[test]
fn each_fault_is_named_with_its_place() {
    let mut wrong = Vec::new();
    for (study, expected) in [
        ("{}", "base: is required: the spec that all runs have in common"),
        ("base: {}", "base.mode: is missing; give exactly one of trace, rps, burst and coldstart"),
        ("base: { burst: {} }\nrepeats: 0", "repeats: is 0; must be 1 to 10000"),
        ("base: { burst: {} }\nretries: 11", "retries: is 11; must be 0 to 10"),
        (
            "base: { burst: {} }\nname: A",
            "name: is \"A\"; must be up to 63 characters of a-z, 0-9 and '-', first a letter, last not '-'",
        ),
        (
            "base: { burst: {} }\ncombine: gird",
            "combine: \"gird\" is not known; known are grid, zip; did you mean grid?",
        ),
        (
            "base: { burst: {} }\norder: asgiven",
            "order: \"asgiven\" is not known; known are interleaved, random, asGiven; did you mean asGiven?",
        ),
        ("base: { burst: {} }\nseeds: other", "seeds: \"other\" is not known; known are same, perRepeat"),
        (
            "base: { burst: {} }\nonFailure: skip",
            "onFailure: \"skip\" is not known; known are continue, skipCell, stop; did you mean skipCell?",
        ),
        ("base: { burst: {} }\nbetween: { pause: 25h }", "between.pause: is 1day 1h; must be 0s to 1day"),
        (
            "base: { burst: {} }\nvary: [{}]",
            "vary[0].field: is required: the path of a field, such as scaling.stableWindow; vary[0].values: is empty; must have at least one value",
        ),
        (
            "base: { burst: {} }\nvary: [{ field: scaling.stabelWindow, values: [1s] }]",
            "vary[0].field: scaling.stabelWindow: there is no field \"stabelWindow\"; did you mean scaling.stableWindow?",
        ),
        (
            "base: { burst: {} }\nvary: [{ field: burst.targetRps, values: [many, 2] }]",
            "vary[0].values[0]: burst.targetRps: must be a whole number, not \"many\"",
        ),
        (
            "base: { burst: {} }\nvary: [{ field: burst, values: [3] }]",
            "vary[0].values[0]: burst: must hold fields, not 3",
        ),
        (
            "base: { burst: {} }\nvary: [{ field: rps.start, values: [3] }]",
            "vary[0].values[0]: rps: conflicts with burst: set only one of them",
        ),
        (
            "base: { burst: {} }\nvary: [{ field: 'disturb[0].at', values: [3s] }]",
            "vary[0].values[0]: disturb[0].at: there is no entry 0: the list has 0 of them, counted from 0",
        ),
        (
            "base: { burst: {} }\nvary: [{ field: burst.hold, values: [60s, 1m] }]",
            "vary[0].values[1]: is 1m, the same as values[0]",
        ),
        (
            "base: { burst: {} }\nvary: [{ field: burst.hold, values: [60s] }, { field: burst, values: [{ hold: 2s }] }]",
            "vary[1].field: burst varies already, by vary[0]",
        ),
        (
            "base: { burst: {} }\nvary: [{ field: seed, values: [1] }]\nseeds: perRepeat",
            "seeds: is perRepeat, but an axis varies the seed: leave seeds out, or the axis",
        ),
        (
            "base: { burst: {} }\nvary: [{ field: seed, values: [1, 2] }, { field: burst.burst, values: [1] }]\ncombine: zip",
            "combine: is zip, so all axes must have as many values: seed has 2, burst.burst has 1",
        ),
        (
            "base: { burst: {} }\nvary: [{ field: seed, values: [1, 2] }]\nexclude: [{ seed: 3 }, { burst.hold: 2s }, {}]",
            "exclude[0].seed: is 3; the axis has 1, 2; exclude[1].burst.hold: does not vary; what varies is seed; exclude[2]: is empty; must name at least one axis with a value",
        ),
        (
            "base: { burst: {} }\nvary: [{ field: seed, values: [1] }]\nexclude: [{ seed: 1 }]",
            "exclude: leaves no cell",
        ),
    ] {
        let faults = read(study).expect_err(study);
        let found = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        if found != expected {
            wrong.push(format!("{study}\n{found}\n{expected}"));
        }
    }
    assert!(wrong.is_empty(), "found, and expected: {}", wrong.join("\n\n"));
}

#[test]
fn axes_and_values_are_called_by_their_labels() {
    let study = plan(&of(
        "vary: [{ field: scaling.stableWindow, label: window, values: [30s, 60s], labels: [short, default] }, { field: seed, values: [1] }]\n\
         exclude: [{ window: short }]\nbaseline: { scaling.stable_window: default }",
    ));
    assert_eq!(labels(&study), ["window=default, seed=1"]);
    assert_eq!(study.baseline(), [("window".to_owned(), "default".to_owned())].into());
    assert_eq!(study.spec(study.runs[0]).scaling.unwrap_or_default().stable_window.map(|it| it.seconds), Some(60));
    for (axes, expected) in [
        (
            "[{ field: seed, values: [1, 2], labels: [a] }]",
            "vary[0].labels: must have one for each value: has 1 for 2 values",
        ),
        ("[{ field: seed, values: [1, 2], labels: [a, a] }]", "vary[0].labels[1]: is a, the same as labels[0]"),
        ("[{ field: seed, values: [1], labels: [''] }]", "vary[0].labels[0]: is empty"),
        (
            "[{ field: seed, values: [1] }, { field: burst.burst, label: seed, values: [1] }]",
            "vary[1].label: is seed, the same as that of vary[0]",
        ),
    ] {
        let faults = read(&of(&format!("vary: {axes}"))).expect_err(axes);
        assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected], "{axes}");
    }
}

#[test]
fn a_fault_that_shows_only_in_a_cell_names_it_and_one_of_all_cells_is_named_once() {
    let faults = read("base: { arrivals: odd, burst: {} }\nvary: [{ field: burst.targetRps, values: [0, 2] }]")
        .expect_err("is wrong");
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].starts_with("base.arrivals: ") && faults[0].ends_with(" (in all 2 cells)"), "{faults:?}");
    assert!(faults[1].starts_with("vary[0].values[0]: burst.targetRps: is 0"), "{faults:?}");
    assert!(faults[1].ends_with(" (in the cell burst.targetRps=0)"), "{faults:?}");
}

#[test]
fn too_many_runs_are_refused_with_their_number() {
    let values = |field: &str, count| {
        let values: Vec<_> = (1..=count).map(|value: u32| value.to_string()).collect();
        format!("{{ field: {field}, values: [{}] }}", values.join(", "))
    };
    let axes = [values("seed", 100), values("burst.burst", 100), values("burst.targetRps", 100)].join(", ");
    let faults = read(&of(&format!("vary: [{axes}]\nrepeats: 1"))).expect_err("is too large");
    let expected = "vary: asks for 1000000 runs (1000000 cells, 1 of each); must be at most 10000";
    assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
    let faults = read(&of("repeats: 10001")).expect_err("is too large");
    assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>(), ["repeats: is 10001; must be 1 to 10000"]);
}

#[test]
fn figures_are_called_by_their_names_and_are_bounded() {
    assert_eq!(plan(&of("figures: [responseUs.p99, goodput]")).settings.figures, ["response.p99", "goodput"]);
    assert_eq!(plan(&of("figures: []")).settings.figures, Vec::<String>::new());
    let many = vec!["goodput"; 33].join(", ");
    for (figures, expected) in [
        (
            "response.p99, respose.p50, responseUs.p99",
            "figures[1]: there is no figure \"respose.p50\" in summary.json; did you mean response.p50?; \
             figures[2]: is response.p99 again; must be named once",
        ),
        (
            "requested, ''",
            "figures[0]: requested has no better or worse values; figures[1]: there is no figure \"\" in summary.json",
        ),
        (many.as_str(), "figures: names 33 figures; must be at most 32"),
    ] {
        let faults = read(&of(&format!("figures: [{figures}]"))).expect_err(figures);
        assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "), expected);
    }
}

#[test]
fn a_study_of_large_specs_is_bounded_by_their_bytes() {
    let large = "x".repeat(100_000);
    let faults =
        read(&format!("base: {{ burst: {{}}, arrivals: {large} }}\nrepeats: 10000")).expect_err("is too large");
    let expected = "study: has specs of up to 1000";
    assert!(faults.len() == 1 && faults[0].to_string().starts_with(expected), "{faults:?}");
}

proptest! {
    #[test]
    fn every_order_has_each_run_once_and_is_drawn_from_the_seed_alone(cells in 1..20_u32, repeats in 1..8_u32, seed: u64) {
        for order in Order::ALL {
            let runs = super::order::runs(cells, repeats, order, seed);
            let distinct: BTreeSet<_> = runs.iter().map(|run| (run.cell, run.repeat)).collect();
            prop_assert_eq!((distinct.len(), runs.len()), ((cells * repeats) as usize, (cells * repeats) as usize));
            prop_assert_eq!(&runs, &super::order::runs(cells, repeats, order, seed));
            prop_assert!(runs.is_sorted_by_key(|run| run.round));
            if order != Order::Random {
                // A round has each cell once.
                for round in runs.chunks(cells as usize) {
                    let of_round: BTreeSet<_> = round.iter().map(|run| run.cell).collect();
                    prop_assert_eq!(of_round.len(), cells as usize);
                }
            }
        }
    }
}

#[test]
fn rounds_have_orders_of_their_own_and_the_order_of_a_seed_is_fixed() {
    let rounds = |seed| {
        let runs = super::order::runs(5, 3, Order::Interleaved, seed);
        runs.chunks(5).map(|round| round.iter().map(|run| run.cell).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    let drawn = rounds(42);
    assert!(drawn[0] != drawn[1] || drawn[1] != drawn[2], "{drawn:?}");
    assert_ne!(drawn, rounds(43));
    insta::assert_debug_snapshot!(drawn.concat());
}

#[test]
fn all_runs_are_checked_once_each_and_add_up_with_the_pauses() {
    use crate::plan::{Outline, SlotOutline};
    use std::time::Duration;

    let slot =
        SlotOutline { invocations: 7, duration: Duration::from_secs(10), rate: 0.7, concurrency: 1.0, memory_mib: 1.0 };
    let outline = Outline { slots: vec![slot], ..Outline::default() };
    for (seeds, checked) in [("same", 2), ("perRepeat", 6)] {
        let study = plan(&of(&format!("vary: [{WINDOWS}]\nrepeats: 3\nbetween: {{ pause: 1s }}\nseeds: {seeds}")));
        let (mut totals, mut seen) = (StudyTotals::without_runs(&study), 0);
        let all = study.check_runs(|_, times| {
            seen += 1;
            totals.add(&outline, times);
            Ok(())
        });
        assert_eq!((all, seen), (Ok(()), checked));
        assert_eq!((totals.load, totals.invocations), (Duration::from_secs(65), 42));
        assert_eq!(totals.bytes(), 42 * 180);
    }
}

#[test]
fn a_fault_of_many_runs_is_reported_once() {
    let study = plan(&of(&format!("vary: [{WINDOWS}]\nrepeats: 3")));
    let faults = study.check_runs(|spec, _| {
        let seed = spec.seed.unwrap_or_default();
        let odd = (seed % 2 == 1).then(|| Violation::new("trace.path", "is odd"));
        Err(odd.into_iter().chain([Violation::new("scaling.stableWindow", "is short")]).collect())
    });
    let faults: Vec<_> = faults.expect_err("are wrong").iter().map(ToString::to_string).collect();
    let in_part = faults.iter().any(|fault| fault.starts_with("base.trace.path: is odd (in 2 of 6 runs, first "));
    let of_value = "vary[0].values[0]: scaling.stableWindow: is short (in 3 of 6 runs, first scaling.stableWindow=30s)";
    assert!(in_part && faults.iter().any(|fault| fault == of_value) && faults.len() == 3, "{faults:?}");
}
