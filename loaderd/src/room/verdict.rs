//! What is asked for beside what is free.

use std::time::Duration;

use super::{
    demand::{Demand, Need, Timeline},
    placement::{Placement, place},
};
use crate::platform::{Amounts, NodeRoom};

/// What is scarce on a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// CPU that instances request, in thousandths of a processor.
    CpuRequests,
    /// Memory that instances request, in MiB.
    Memory,
    /// Instances.
    Instances,
    /// Processors that invocations keep busy.
    Processors,
}

impl Resource {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::CpuRequests, Self::Memory, Self::Instances, Self::Processors];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CpuRequests => "CPU requests",
            Self::Memory => "memory",
            Self::Instances => "instances",
            Self::Processors => "busy processors",
        }
    }

    /// Its unit; empty for a number.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::CpuRequests => "millicores",
            Self::Memory => "MiB",
            Self::Instances | Self::Processors => "",
        }
    }

    fn asked(self, demand: &Demand) -> f64 {
        match self {
            Self::CpuRequests => demand.requests.millicores as f64,
            Self::Memory => demand.requests.mib as f64,
            Self::Instances => demand.requests.instances as f64,
            Self::Processors => demand.processors,
        }
    }

    /// What is free of it. Processors that others have requested count as busy.
    fn free(self, free: Amounts) -> f64 {
        match self {
            Self::CpuRequests => free.millicores as f64,
            Self::Memory => free.mib as f64,
            Self::Instances => free.instances as f64,
            Self::Processors => free.millicores as f64 / 1000.0,
        }
    }
}

/// A resource: what is asked for, and what is free.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// Which resource.
    pub resource: Resource,
    /// What is free of it.
    pub free: f64,
    /// The mean over time of what is asked for.
    pub mean: f64,
    /// The most that a slot asks for.
    pub peak: f64,
    /// The first slot that asks for so much, and when it begins.
    pub peak_at: (usize, Duration),
    /// When the first slot begins that asks for more than is free; absent where none does.
    pub over_from: Option<Duration>,
    /// Slots that ask for more than is free.
    pub slots_over: usize,
}

/// Whether a load fits.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// By resource; those that instances do not request are left out.
    pub resources: Vec<Judged>,
    /// Whether the instances of the busiest slot find a node each.
    pub placement: Placement,
}

impl Verdict {
    /// Whether there is enough of everything at any time, and a node for each instance.
    pub fn fits(&self) -> bool {
        self.resources.iter().all(|it| it.slots_over == 0) && self.placement.placed == self.placement.instances
    }

    /// How many times the load the room is, were all that it asks for proportional to it; absent for a load that asks for nothing.
    pub fn proportion(&self) -> Option<f64> {
        let Placement { instances, placed } = self.placement;
        let placed = (placed < instances).then(|| placed as f64 / instances as f64);
        let ratios = self.resources.iter().filter(|it| it.peak > 0.0).map(|it| it.free / it.peak);
        ratios.chain(placed).min_by(f64::total_cmp)
    }
}

/// Compares a load with the room on nodes.
pub fn judge(needs: &[Need], timeline: &Timeline, nodes: &[NodeRoom]) -> Verdict {
    let free = nodes.iter().map(NodeRoom::free).fold(Amounts::default(), |sum, it| sum + it);
    let requested = needs.iter().map(|need| need.request).fold(Amounts::default(), |sum, it| sum + it);
    let is_scarce = |resource: &Resource| match resource {
        Resource::CpuRequests => requested.millicores > 0,
        Resource::Memory => requested.mib > 0,
        Resource::Instances => true,
        Resource::Processors => needs.iter().any(|need| need.processors > 0.0),
    };
    let resources = Resource::ALL.into_iter().filter(is_scarce);
    let placed = needs.iter().map(|need| need.request).zip(timeline.busiest.iter().copied());
    Verdict {
        resources: resources.map(|resource| judged(resource, &timeline.slots, resource.free(free))).collect(),
        placement: place(nodes, placed),
    }
}

fn judged(resource: Resource, slots: &[Demand], free: f64) -> Judged {
    let (mut area, mut length) = (0.0, 0.0);
    let mut judged =
        Judged { resource, free, mean: 0.0, peak: 0.0, peak_at: (0, Duration::ZERO), over_from: None, slots_over: 0 };
    for (slot, demand) in slots.iter().enumerate() {
        let asked = resource.asked(demand);
        area += asked * demand.length.as_secs_f64();
        length += demand.length.as_secs_f64();
        if asked > judged.peak {
            (judged.peak, judged.peak_at) = (asked, (slot, demand.begin));
        }
        if asked > free {
            judged.slots_over += 1;
            judged.over_from = judged.over_from.or(Some(demand.begin));
        }
    }
    judged.mean = if length > 0.0 { area / length } else { 0.0 };
    judged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::demand::tests::{need, of};

    fn node(millicores: u64, mib: u64, instances: u64) -> NodeRoom {
        let requested = Amounts { millicores: 100, mib: 100, instances: 1 };
        NodeRoom { name: "n".to_owned(), allocatable: Amounts { millicores, mib, instances } + requested, requested }
    }

    /// Each row: the nodes, by what it does not fit, and how many times the load there is room for. The load has three instances of
    /// 125 millicores and 200 MiB in its second minute, and keeps 1.5 processors busy.
    #[test]
    fn a_load_fits_where_everything_that_it_asks_for_is_free() {
        let needs = [need(), need()];
        let load = of(&needs, &[[0.1, 0.0], [1.2, 0.3], [0.0, 0.0]], 1.0);
        for (nodes, over, proportion) in [
            (vec![node(3000, 6000, 30)], vec![], 2.0),
            (vec![node(1500, 600, 3)], vec![], 1.0),
            (vec![node(1499, 600, 3)], vec!["busy processors"], 1499.0 / 1500.0),
            (vec![node(300, 6000, 30)], vec!["CPU requests", "busy processors"], 0.2),
            // Of 300 MiB one instance of 200 has a place.
            (vec![node(3000, 300, 30)], vec!["memory"], 1.0 / 3.0),
            (vec![node(3000, 6000, 1)], vec!["instances"], 1.0 / 3.0),
            (vec![node(1500, 300, 30), node(1500, 300, 30)], vec![], 2.0 / 3.0),
            (vec![], vec!["CPU requests", "memory", "instances", "busy processors"], 0.0),
        ] {
            let verdict = judge(&needs, &load, &nodes);
            let found: Vec<_> =
                verdict.resources.iter().filter(|it| it.slots_over > 0).map(|it| it.resource.as_str()).collect();
            assert_eq!(found, over, "{nodes:?}");
            assert!((verdict.proportion().expect("it asks") - proportion).abs() < 1e-9, "{verdict:?}");
            assert_eq!(verdict.fits(), proportion >= 1.0, "{verdict:?}");
        }
    }

    #[test]
    fn it_is_said_when_most_is_asked_for_and_since_when_it_is_too_much() {
        let needs = [need(), need()];
        let load = of(&needs, &[[1.0, 0.0], [1.2, 0.3], [3.0, 0.0], [0.0, 0.0]], 1.0);
        let verdict = judge(&needs, &load, &[node(300, 10_000, 100)]);
        let requests = verdict.resources[0];
        assert_eq!(requests.peak_at, (1, Duration::from_mins(1)));
        assert_eq!((requests.peak, requests.free), (375.0, 300.0));
        assert_eq!((requests.over_from, requests.slots_over), (Some(Duration::from_mins(1)), 2));
        // 125, 375, 375 and 0 for a minute each.
        assert!((requests.mean - 218.75).abs() < 1e-9, "{requests:?}");
    }

    #[test]
    fn what_nobody_requests_is_not_judged() {
        let request = Amounts { millicores: 0, mib: 10, instances: 1 };
        let needs = [Need { request, processors: 0.0, ..need() }, Need { request, processors: 0.0, ..need() }];
        let load = of(&needs, &[[1.0, 1.0]], 1.0);
        let verdict = judge(&needs, &load, &[node(0, 100, 9)]);
        let names: Vec<_> = verdict.resources.iter().map(|it| it.resource.as_str()).collect();
        assert_eq!(names, ["memory", "instances"]);
        assert!(verdict.fits());
        let nothing = judge(&needs, &of(&needs, &[[0.0, 0.0]], 1.0), &[]);
        assert!(nothing.fits() && nothing.proportion().is_none());
    }
}
