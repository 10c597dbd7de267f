//! Latency against load, by slot.

use loader_proto::v1::{RpsFindings, SlotSummary};

use super::{
    entry::Entry,
    parts::{each, log_micros, micros},
};
use crate::{
    figure::{Axis, Facts, Figure, Layer, Mark, Quantity, Scale},
    run::Run,
};

/// p50 and p99 of slots, against a figure of each.
fn of_slots(figure: &mut Figure, runs: &[Run], is_meant: fn(&Run) -> bool, x: fn(&SlotSummary) -> f64) -> usize {
    let mut count = 0;
    for one in each(runs, 2) {
        let Some(summary) = one.run.summary().filter(|_| is_meant(one.run)) else { continue };
        let mut slots: Vec<_> = summary.slots.iter().filter(|slot| slot.phase != "warmup").collect();
        slots.sort_by(|one, other| x(one).total_cmp(&x(other)).then(one.slot.cmp(&other.slot)));
        count += slots.len();
        let points = |of: fn(&SlotSummary) -> Option<u64>| {
            let points = slots.iter().map(|slot| (x(slot), of(slot).map(|us| us as f64)));
            points.collect::<Vec<_>>()
        };
        figure.layers.push(Layer::Line(one.curve("p50", 0, points(|slot| slot.response_p50_us))));
        figure.layers.push(Layer::Line(one.curve("p99", 1, points(|slot| slot.response_p99_us))));
    }
    count
}

pub(super) fn latency(entry: &Entry, runs: &[Run]) -> Figure {
    let x = Axis::new("rate of the slot", Quantity::PerSecond, Scale::Linear);
    let mut figure = Figure::new(entry.name, entry.about, x, log_micros("response time"));
    let is_meant = |run: &Run| run.summary().is_some_and(|summary| summary.mode == "rps" && summary.slots.len() > 1);
    let slots = of_slots(&mut figure, runs, is_meant, |slot| slot.rps);
    let mut findings = Vec::new();
    for one in each(runs, 1) {
        let Some(rps) = one.run.summary().and_then(|summary| summary.rps.as_ref()) else { continue };
        findings.push(one.name(&capacity(rps)));
        let marks = [(rps.sustained_rate, "sustained"), (rps.unsustained_rate, "not sustained")];
        let marks = marks.into_iter().filter_map(|(rate, what)| Some((rate?, what)));
        figure.marks.extend(marks.map(|(at, what)| Mark { at, label: one.name(&format!("{what} {}", rate(at))) }));
    }
    figure.finding = findings.join("; ");
    figure.facts = Facts::new(
        format!("{slots} slots"),
        "succeeded invocations of each slot",
        "p50 of at least 2, p99 of at least 100",
    );
    figure
}

fn rate(rate: f64) -> String {
    Quantity::PerSecond.text((rate * 100.0).round() / 100.0)
}

/// The interval in which the capacity lies, in words.
pub(crate) fn capacity(findings: &RpsFindings) -> String {
    let RpsFindings { sustained_rate, unsustained_rate, at_least, unknown, .. } = findings;
    match (sustained_rate, unsustained_rate) {
        (Some(low), Some(high)) => format!("The capacity lies between {} and {}.", rate(*low), rate(*high)),
        (Some(low), None) if *at_least => format!("The capacity is at least {}.", rate(*low)),
        (Some(low), None) => format!("{} was sustained.", rate(*low)),
        (None, Some(high)) => format!("No rate was sustained; {} was not.", rate(*high)),
        (None, None) if !unknown.is_empty() => format!("The capacity is unknown: {unknown}."),
        (None, None) => "The capacity is unknown: no slot was judged.".to_owned(),
    }
}

pub(super) fn cold_sweep(entry: &Entry, runs: &[Run]) -> Figure {
    let x = Axis::new("cold starts", Quantity::PerSecond, Scale::Linear);
    let mut figure = Figure::new(entry.name, entry.about, x, log_micros("response time"));
    let is_meant = |run: &Run| run.summary().is_some_and(|summary| summary.mode == "coldstart");
    let per_second = |slot: &SlotSummary| slot.cold_starts as f64 * 1e6 / (slot.duration_us.max(1)) as f64;
    let slots = of_slots(&mut figure, runs, is_meant, per_second);
    let finding = |run: &Run| {
        let found = run.summary()?.coldstart.as_ref()?;
        let p50 = micros(run.summary()?.cold_starts.as_ref()?.latency_p50_us.map(|us| us as f64));
        Some(format!(
            "{} of {} planned cold starts met a function without instances; median response of cold ones {p50}",
            found.achieved, found.requested
        ))
    };
    figure.finding = runs.iter().filter_map(finding).collect::<Vec<_>>().join("; ") + ".";
    figure.facts = Facts::new(
        format!("{slots} slots"),
        "succeeded invocations of each slot, warm ones too",
        "p50 of at least 2, p99 of at least 100",
    );
    figure
}
