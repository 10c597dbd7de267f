//! Mode burst: before and during.

use loader_proto::v1::{BurstFindings, Distribution};

use super::{
    entry::Entry,
    parts::{each, micros},
};
use crate::{
    figure::{Axis, Bars, Facts, Figure, Layer, Quantity, Scale, Segment},
    run::Run,
};

/// The groups of invocations, as people call them.
fn groups(findings: &BurstFindings) -> [(&'static str, &Option<Distribution>); 4] {
    let BurstFindings { steady_before_us, steady_during_us, bursty_before_us, burst_us, .. } = findings;
    [
        ("steady, before", steady_before_us),
        ("steady, during", steady_during_us),
        ("bursty, before", bursty_before_us),
        ("the burst", burst_us),
    ]
}

pub(super) fn burst(entry: &Entry, runs: &[Run]) -> Figure {
    let x = Axis::new("response time", Quantity::Micros, Scale::Linear);
    let mut figure = Figure::new(entry.name, entry.about, x, Axis::new("", Quantity::Number, Scale::Linear));
    let (mut categories, mut counts, mut finding) = (Vec::new(), Vec::new(), Vec::new());
    let mut segments = ["p50", "p90", "max"].map(|name| Segment { name: name.to_owned(), values: Vec::new() });
    for one in each(runs, 1) {
        let Some(findings) = one.run.summary().and_then(|summary| summary.burst.as_ref()) else { continue };
        for (name, distribution) in groups(findings) {
            let Distribution { count, p50, p90, max, .. } = (*distribution).unwrap_or_default();
            categories.push(one.name(name));
            counts.push(count.to_string());
            for (segment, value) in segments.iter_mut().zip([p50, p90, max]) {
                segment.values.push(value.map(|us| us as f64));
            }
        }
        let median = |it: &Option<Distribution>| micros(it.as_ref().and_then(|it| it.p50).map(|us| us as f64));
        let (before, during) = (median(&findings.steady_before_us), median(&findings.steady_during_us));
        finding.push(format!("Steady's median response was {before} before the burst and {during} during it."));
    }
    figure.finding = finding.join(" ");
    let filter = "succeeded; before: within the hold, during: until a second after the burst";
    figure.facts = Facts::new(format!("n = {} invocations", counts.join(" + ")), filter, "p90 of at least 10");
    figure.layers.push(Layer::Bars(Bars { categories, segments: segments.to_vec(), is_stacked: false }));
    figure
}
