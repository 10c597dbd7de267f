//! Whether a plan fits its platform.

use loader_proto::v1;

use super::time::span;
use crate::{
    platform::{Allocatable, Amounts, NodeRoom},
    room::{Judged, Placement, Resource, Verdict},
    run::Fitting,
    units,
};

/// A room that is not known, and why.
pub(in crate::control) fn unknown_room(unknown: String) -> v1::PlanRoom {
    v1::PlanRoom { unknown, ..v1::PlanRoom::default() }
}

/// The room of a plan on nodes.
pub(in crate::control) fn known_room(allocatable: &Allocatable, fitting: &Fitting) -> v1::PlanRoom {
    let Allocatable { nodes, stable_window: _ } = allocatable;
    let Fitting { verdict, busiest_slot, functions, rate } = fitting;
    let Verdict { resources, placement } = verdict;
    let Placement { instances, placed } = *placement;
    v1::PlanRoom {
        unknown: String::new(),
        fits: Some(verdict.fits()),
        nodes: nodes.iter().map(node).collect(),
        resources: resources.iter().map(resource).collect(),
        instances,
        placed_instances: placed,
        proportion: verdict.proportion(),
        fitting_functions: *functions,
        fitting_rate: *rate,
        busiest_slot: units::to_u32(*busiest_slot),
    }
}

fn node(room: &NodeRoom) -> v1::RoomNode {
    let NodeRoom { name, allocatable, requested } = room;
    v1::RoomNode { name: name.clone(), allocatable: Some(amounts(*allocatable)), requested: Some(amounts(*requested)) }
}

fn amounts(amounts: Amounts) -> v1::RoomAmounts {
    let Amounts { millicores, mib, instances } = amounts;
    v1::RoomAmounts { cpu_millicores: millicores, memory_mib: mib, instances }
}

fn resource(judged: &Judged) -> v1::RoomResource {
    let &Judged { resource, free, mean, peak, peak_at: (peak_slot, peak_at), over_from, slots_over } = judged;
    v1::RoomResource {
        resource: Resource::as_str(resource).to_owned(),
        unit: Resource::unit(resource).to_owned(),
        free,
        mean,
        peak,
        peak_slot: units::to_u32(peak_slot),
        peak_at: Some(span(peak_at)),
        slots_over: units::to_u32(slots_over),
        over_from: over_from.map(span),
        fits: slots_over == 0,
    }
}
