//! What is to be known of a study before a number of it is believed, in sentences.

use super::{
    baseline::{baselines, is_baseline},
    compared::Compared,
    figures,
    input::{Outcome, Study},
    order::{OrderEffects, Untested},
};
use crate::{
    compare::Verdict,
    indicator::Indicator,
    statistics::{ALPHA, Clusters, holm, least_p},
};

/// Most entries of a list within a sentence.
const LISTED: usize = 5;

/// Runs that are looked for, at most, that would do.
const MANY: usize = 1000;

/// All remarks, the most important ones first.
pub(super) fn remarks(study: &Study, compared: &[Compared], order: &[OrderEffects]) -> Vec<String> {
    let mut remarks = Vec::new();
    remarks.extend(to_come(study));
    remarks.extend(chosen_afterwards(study));
    remarks.extend(left_out(study));
    remarks.extend(without_samples(study));
    remarks.extend(without_baseline(study));
    remarks.extend(without_values(study, compared));
    remarks.extend(too_few(compared));
    remarks.extend(drift(study, order));
    remarks.extend(order.iter().filter_map(rounds));
    remarks.extend(order.iter().filter_map(place));
    remarks.extend(untested(study, order));
    remarks.extend(bimodal(study));
    remarks.extend(overlaps(study, compared));
    remarks
}

/// A list, cut where it is long.
fn listed(entries: &[String]) -> String {
    let shown = entries.iter().take(LISTED).cloned().collect::<Vec<_>>().join("; ");
    match entries.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}

fn to_come(study: &Study) -> Option<String> {
    let count = study.runs.iter().filter(|run| run.outcome == Outcome::ToCome).count();
    (count > 0).then(|| format!("{count} of {} runs are still to come.", study.runs.len()))
}

/// Says so where the figures were chosen afterwards: Holm counts those that are compared, and not those that were looked at before.
fn chosen_afterwards(study: &Study) -> Option<String> {
    let names: Vec<_> = study.compared_figures().iter().map(|it| it.name.as_str()).collect();
    study.is_chosen_afterwards.then(|| {
        format!(
            "The figures were chosen after the runs were made ({}): p is corrected for these alone. If others were looked at before, what \
             is shown here may be chance; a study that names them beforehand settles it.",
            names.join(", ")
        )
    })
}

fn left_out(study: &Study) -> Option<String> {
    let reasons = study.reasons();
    let count: usize = reasons.values().sum();
    let reasons: Vec<_> = reasons.into_iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    (count > 0).then(|| format!("{count} of {} runs are left out: {}.", study.runs.len(), reasons.join(", ")))
}

fn without_samples(study: &Study) -> Option<String> {
    let has = |cell: usize| study.runs.iter().any(|run| run.cell == cell && run.outcome.figures().is_some());
    let empty: Vec<_> = (0..study.cells.len()).filter(|cell| !has(*cell)).map(|cell| study.label(cell)).collect();
    (!empty.is_empty()).then(|| format!("Cells without any sample: {}.", listed(&empty)))
}

fn without_baseline(study: &Study) -> Option<String> {
    let all = baselines(study).into_iter().enumerate();
    let lone = all.filter(|(cell, baseline)| baseline.is_none() && !is_baseline(study, *cell));
    let lone: Vec<_> = lone.map(|(cell, _)| study.label(cell)).collect();
    (!lone.is_empty())
        .then(|| format!("Cells whose baseline is not in the study, so that they are not compared: {}.", listed(&lone)))
}

/// Figures that are to be compared and are not, as no run of a cell or of its baseline has them. Of those that nobody named, and that no
/// run has at all, there is nothing to be said.
fn without_values(study: &Study, compared: &[Compared]) -> Option<String> {
    let pairs = baselines(study).into_iter().flatten().count();
    let samples: Vec<_> = study.runs.iter().filter_map(|run| run.outcome.figures()).collect();
    let is_known = |name: &str| !study.figures.is_empty() || samples.iter().any(|it| it.get(name).is_some());
    let of_figure = |(indicator, _): (&'static Indicator, _)| {
        let name = &indicator.name;
        match compared.iter().filter(|it| it.indicator == indicator).count() {
            0 => Some(name.clone()),
            found if found < pairs => Some(format!("{name} in {} of {pairs} cells", pairs - found)),
            _ => None,
        }
        .filter(|_| is_known(name))
    };
    let missing: Vec<_> = figures::compared(study).into_iter().filter_map(of_figure).collect();
    (!samples.is_empty() && pairs > 0 && !missing.is_empty())
        .then(|| format!("Not compared, as no run of the cell or of its baseline has it: {}.", listed(&missing)))
}

/// Says so where the runs are too few for any difference to be significant.
fn too_few(compared: &[Compared]) -> Option<String> {
    if !compared.is_empty() && compared.iter().all(|it| it.n.0.min(it.n.1) < 2) {
        return Some(
            "One run of a cell shows no difference: nothing says how much it would vary. Take 7 of each.".to_owned(),
        );
    }
    let tests = compared.iter().filter(|it| it.p.is_some()).count();
    let best = compared.iter().filter(|it| it.p.is_some()).filter_map(|it| least_p(it.n.0, it.n.1)).reduce(f64::min)?;
    let adjusted = best * tests as f64;
    if adjusted <= ALPHA {
        return None;
    }
    let need = fewest_runs(tests)?;
    let fewer = if tests > 1 && best <= ALPHA { ", or compare fewer figures" } else { "" };
    let (adjusted, plural) = (adjusted.min(1.0), if tests == 1 { "" } else { "s" });
    Some(format!(
        "Too few runs to show a difference: the least p that they can have is {adjusted:.2} over {tests} test{plural}. Take {need} runs of \
         each cell{fewer}."
    ))
}

/// The fewest runs of each cell of which so many tests together can show a difference; absent of more than a study can have.
pub fn fewest_runs(tests: usize) -> Option<usize> {
    (1..MANY).find(|runs| least_p(*runs, *runs).is_some_and(|p| p * tests as f64 <= ALPHA))
}

fn drift(study: &Study, order: &[OrderEffects]) -> Vec<String> {
    let say = |it: &OrderEffects| {
        let (rho, p) = it.drift.ok().filter(|(_, p)| *p <= ALPHA)?;
        let way = if rho > 0.0 { "rises" } else { "falls" };
        let order = match study.order.as_str() {
            "asGiven" => " The order was not drawn, so that this may look like an effect of the cells.",
            _ => "",
        };
        let name = &it.indicator.name;
        Some(format!(
            "{name} {way} over the study, whatever the cell (Spearman's ρ {rho:+.2}, p {}).{order}",
            probability(p)
        ))
    };
    order.iter().filter_map(say).collect()
}

fn rounds(it: &OrderEffects) -> Option<String> {
    let found = it.rounds.ok().filter(|found| found.p <= ALPHA)?;
    let name = &it.indicator.name;
    Some(format!(
        "{name} varies more between rounds than within: F {:.1}, p {}. Something else changed from round to round.",
        found.f,
        probability(found.p)
    ))
}

fn place(it: &OrderEffects) -> Option<String> {
    let (rho, p) = it.place.ok().filter(|(_, p)| *p <= ALPHA)?;
    let way = if rho > 0.0 { "rises" } else { "falls" };
    let name = &it.indicator.name;
    Some(format!(
        "{name} {way} within each round (Spearman's ρ {rho:+.2}, p {}): runs influence those after them.",
        probability(p)
    ))
}

/// Says so where nothing would have been found of a drift, or of rounds that differ: that none is told does not mean that there is none.
fn untested(study: &Study, order: &[OrderEffects]) -> Option<String> {
    let is_under_way = study.runs.iter().any(|run| run.outcome == Outcome::ToCome);
    let are_too_few = |of: fn(&OrderEffects) -> Option<Untested>| {
        let mut found = order.iter().map(of).filter(|it| *it != Some(Untested::Constant)).peekable();
        found.peek().is_some() && found.all(|it| it == Some(Untested::TooFew))
    };
    let drift = are_too_few(|it| it.drift.err()).then_some("a drift over the study");
    let rounds = are_too_few(|it| it.rounds.err()).then_some("differences between rounds");
    let what: Vec<_> = [drift, rounds].into_iter().flatten().collect();
    (!what.is_empty() && !is_under_way).then(|| format!("Not tested, as the runs are too few: {}.", what.join(", ")))
}

fn bimodal(study: &Study) -> Option<String> {
    let mut clusters = Clusters::default();
    let mut splits = Vec::new();
    for (indicator, _) in figures::compared(study) {
        for cell in 0..study.cells.len() {
            let values = study.values(cell, &indicator.name);
            let is_positive = values.iter().all(|value| *value > 0.0);
            let values: Vec<f64> = if is_positive { values.into_iter().map(f64::ln).collect() } else { values };
            let Some(split) = clusters.split(&values) else { continue };
            // What lies nearer to each other than the margin is the same for all that this study says.
            if is_positive && split.high - split.low < study.margin.ln_1p() {
                continue;
            }
            let shown = |value: f64| indicator.quantity().text(if is_positive { value.exp() } else { value });
            let (low, high) = (shown(split.low), shown(split.high));
            let (lower, upper) = (split.lower, values.len() - split.lower);
            let text =
                format!("{} of {} ({lower} runs about {low}, {upper} about {high})", indicator.name, study.label(cell));
            splits.push((split.p, text));
        }
    }
    let adjusted = holm(&splits.iter().map(|(p, _)| *p).collect::<Vec<_>>());
    let found = splits.into_iter().zip(adjusted).filter(|(_, p)| *p <= ALPHA);
    let found: Vec<_> = found.map(|((_, text), _)| text).collect();
    (!found.is_empty())
        .then(|| format!("Repeats that fall into two groups, so that no median describes them: {}.", listed(&found)))
}

fn overlaps(study: &Study, compared: &[Compared]) -> Option<String> {
    let is_open = |it: &&Compared| it.overlaps == Some(true) && it.verdict == Verdict::NotShown;
    let of_figure = |(indicator, _): (&'static Indicator, _)| {
        let open: Vec<_> = compared.iter().filter(|it| it.indicator == indicator).filter(is_open).collect();
        match open.as_slice() {
            [] => None,
            [one] => Some(format!("{} of {}", indicator.name, study.label(one.cell))),
            several => Some(format!("{} of {} cells", indicator.name, several.len())),
        }
    };
    let open: Vec<_> = figures::compared(study).into_iter().filter_map(of_figure).collect();
    (!open.is_empty()).then(|| {
        format!(
            "Intervals that overlap that of the baseline, with neither a difference nor equality shown: {}.",
            listed(&open)
        )
    })
}

/// A p as people read it.
pub(crate) fn probability(p: f64) -> String {
    if p < 0.0005 { "< 0.001".to_owned() } else { format!("{p:.3}") }
}
