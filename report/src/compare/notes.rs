//! What is to be known of a comparison, in sentences.

use super::{group::Group, row::Row};
use crate::statistics::{ALPHA, FEWEST_FOR_INTERVAL, least_p};

/// Runs that are looked for, at most, that would do.
const MANY: usize = 1000;

/// What is wrong with groups of which no run can be compared.
pub(super) fn without_samples(groups: &[&Group]) -> Option<String> {
    let empty = groups.iter().filter(|group| group.samples.is_empty());
    let faults: Vec<_> = empty.map(|group| format!("no run of {} is left ({})", group.name, counted(group))).collect();
    (!faults.is_empty()).then(|| faults.join("; "))
}

/// Why runs were left out, and how many.
fn counted(group: &Group) -> String {
    let reasons: Vec<_> = group.reasons().into_iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    if reasons.is_empty() { "it has none".to_owned() } else { format!("left out: {}", reasons.join(", ")) }
}

/// The notes, the most important ones first.
pub(super) fn notes(a: &Group, b: &Group, rows: &[Row], is_single: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if is_single {
        notes.push(
            "A group has one run: nothing can be shown, as one run does not tell how the next would come out. Intervals are within \
             the run. Take 5 runs a group or more."
                .to_owned(),
        );
    } else {
        notes.extend(too_few(rows));
        let fewest = a.samples.len().min(b.samples.len());
        if fewest < FEWEST_FOR_INTERVAL {
            notes.push(format!(
                "Fewer than {FEWEST_FOR_INTERVAL} runs a group have no interval of the ratio: its range over all pairs of runs is \
                 shown, and equality cannot be shown."
            ));
        }
    }
    let functions = |group: &Group| {
        group.samples.iter().flat_map(|it| it.functions.clone()).collect::<std::collections::BTreeSet<_>>()
    };
    let (of_a, of_b) = (functions(a), functions(b));
    if !of_a.is_empty() && !of_b.is_empty() && of_a.is_disjoint(&of_b) {
        notes.push("The groups have no function in common.".to_owned());
    }
    for group in [a, b] {
        let runs = |is_meant: fn(&super::Sample) -> bool| {
            let runs = group
                .samples
                .iter()
                .filter(|it| is_meant(it))
                .map(|it| if it.id.is_empty() { &it.label } else { &it.id });
            runs.map(String::as_str).collect::<Vec<_>>().join(", ")
        };
        let (changed, unknown) = (runs(|it| it.is_changed), runs(|it| it.asked.is_none()));
        if !changed.is_empty() {
            notes.push(format!(
                "Files of these runs of {} are missing, or not as the runs left them: {changed}.",
                group.name
            ));
        }
        if !unknown.is_empty() {
            notes.push(format!("What these runs of {} asked for is not known: {unknown}.", group.name));
        }
    }
    notes
}

/// Says so where the runs are too few for any difference to be significant.
fn too_few(rows: &[Row]) -> Option<String> {
    let tested: Vec<&Row> = rows.iter().filter(|row| row.p.is_some()).collect();
    let figures = tested.len();
    let least = |row: &&Row| least_p(row.a.values.len(), row.b.values.len());
    let best = tested.iter().filter_map(least).reduce(f64::min)?;
    let adjusted = best * figures as f64;
    if adjusted <= ALPHA {
        return None;
    }
    let need = (1..MANY).find(|runs| least_p(*runs, *runs).is_some_and(|p| p * figures as f64 <= ALPHA))?;
    let fewer = if figures > 1 && best <= ALPHA { ", or name fewer figures" } else { "" };
    let adjusted = adjusted.min(1.0);
    Some(format!(
        "Too few runs to show a difference: the least p that they can have is {adjusted:.2} over {figures} figure{}. Take {need} runs a \
         group{fewer}.",
        if figures == 1 { "" } else { "s" }
    ))
}
