use super::{
    testkit::{figures, noisy, study},
    *,
};
use crate::{compare::Verdict, statistics::Random};

/// A study of three cells with these levels of response.p99 in microseconds.
fn of_levels(levels: [f64; 3], rounds: u32) -> Study {
    let mut random = Random::new(1);
    study(3, rounds, 5, |cell, _, _| {
        figures([("response.p99", noisy(levels[cell], 0.02, &mut random)), ("failed", 0.0)])
    })
}

fn verdicts(study: &Study, figure: &str) -> Vec<(usize, Verdict)> {
    let results = Results::of(study);
    results.compared.iter().filter(|it| it.indicator.name == figure).map(|it| (it.cell, it.verdict)).collect()
}

#[test]
fn cells_are_compared_with_the_baseline() {
    let mut study = of_levels([1000.0, 1200.0, 1002.0], 8);
    assert_eq!(verdicts(&study, "response.p99"), [(1, Verdict::Worse), (2, Verdict::Same)]);
    assert_eq!(verdicts(&study, "failed"), [(1, Verdict::Same), (2, Verdict::Same)], "all zero");
    study.baseline = Baseline::from([("scaling.stableWindow".to_owned(), "60s".to_owned())]);
    assert_eq!(verdicts(&study, "response.p99"), [(0, Verdict::Better), (2, Verdict::Better)]);
    let results = Results::of(&study);
    let first = results.compared.iter().find(|it| it.indicator.name == "response.p99").expect("compared");
    assert_eq!((first.n, first.baseline, first.overlaps), ((8, 8), 1, Some(false)));
    assert!(first.interval.is_some_and(|it| it.holds(1.0 / 1.2)), "{first:?}");
    let same = of_levels([1000.0, 1000.0, 1002.0], 8);
    let title = "All 2 compared cells are the same as the baseline, within the margin, in all figures that runs have.";
    assert_eq!(Results::of(&same).lead(&same).title, title);
    assert_eq!(results.remarks, Vec::<String>::new());
}

#[test]
fn a_baseline_of_one_axis_is_that_of_each_value_of_the_others() {
    let mut random = Random::new(3);
    let mut grid =
        study(4, 6, 5, |cell, _, _| figures([("goodput", noisy([10.0, 20.0, 30.0, 60.0][cell], 0.01, &mut random))]));
    grid.axes.push("rps.functions".to_owned());
    grid.cells =
        [["30s", "1"], ["60s", "1"], ["30s", "2"], ["60s", "2"]].map(|cell| cell.map(str::to_owned).to_vec()).to_vec();
    grid.baseline = Baseline::from([("scaling.stableWindow".to_owned(), "30s".to_owned())]);
    grid.figures = vec!["goodput".to_owned()];
    let results = Results::of(&grid);
    let pairs: Vec<_> = results.compared.iter().map(|it| (it.cell, it.baseline, it.verdict)).collect();
    assert_eq!(pairs, [(1, 0, Verdict::Better), (3, 2, Verdict::Better)]);
    // Twice as much by the window in both, three times by the functions.
    let effects: Vec<_> =
        results.axes.iter().map(|it| (it.axis, it.value.as_str(), it.pairs, it.ratio.round())).collect();
    assert_eq!(effects, [(0, "60s", 2, 2.0), (1, "2", 2, 3.0)]);
    assert!(results.axes.iter().all(|it| it.interval.is_some_and(|interval| interval.holds(it.ratio))));
    // A baseline that is not there.
    grid.baseline = Baseline::from([("scaling.stableWindow".to_owned(), "90s".to_owned())]);
    let results = Results::of(&grid);
    assert!(results.compared.is_empty());
    assert!(results.remarks.iter().any(|it| it.contains("baseline is not in the study")), "{:?}", results.remarks);
}

#[test]
fn a_cell_is_called_by_the_last_parts_of_its_axes_where_they_differ() {
    let mut study = of_levels([1.0, 2.0, 3.0], 1);
    assert_eq!((study.label(1), study.short_label(1)), ("scaling.stableWindow=60s".into(), "stableWindow=60s".into()));
    study.axes.push("rps.stableWindow".to_owned());
    study.cells.iter_mut().for_each(|cell| cell.push("1".to_owned()));
    assert_eq!(study.short_label(0), study.label(0));
    study.axes.clear();
    assert_eq!(study.short_label(0), "window");
}

#[test]
fn what_is_no_sample_is_left_out_and_counted() {
    let mut random = Random::new(1);
    let study = study(2, 7, 5, |cell, round, _| match (cell, round) {
        (0, 2) => Outcome::LeftOut("saturated".to_owned()),
        (1, 6) => Outcome::ToCome,
        _ => figures([("response.p50", noisy(100.0, 0.05, &mut random))]),
    });
    let results = Results::of(&study);
    let of_cell = |cell| results.cells.iter().find(|it| it.cell == cell).map(|it| (it.n, it.left_out));
    assert_eq!((of_cell(0), of_cell(1)), (Some((6, 1)), Some((6, 0))));
    assert_eq!(results.remarks[..2], ["1 of 14 runs are still to come.", "1 of 14 runs are left out: 1 saturated."]);
}

#[test]
fn too_few_runs_are_told_with_how_many_would_do() {
    let results = Results::of(&of_levels([1000.0, 2000.0, 3000.0], 4));
    assert!(results.compared.iter().all(|it| it.verdict == Verdict::NotShown && it.interval.is_none()));
    assert!(results.cells.iter().all(|it| it.interval.is_none() && it.median.is_some()));
    assert_eq!(
        results.remarks[..1],
        [
            "Too few runs to show a difference: the least p that they can have is 0.06 over 2 tests. Take 5 runs of each cell, or compare fewer figures."
        ]
    );
}

#[test]
fn drift_rounds_and_places_are_told() {
    let with = |effect: fn(u32, usize) -> f64| {
        let mut random = Random::new(2);
        let study = study(4, 10, 5, |cell, round, at| {
            let level = [1000.0, 1500.0, 2000.0, 4000.0][cell] * effect(round, at);
            figures([("response.p99", noisy(level, 0.01, &mut random))])
        });
        Results::of(&study).remarks.join("\n")
    };
    assert_eq!(with(|_, _| 1.0), "");
    let drifting = with(|_, at| 1.0 + at as f64 / 100.0);
    assert!(drifting.contains("response.p99 rises over the study, whatever the cell (Spearman's ρ +1.0"), "{drifting}");
    let rounds = with(|round, _| if round % 2 == 0 { 1.0 } else { 1.1 });
    assert!(
        rounds.contains("response.p99 varies more between rounds than within: F") && !rounds.contains("over the study"),
        "{rounds}"
    );
    let places = with(|_, at| [1.1, 1.05, 1.02, 1.0][at % 4]);
    assert!(places.contains("response.p99 falls within each round") && !places.contains("between rounds"), "{places}");
}

#[test]
fn in_a_fixed_order_places_are_not_told_from_cells() {
    let mut random = Random::new(2);
    let mut study = study(4, 10, 5, |_, _, _| figures([("response.p99", 1.0)]));
    for (at, run) in study.runs.iter_mut().enumerate() {
        run.cell = at % 4;
        run.outcome = figures([("response.p99", noisy(1000.0 * [1.0, 2.0, 3.0, 4.0][at % 4], 0.01, &mut random))]);
    }
    let results = Results::of(&study);
    assert_eq!(results.order[0].place, Err(Untested::Inseparable));
    assert!(results.order[0].rounds.is_ok());
}

#[test]
fn a_cell_that_comes_out_at_two_levels_is_told() {
    let mut random = Random::new(2);
    let study = study(2, 12, 5, |cell, round, _| {
        let level = if cell == 1 && [1, 2, 5, 8, 9].contains(&round) { 5400.0 } else { 15_800.0 };
        figures([("response.p99", noisy(level, 0.02, &mut random))])
    });
    let remarks = Results::of(&study).remarks.join("\n");
    assert!(
        remarks.contains(
            "two groups, so that no median describes them: response.p99 of scaling.stableWindow=60s (5 runs about 5.3"
        ),
        "{remarks}"
    );
    assert!(!remarks.contains("stableWindow=30s ("), "{remarks}");
}

#[test]
fn the_tables_have_what_is_known_and_nothing_else() {
    let mut study = of_levels([1000.0, 1000.0, 1000.0], 2);
    study.cells[2][0] = "=1+\"x\",\n".to_owned();
    for run in &mut study.runs {
        run.outcome = match run.cell {
            0 => figures([("response.p50", 100.0 + f64::from(run.round)), ("failed", 0.0)]),
            1 => figures([("failed", 0.25)]),
            _ => Outcome::LeftOut("failed".to_owned()),
        };
    }
    let results = Results::of(&study);
    assert_eq!(
        results.cells_csv(&study),
        "cell,scaling.stableWindow,figure,unit,n,left_out,median,lo,hi,level,method,too_few\n\
         0,30s,response.p50,us,2,0,100.5,,,,,true\n\
         1,60s,response.p50,us,0,0,,,,,,true\n\
         2,\"=1+\"\"x\"\",\n\",response.p50,us,0,2,,,,,,true\n\
         0,30s,failed,share,2,0,0,,,,,true\n\
         1,60s,failed,share,2,0,0.25,,,,,true\n\
         2,\"=1+\"\"x\"\",\n\",failed,share,0,2,,,,,,true\n"
    );
    assert_eq!(
        results.compare_csv(&study),
        "cell,scaling.stableWindow,baseline,figure,unit,n,n_baseline,ratio,lo,hi,method,p,p_holm,delta,effect,overlaps,verdict\n\
         1,60s,0,failed,share,2,2,,,,,0.3333333333333333,0.3333333333333333,1,large,,not_shown\n"
    );
}

#[test]
fn a_study_without_axes_or_without_runs_has_results_too() {
    let empty = Results::of(&Study::default());
    assert_eq!((empty.cells.len(), empty.compared.len(), empty.order.len(), empty.remarks.len()), (0, 0, 0, 0));
    let mut random = Random::new(4);
    let mut one = study(1, 12, 5, |_, _, _| figures([("response.p99", noisy(1000.0, 0.02, &mut random))]));
    (one.axes, one.cells) = (Vec::new(), vec![Vec::new()]);
    let results = Results::of(&one);
    assert_eq!((one.label(0).as_str(), results.cells.len(), results.compared.len()), ("window", 1, 0));
    assert_eq!(results.order[0].rounds, Err(Untested::Inseparable), "a round of one run");
    assert!(results.order[0].drift.is_ok());
}

#[test]
fn figures_that_can_be_compared_have_better_values() {
    assert!(compared_figure("goodput").is_ok() && compared_figure("responseUs.p99").is_ok());
    for (name, expected) in
        [("requested", "requested has no better or worse values"), ("response.p9", "there is no figure")]
    {
        assert!(compared_figure(name).is_err_and(|fault| fault.contains(expected)), "{name}");
    }
    assert!(DEFAULT_FIGURES.iter().all(|name| compared_figure(name).is_ok()));
}

#[test]
fn variance_between_cells_is_told_from_that_of_repeats() {
    let mut random = Random::new(9);
    // Samples of one size that differ by 20 %, each measured three times with 2 % of noise.
    let levels: Vec<f64> = (0..40).map(|_| noisy(1000.0, 0.2, &mut random)).collect();
    let study = study(40, 3, 5, |cell, _, _| figures([("response.p99", noisy(levels[cell], 0.02, &mut random))]));
    let results = Results::of(&study);
    let [spread] = results.spreads.as_slice() else { panic!("{:?}", results.spreads) };
    let (between, within) = (spread.between.sqrt(), spread.within.sqrt());
    assert!((0.15..0.25).contains(&between) && (0.017..0.023).contains(&within), "{between} {within}");
    // t(39) · 0.2 / √40, and four times as many cells halve it.
    let half = spread.half_width(40).expect("enough cells");
    assert!((half - 2.0227 * (spread.between + spread.within / 3.0).sqrt() / 40.0_f64.sqrt()).abs() < 1e-4, "{half}");
    assert!(spread.half_width(160).is_some_and(|quarter| quarter < half / 1.99) && spread.half_width(1).is_none());
    assert_eq!(Results::of(&study_of_two()).spreads, [], "two cells are compared, not averaged");
}

#[test]
fn samples_of_several_sizes_are_kept_apart() {
    let mut random = Random::new(9);
    // The larger a sample, the less it differs from others of its size. There are too few of the largest.
    let sizes = [(10, 30, 0.4), (50, 30, 0.1), (200, 2, 0.1)];
    let of = |&(size, samples, share): &(u64, usize, f64)| (1..=samples).map(move |number| (number, size, share));
    let cells: Vec<_> = sizes.iter().flat_map(of).collect();
    let levels: Vec<f64> = cells.iter().map(|(_, _, share)| noisy(1000.0, *share, &mut random)).collect();
    let mut samples = study(cells.len(), 3, 5, |cell, round, _| {
        figures([("response.p99", noisy(levels[cell], 0.02, &mut random)), ("failed", 0.1 * f64::from(round + 1))])
    });
    samples.figures = ["response.p99", "failed"].map(str::to_owned).into();
    samples.axes = vec!["trace.path".to_owned()];
    samples.cells = cells.iter().map(|(number, size, _)| vec![format!("samples/{number}/{size}")]).collect();
    let results = Results::of(&samples);
    let found: Vec<_> = results.spreads.iter().map(|it| (it.label(), it.cells, it.between.sqrt())).collect();
    let names: Vec<_> = found.iter().map(|(label, cells, _)| (label.as_str(), *cells)).collect();
    let p99 = [("response.p99, 10 functions", 30), ("response.p99, 50 functions", 30)];
    assert_eq!(names[..2], p99, "{found:?}");
    assert!((0.3..0.5).contains(&found[0].2) && (0.07..0.14).contains(&found[1].2), "{found:?}");
    let lead = results.lead(&samples);
    assert_eq!(lead.tone, Tone::Open);
    let begin = "response.p99, 30 samples of 10 functions: standard deviation ";
    assert!(lead.cells[0].starts_with(begin) && lead.cells[0].ends_with(" between repeats."), "{lead:?}");
    assert!(lead.cells.iter().any(|it| it.starts_with("failed, ") && it.contains("no more than repeats")), "{lead:?}");
    // One sample of each size is not how samples of one size vary, and neither are other folders.
    for name in ["samples", "10"] {
        samples.cells = (0..cells.len()).map(|cell| vec![format!("{name}/{}", cell + 1)]).collect();
        assert!(Results::of(&samples).spreads.iter().all(|it| it.size.is_none()), "{name}");
    }
    samples.axes = vec!["hooks/50".to_owned()];
    assert!(Results::of(&samples).spreads.iter().all(|it| it.size.is_none()), "no traces");
}

fn study_of_two() -> Study {
    let mut random = Random::new(9);
    study(2, 6, 5, |_, _, _| figures([("response.p99", noisy(1000.0, 0.02, &mut random))]))
}

#[test]
fn a_study_of_one_cell_says_what_it_found() {
    let mut random = Random::new(9);
    let one = study(1, 6, 5, |_, _, _| {
        figures([("response.p50", noisy(1000.0, 0.02, &mut random)), ("rps.sustainedRate", 15.0), ("goodput", 14.0)])
    });
    let lead = Results::of(&one).lead(&one);
    assert_eq!(lead.title, "The study has one cell: nothing is compared.");
    assert_eq!(lead.cells.len(), 2, "{lead:?}");
    assert!(lead.cells[0].starts_with("response.p50: median ") && lead.cells[0].contains("over 6 runs (95 % interval"));
    assert_eq!(lead.cells[1], "rps.sustainedRate: median 15/s over 6 runs (95 % interval 15/s to 15/s).");
}

#[test]
fn ids_of_uploaded_traces_are_shown_by_their_first_digits() {
    let mut study = of_levels([1.0; 3], 1);
    study.axes = vec!["trace.upload".to_owned()];
    let ids = ["0a1b2c3d".repeat(8), "0a1b2c3d".to_owned(), "x".repeat(64)];
    study.cells = ids.map(|id| vec![id]).to_vec();
    assert_eq!(study.label(0), "trace.upload=0a1b2c3d0a1b");
    assert_eq!(
        (study.label(1), study.label(2)),
        ("trace.upload=0a1b2c3d".to_owned(), format!("trace.upload={}", "x".repeat(64)))
    );
}

#[test]
fn a_study_that_names_its_figures_makes_fewer_tests() {
    let mut random = Random::new(9);
    let mut some = study(3, 5, 5, |cell, _, _| {
        let p99 = noisy([1000.0, 1500.0, 1250.0][cell], 0.02, &mut random);
        figures([("response.p50", p99), ("response.p99", p99), ("failed", p99), ("coldStarts.share", p99)])
    });
    assert_eq!(
        (some.tests(), verdicts(&some, "response.p99")),
        (8, vec![(1, Verdict::NotShown), (2, Verdict::NotShown)])
    );
    let too_few = Results::of(&some).remarks.join("\n");
    assert!(too_few.contains("Take 6 runs of each cell, or compare fewer figures."), "{too_few}");
    some.figures = vec!["response.p99".to_owned()];
    let results = Results::of(&some);
    assert_eq!((some.tests(), verdicts(&some, "response.p99")[0]), (2, (1, Verdict::Worse)));
    assert!(results.compared.iter().chain(&Results::of(&some).compared).all(|it| it.indicator.name == "response.p99"));
    assert!(results.order.len() == 1 && results.spreads.len() == 1, "{results:?}");
    assert!(results.cells_csv(&some).contains("coldStarts.share"), "cells.csv has all figures");
    assert_eq!(results.compare_csv(&some).lines().count(), 3);
    some.is_chosen_afterwards = true;
    let chosen = Results::of(&some).remarks.concat();
    assert!(chosen.starts_with("The figures were chosen after the runs were made (response.p99): p is"), "{chosen}");
}

#[test]
fn a_figure_that_no_run_has_is_told() {
    let mut study = of_levels([1000.0, 1000.0, 1000.0], 7);
    study.figures = vec!["rps.sustainedRate".to_owned(), "response.p99".to_owned()];
    let remarks = Results::of(&study).remarks.join("\n");
    let expected = "Not compared, as no run of the cell or of its baseline has it: rps.sustainedRate.";
    assert!(remarks.contains(expected), "{remarks}");
}

#[test]
fn what_too_few_runs_cannot_show_of_the_order_is_told() {
    let results = Results::of(&of_levels([1000.0, 1200.0, 1400.0], 2));
    let order = results.order.iter().find(|it| it.indicator.name == "response.p99").expect("has one");
    assert_eq!((order.drift, order.rounds.is_ok()), (Err(Untested::TooFew), true));
    let remarks = results.remarks.join("\n");
    assert!(remarks.ends_with("Not tested, as the runs are too few: a drift over the study."), "{remarks}");
    let failed = results.order.iter().find(|it| it.indicator.name == "failed").expect("has one");
    assert_eq!(failed.drift, Err(Untested::Constant));
    let one = Results::of(&of_levels([1000.0, 1200.0, 1400.0], 1)).remarks.join("\n");
    assert!(one.contains("too few: a drift over the study, differences between rounds."), "{one}");
}
