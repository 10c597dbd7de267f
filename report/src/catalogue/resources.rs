//! Instances, nodes, pods and the autoscaler over time.

use super::{
    entry::Entry,
    parts::{One, each, load_end, over_time, percent},
};
use crate::{
    figure::{Axis, Facts, Figure, Layer, Quantity, Scale},
    run::{Run, Track},
};

/// Nodes that have a curve of their own.
const NODES: usize = 6;

/// Curves of the values of a track.
fn curves<const N: usize>(figure: &mut Figure, one: &One<'_>, track: &Track<N>, names: &[(usize, &str)]) {
    for (number, (place, name)) in names.iter().filter(|(place, _)| track.has(*place)).enumerate() {
        let points = track.of(*place).map(|(at, value)| (one.run.since_start(at), value));
        figure.layers.push(Layer::Line(one.curve(name, number, points)));
    }
}

pub(super) fn instances(entry: &Entry, runs: &[Run]) -> Figure {
    let mut figure = over_time(entry.name, entry.about, runs, Axis::new("instances", Quantity::Number, Scale::Linear));
    let mut most = 0.0_f64;
    for one in each(runs, 3) {
        let track = &one.run.samples.instances;
        most = most.max(track.max(1).unwrap_or_default());
        let end = load_end(one.run);
        let names = [(0, "desired"), (1, "running"), (2, "pending")];
        for (number, (place, name)) in names.into_iter().filter(|(place, _)| track.max(*place) > Some(0.0)).enumerate()
        {
            let last = track.of(place).last();
            let held = last.zip(end).map(|((_, value), end)| (end, value));
            let points = track.of(place).map(|(at, value)| (one.run.since_start(at), value));
            let held = held.filter(|(end, _)| last.is_some_and(|(at, _)| one.run.since_start(at) < *end));
            figure.layers.push(Layer::Step(one.curve(name, number, points.chain(held))));
        }
    }
    figure.finding = format!("At most {} instances were running.", Quantity::Number.text(most));
    figure.facts = Facts::new("the state after each change, at most one a second", "sum of all functions", "");
    figure
}

pub(super) fn node_cpu(entry: &Entry, runs: &[Run]) -> Figure {
    nodes(entry, runs, 0, "CPU in use")
}

pub(super) fn node_memory(entry: &Entry, runs: &[Run]) -> Figure {
    nodes(entry, runs, 1, "memory in use")
}

/// A share of each node; of many nodes those that use most.
fn nodes(entry: &Entry, runs: &[Run], place: usize, label: &str) -> Figure {
    let mut figure = over_time(entry.name, entry.about, runs, Axis::new(label, Quantity::Share, Scale::Linear));
    let (mut most, mut count) = (0.0_f64, 0);
    for one in each(runs, NODES) {
        let mut nodes: Vec<_> = one.run.samples.nodes.iter().filter(|(_, node)| node.usage.has(place)).collect();
        count += nodes.len();
        nodes.sort_by(|one, other| {
            other.1.usage.max(place).unwrap_or(0.0).total_cmp(&one.1.usage.max(place).unwrap_or(0.0))
        });
        for (number, (name, node)) in nodes.into_iter().take(NODES).enumerate() {
            most = most.max(node.usage.max(place).unwrap_or_default());
            let points = node.usage.of(place).map(|(at, value)| (one.run.since_start(at), value));
            figure.layers.push(Layer::Line(one.curve(name, number, points)));
        }
    }
    figure.finding = format!("The busiest node reached {} of what it can allocate.", percent(most));
    figure.facts = Facts::new(
        format!("n = {count} {}", if count == 1 { "node" } else { "nodes" }),
        format!("at most {NODES} of a run are shown, those that used most"),
        "",
    );
    figure
}

pub(super) fn allocation(entry: &Entry, runs: &[Run]) -> Figure {
    let mut figure = over_time(entry.name, entry.about, runs, Axis::new("CPU", Quantity::Millicores, Scale::Linear));
    for one in each(runs, 2) {
        for (number, (place, name)) in [(3, "in use"), (2, "requested")].into_iter().enumerate() {
            let mut sums = std::collections::BTreeMap::<i64, f64>::new();
            for node in one.run.samples.nodes.values() {
                for (at, value) in node.usage.of(place) {
                    if let Some(value) = value {
                        *sums.entry(at.div_euclid(1_000_000)).or_default() += value;
                    }
                }
            }
            let points = sums.into_iter().map(|(second, sum)| (one.run.since_start(second * 1_000_000), Some(sum)));
            let points: Vec<_> = points.collect();
            if !points.is_empty() {
                figure.layers.push(Layer::Line(one.curve(name, number, points)));
            }
        }
    }
    figure.finding = "What pods on the nodes requested of CPU, and what they used.".to_owned();
    figure.facts = Facts::new("sums over the nodes that were sampled in a second", "pods of all namespaces", "");
    figure
}

pub(super) fn pod_cpu(entry: &Entry, runs: &[Run]) -> Figure {
    pods(entry, runs, 0, Axis::new("CPU", Quantity::Millicores, Scale::Linear))
}

pub(super) fn pod_memory(entry: &Entry, runs: &[Run]) -> Figure {
    pods(entry, runs, 1, Axis::new("memory", Quantity::Mib, Scale::Linear))
}

fn pods(entry: &Entry, runs: &[Run], place: usize, axis: Axis) -> Figure {
    let quantity = axis.quantity;
    let mut figure = over_time(entry.name, entry.about, runs, axis);
    let most = runs.iter().filter_map(|run| run.samples.pods.max(place)).fold(0.0, f64::max);
    for one in each(runs, 1) {
        curves(&mut figure, &one, &one.run.samples.pods, &[(place, "pods of the run")]);
    }
    figure.finding = format!("At most {} at once.", quantity.text(most));
    figure.facts = Facts::new("each sample", "sum of the run's pods", "");
    figure
}

pub(super) fn autoscaler(entry: &Entry, runs: &[Run]) -> Figure {
    let y = Axis::new("pods and invocations", Quantity::Number, Scale::Linear);
    let mut figure = over_time(entry.name, entry.about, runs, y);
    for one in each(runs, 3) {
        let names = [(0, "desired pods"), (1, "running pods"), (2, "activator's queue")];
        curves(&mut figure, &one, &one.run.samples.autoscaler, &names);
    }
    figure.finding = "What the autoscaler wanted and had, and what waited for it.".to_owned();
    figure.facts = Facts::new("each sample", "sums over the functions of the run", "");
    figure
}

pub(super) fn asked_memory(entry: &Entry, runs: &[Run]) -> Figure {
    let mut figure = over_time(entry.name, entry.about, runs, Axis::new("memory", Quantity::Mib, Scale::Linear));
    for one in each(runs, 1) {
        let slots = one.run.samples.slots.iter();
        let points = slots.map(|slot| (one.run.since_start(slot.start_unix_us), slot.memory_peak_mib));
        figure.layers.push(Layer::Step(one.curve("greatest of the slot", 0, points)));
    }
    figure.finding = "The greatest memory that invocations in flight asked for together, in each slot.".to_owned();
    figure.facts = Facts::new("one value a slot", "all invocations in flight", "greatest value");
    figure
}
