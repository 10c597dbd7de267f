//! The tables of a study.

use crate::{
    figure::{Quantity, text::escaped},
    indicator::Indicator,
    page::{
        table::{Cell, Table},
        units,
    },
    statistics::{Interval, Variances, size},
    study::{Outcome, Results, Study, Untested, probability},
};

/// Most rows of a table; cells.csv and compare.csv have all of them.
const ROWS: usize = 500;

/// A value in its unit.
pub(super) fn shown(quantity: Quantity, value: f64) -> String {
    match quantity {
        Quantity::Micros => units::micros(value),
        Quantity::Share => units::percent(value),
        Quantity::PerSecond => units::rate(value),
        Quantity::Number | Quantity::Seconds | Quantity::Mib | Quantity::Millicores | Quantity::Percentile => {
            units::ratio(value)
        }
    }
}

fn span(interval: Interval, text: impl Fn(f64) -> String) -> String {
    format!("{} – {}", text(interval.low), text(interval.high))
}

fn ratio(value: f64) -> String {
    format!("{value:.3}")
}

/// Cuts a table, and says so in its caption.
fn cut(mut table: Table) -> Table {
    let more = table.rows.len().saturating_sub(ROWS);
    if more > 0 {
        table.rows.truncate(ROWS);
        table.caption = format!("{}; {more} more rows are in the study's CSV files", table.caption);
    }
    table
}

/// Each cell against its baseline.
pub(super) fn compared(study: &Study, results: &Results) -> Table {
    let head = ["figure", "cell", "baseline", "verdict", "ratio", "p (Holm)", "δ", "n"];
    let mut table = Table::new("Medians of cells over those of their baselines, with 95 % intervals", &head).sortable();
    table.rows = results
        .compared
        .iter()
        .map(|it| {
            let bounds = it.interval.map(|bounds| span(bounds, ratio)).unwrap_or_default();
            let p = it.p.map(|p| format!("p {}", probability(p))).unwrap_or_default();
            vec![
                Cell::name(&it.indicator.name),
                Cell::text(study.label(it.cell)),
                Cell::text(study.label(it.baseline)),
                Cell::text(it.verdict.words()),
                Cell::number(it.ratio, ratio).with(bounds),
                Cell::number(it.p_holm, probability).with(p),
                Cell::number(it.delta, |delta| format!("{delta:+.2}"))
                    .with(it.delta.map_or("", |delta| size(delta).word())),
                Cell::word(&format!("{} + {}", it.n.0, it.n.1)),
            ]
        })
        .collect();
    cut(table)
}

/// What is compared, and how it was found.
pub(super) fn method(study: &Study, results: &Results) -> String {
    let figures = study.compared_figures();
    let names = |wanted: &dyn Fn(&Indicator) -> bool| {
        let names = figures.iter().filter(|it| wanted(it)).map(|it| it.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let by = match (study.figures.is_empty(), study.is_chosen_afterwards) {
        (true, _) => "as the study names none",
        (false, true) => "chosen afterwards",
        (false, false) => "as the study names them",
    };
    let unknown = names(&|figure| !results.cells.iter().any(|it| it.indicator == figure));
    let unknown = if unknown.is_empty() { String::new() } else { format!(" No run has {unknown}.") };
    format!(
        "<p class=\"note\">Compared, {by}: {}.{unknown} A sample is a run. Ratio: of the medians, bootstrap over runs. p: Mann-Whitney, after \
         Holm over all tests of the study. δ: Cliff's. Better and worse: p of at most 0.05, and 1 is outside the interval of the ratio. Same: \
         the interval lies within {:.3} – {:.3}. All else is not shown; that is not equality. See docs/studies.md.</p>\n",
        names(&|_| true),
        1.0 / (1.0 + study.margin),
        1.0 + study.margin
    )
}

/// The effect of each value of an axis.
pub(super) fn axes(study: &Study, results: &Results) -> Table {
    let head = ["axis", "value", "against", "figure", "ratio", "pairs of cells"];
    let mut table =
        Table::new("Effect of each axis: geometric mean over the values of the other axes, with 95 % intervals", &head);
    table.rows = results
        .axes
        .iter()
        .map(|it| {
            vec![
                Cell::text(study.axes.get(it.axis).map_or("", String::as_str)),
                Cell::text(&it.value),
                Cell::text(&it.reference),
                Cell::name(&it.indicator.name),
                Cell::number(Some(it.ratio), ratio)
                    .with(it.interval.map(|bounds| span(bounds, ratio)).unwrap_or_default()),
                Cell::count(it.pairs as u64),
            ]
        })
        .collect();
    cut(table)
}

/// The figures of each cell that are compared.
pub(super) fn cells(study: &Study, results: &Results) -> Table {
    let mut table = Table::new(
        "Medians over the runs of each cell, with their intervals",
        &["figure", "cell", "median", "n", "left out"],
    )
    .sortable();
    table.rows = results
        .shown_cells(study)
        .map(|it| {
            let quantity = it.indicator.quantity();
            let below = match it.interval {
                Some(bounds) => span(bounds, |value| shown(quantity, value)),
                None if it.n == 0 => "no run has it".to_owned(),
                None => "too few runs for an interval".to_owned(),
            };
            vec![
                Cell::name(&it.indicator.name),
                Cell::text(study.label(it.cell)),
                Cell::number(it.median, |value| shown(quantity, value)).with(below),
                Cell::count(it.n as u64),
                Cell::count(it.left_out as u64),
            ]
        })
        .collect();
    cut(table)
}

/// What the order of the runs does to each figure.
pub(super) fn order(results: &Results) -> Table {
    let head = [
        "figure",
        "drift over the study (ρ)",
        "variance between rounds / within (F)",
        "of the variance",
        "place in the round (ρ)",
    ];
    let mut table =
        Table::new("Figures without the medians of their cells: what the order of the runs does, p after Holm", &head);
    let rho = |found: Result<(f64, f64), Untested>| match found {
        Ok((rho, p)) => Cell::number(Some(rho), |rho| format!("{rho:+.2}")).with(format!("p {}", probability(p))),
        Err(untested) => Cell::number(None, probability).with(untested.words()),
    };
    let rounds = |found: Result<Variances, Untested>| match found {
        Ok(found) => [
            Cell::number(Some(found.f), |f| format!("{f:.2}")).with(format!("p {}", probability(found.p))),
            Cell::number(Some(found.between / (found.between + found.within)), units::percent).with("between rounds"),
        ],
        Err(untested) => [Cell::number(None, probability).with(untested.words()), Cell::number(None, units::percent)],
    };
    table.rows = results
        .order
        .iter()
        .map(|it| {
            let [f, share] = rounds(it.rounds);
            vec![Cell::name(&it.indicator.name), rho(it.drift), f, share, rho(it.place)]
        })
        .collect();
    table
}

/// The runs: all of them where they are few, else those that are left out.
pub(super) fn runs(study: &Study) -> String {
    let left: Vec<_> = study.reasons().into_iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    let counted =
        if left.is_empty() { String::new() } else { format!("<p>Left out: {}.</p>\n", escaped(&left.join(", "))) };
    let is_whole = study.runs.len() <= ROWS;
    let caption = if is_whole { "Runs in the order in which they are made" } else { "Runs that are left out" };
    let mut table = Table::new(caption, &["number", "run", "cell", "round", "repeat", "left out"]).sortable();
    let rows = study.runs.iter().enumerate().filter(|(_, run)| is_whole || matches!(run.outcome, Outcome::LeftOut(_)));
    table.rows = rows
        .map(|(number, run)| {
            let state = match &run.outcome {
                Outcome::Sample(_) => "",
                Outcome::LeftOut(reason) => reason,
                Outcome::ToCome => "to come",
            };
            vec![
                Cell::count(number as u64 + 1),
                Cell::text(&run.id),
                Cell::text(study.label(run.cell)),
                Cell::count(u64::from(run.round) + 1),
                Cell::count(u64::from(run.repeat) + 1),
                Cell::text(state),
            ]
        })
        .collect();
    counted + &cut(table).html()
}
