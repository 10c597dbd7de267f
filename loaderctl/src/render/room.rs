//! Whether a plan fits its platform.

use loader_proto::v1::{PlanRoom, PlanSummary, RoomAmounts, RoomNode, RoomResource};

use super::{
    table,
    units::{digits, duration, known, rate, wire_duration},
};

/// The verdict with its reasons, what would fit, and the figures behind them.
pub(crate) fn room(room: &PlanRoom, plan: &PlanSummary, shown: usize) -> String {
    let PlanRoom { unknown, fits, nodes, resources, .. } = room;
    if fits.is_none() {
        return format!("\nRoom\nunknown: {unknown}\n");
    }
    let mut text = format!("\nRoom\n{}", verdict(room, plan));
    text.push_str(&table::figures(
        &["resource", "mean", "peak", "in slot", "at", "free"],
        resources.iter().map(resource).collect(),
    ));
    text.push('\n');
    text.push_str(&table::first(
        &["node", "millicores free", "of", "MiB free", "of", "instances free", "of"],
        nodes.iter().map(node).collect(),
        shown,
    ));
    text
}

/// A line for whether it fits, one for each reason why not, one for what would.
fn verdict(room: &PlanRoom, plan: &PlanSummary) -> String {
    let beginning = if plan.open_ended { " (its beginning: open-ended)" } else { "" };
    let mut lines = Vec::new();
    if room.fits == Some(true) {
        lines.push(format!("fits{beginning}"));
    } else {
        lines.push(format!("does not fit{beginning}"));
        lines.extend(room.resources.iter().filter(|it| !it.fits).map(|it| excess(it, plan)));
        if room.placed_instances < room.instances {
            let (slot, placed, instances) = (room.busiest_slot, room.placed_instances, room.instances);
            lines.push(format!("  nodes: {placed} of the {instances} instances of slot {slot} find one with room"));
        }
    }
    lines.extend(would_fit(room, plan));
    lines.join("\n") + "\n\n"
}

/// Which resource is exceeded: by how much, when, and since when.
fn excess(resource: &RoomResource, plan: &PlanSummary) -> String {
    let RoomResource { resource: name, unit, free, peak, peak_slot, peak_at, slots_over, over_from, .. } = resource;
    let slots = plan.slot_plans.len().max(plan.slots as usize);
    let [peak_at, over_from] = [peak_at, over_from].map(|at| wire_duration(*at).map(duration).unwrap_or_default());
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    format!(
        "  {name}: {}{unit} asked at {peak_at} (slot {peak_slot}), {} free; too much in {slots_over} of {slots} slots, from {over_from} on",
        amount(*peak),
        amount(*free),
    )
}

/// Which size would fit.
fn would_fit(room: &PlanRoom, plan: &PlanSummary) -> Option<String> {
    let fits = room.fits == Some(true);
    let proportion = room.proportion.map(|it| format!("the room is {} times what is asked for", digits(it)));
    let functions = room.fitting_functions.map(|functions| match functions {
        0 => "not even one function like the mean one would fit".to_owned(),
        1 => format!("about one function would fit (in proportion: {} are planned)", plan.functions),
        _ => format!("about {functions} functions would fit (in proportion: {} are planned)", plan.functions),
    });
    let rate = room
        .fitting_rate
        .map(|share| format!("at {share:.2} of its rate it would fit: a peak of {}", rate(plan.peak_rate * share)));
    let no_rate = (!fits && room.fitting_rate.is_none() && room.fitting_functions.is_none())
        .then(|| "no share of its rate was found that fits".to_owned());
    let parts: Vec<_> = [proportion, functions, rate, no_rate].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// A whole number without decimals, any other with three digits.
fn amount(amount: f64) -> String {
    if amount.fract() == 0.0 { format!("{amount:.0}") } else { digits(amount) }
}

fn resource(resource: &RoomResource) -> Vec<String> {
    let RoomResource { resource: name, unit, free, mean, peak, peak_slot, peak_at, .. } = resource;
    let name = if unit.is_empty() { name.clone() } else { format!("{name}, {unit}") };
    let at = known(wire_duration(*peak_at), duration);
    vec![name, digits(*mean), amount(*peak), peak_slot.to_string(), at, amount(*free)]
}

fn node(node: &RoomNode) -> Vec<String> {
    let RoomNode { name, allocatable, requested } = node;
    let (all, taken) = (allocatable.unwrap_or_default(), requested.unwrap_or_default());
    let pair = |of: fn(&RoomAmounts) -> u64| [of(&all).saturating_sub(of(&taken)).to_string(), of(&all).to_string()];
    let figures = [pair(|it| it.cpu_millicores), pair(|it| it.memory_mib), pair(|it| it.instances)];
    std::iter::once(name.clone()).chain(figures.into_iter().flatten()).collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use prost_types::Duration;

    use super::*;
    use crate::render::fixtures;

    fn resource(name: &str, unit: &str, (mean, peak, free): (f64, f64, f64)) -> RoomResource {
        let at = |seconds| Some(Duration { seconds, nanos: 0 });
        let fits = peak <= free;
        RoomResource {
            resource: name.to_owned(),
            unit: unit.to_owned(),
            free,
            mean,
            peak,
            peak_slot: 2,
            peak_at: at(120),
            slots_over: u32::from(!fits),
            over_from: at(120).filter(|_| !fits),
            fits,
        }
    }

    fn too_much() -> PlanRoom {
        let amounts =
            |cpu_millicores, memory_mib, instances| Some(RoomAmounts { cpu_millicores, memory_mib, instances });
        PlanRoom {
            unknown: String::new(),
            fits: Some(false),
            nodes: vec![RoomNode {
                name: "worker-1".to_owned(),
                allocatable: amounts(2000, 7933, 110),
                requested: amounts(1200, 1024, 5),
            }],
            resources: vec![
                resource("CPU requests", "millicores", (501.5, 1000.0, 800.0)),
                resource("memory", "MiB", (900.0, 1500.0, 6909.0)),
                resource("instances", "", (4.2, 8.0, 105.0)),
                resource("busy processors", "", (0.412, 0.7, 0.8)),
            ],
            instances: 8,
            placed_instances: 6,
            proportion: Some(0.75),
            fitting_functions: Some(1),
            fitting_rate: Some(0.5),
            busiest_slot: 2,
        }
    }

    #[test]
    fn what_does_not_fit_says_by_what_and_what_would() {
        assert_snapshot!(room(&too_much(), &fixtures::plan(), 20));
    }

    #[test]
    fn what_fits_says_by_how_much() {
        let mut fitting = too_much();
        fitting.resources.remove(0);
        let fitting = PlanRoom {
            fits: Some(true),
            placed_instances: 8,
            proportion: Some(1.14),
            fitting_functions: Some(2),
            fitting_rate: None,
            ..fitting
        };
        assert_snapshot!(room(&fitting, &fixtures::plan(), 20));
    }

    #[test]
    fn what_is_not_known_does_not_fit() {
        let unknown = PlanRoom { unknown: "no room is known".to_owned(), ..PlanRoom::default() };
        assert_eq!(room(&unknown, &fixtures::plan(), 20), "\nRoom\nunknown: no room is known\n");
    }
}
