//! What is to be known of a study before a number of it is believed, in sentences.

use super::{
    baseline::{baselines, is_baseline},
    compared::Compared,
    figures,
    input::{Outcome, Study},
    order::OrderEffects,
};
use crate::{
    compare::Verdict,
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
    remarks.extend(left_out(study));
    remarks.extend(without_samples(study));
    remarks.extend(without_baseline(study));
    remarks.extend(too_few(compared));
    remarks.extend(drift(study, order));
    remarks.extend(order.iter().filter_map(rounds));
    remarks.extend(order.iter().filter_map(place));
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
    let need = (1..MANY).find(|runs| least_p(*runs, *runs).is_some_and(|p| p * tests as f64 <= ALPHA))?;
    let fewer = if tests > 1 && best <= ALPHA { ", or compare fewer figures" } else { "" };
    let (adjusted, plural) = (adjusted.min(1.0), if tests == 1 { "" } else { "s" });
    Some(format!(
        "Too few runs to show a difference: the least p that they can have is {adjusted:.2} over {tests} test{plural}. Take {need} runs of \
         each cell{fewer}."
    ))
}

fn drift(study: &Study, order: &[OrderEffects]) -> Vec<String> {
    let say = |it: &OrderEffects| {
        let (rho, p) = it.drift.filter(|(_, p)| *p <= ALPHA)?;
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
    let found = it.rounds.filter(|found| found.p <= ALPHA)?;
    let name = &it.indicator.name;
    Some(format!(
        "{name} varies more between rounds than within: F {:.1}, p {}. Something else changed from round to round.",
        found.f,
        probability(found.p)
    ))
}

fn place(it: &OrderEffects) -> Option<String> {
    let (rho, p) = it.place.filter(|(_, p)| *p <= ALPHA)?;
    let way = if rho > 0.0 { "rises" } else { "falls" };
    let name = &it.indicator.name;
    Some(format!(
        "{name} {way} within each round (Spearman's ρ {rho:+.2}, p {}): runs influence those after them.",
        probability(p)
    ))
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
    let open = compared.iter().filter(|it| it.overlaps == Some(true) && it.verdict == Verdict::NotShown);
    let open: Vec<_> = open.map(|it| format!("{} of {}", it.indicator.name, study.label(it.cell))).collect();
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
