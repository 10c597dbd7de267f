//! What a load is expected to take of its platform, slot by slot.

use std::time::Duration;

use super::kept::Kept;
use crate::{
    platform::{Amounts, Scaling},
    warmup::needed,
};

/// What a function's instances take, and how many there may be.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// What an instance requests.
    pub request: Amounts,
    /// The bounds of its scale.
    pub scaling: Scaling,
    /// Processors that an invocation keeps busy while it runs: one, or none for functions that do not compute.
    pub processors: f64,
    /// Processors that an instance may use at most; absent: no bound.
    pub limit: Option<f64>,
}

/// What a load takes in a slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    /// When the slot begins, from the start of the load.
    pub begin: Duration,
    /// Its length.
    pub length: Duration,
    /// What its instances request together.
    pub requests: Amounts,
    /// Processors that its invocations keep busy.
    pub processors: f64,
}

/// What a load takes over time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timeline {
    /// By slot, in order.
    pub slots: Vec<Demand>,
    /// Instances of each function in the slot that requests most, by the scarcest resource.
    pub busiest: Vec<u32>,
    /// The number of that slot.
    pub busiest_slot: usize,
}

/// The demand of a load whose `slots` have these lengths and concurrencies by function, with `share` of its rate. `free` says which
/// resource is the scarcest. Nothing when it is no longer wanted.
pub fn timeline(
    needs: &[Need],
    slots: impl Iterator<Item = (Duration, Vec<f64>)>,
    share: f64,
    (free, stable_window): (Amounts, Duration),
    is_wanted: &dyn Fn() -> bool,
) -> Option<Timeline> {
    let mut kept = vec![Kept::default(); needs.len()];
    let (mut timeline, mut begin, mut most) = (Timeline::default(), Duration::ZERO, -1.0);
    for (slot, (length, concurrency)) in slots.enumerate() {
        if !is_wanted() {
            return None;
        }
        let mut demand = Demand { begin, length, requests: Amounts::default(), processors: 0.0 };
        let end = begin + length;
        let in_slot = needs.iter().zip(&mut kept).zip(concurrency).map(|((need, kept), concurrency)| {
            let concurrency = concurrency * share;
            let needed = instances(need, concurrency, slot == 0);
            let window = need.scaling.stable_window.unwrap_or(stable_window);
            let instances = kept.in_slot(begin, end, needed, window);
            demand.requests = demand.requests + need.request.times(instances.into());
            let limit = need.limit.map_or(f64::INFINITY, |limit| limit * f64::from(instances));
            demand.processors += (concurrency * need.processors).min(limit);
            instances
        });
        let in_slot: Vec<u32> = in_slot.collect();
        let scarcest = scarcity(demand.requests, free);
        if scarcest > most {
            (most, timeline.busiest, timeline.busiest_slot) = (scarcest, in_slot, slot);
        }
        timeline.slots.push(demand);
        begin = end;
    }
    Some(timeline)
}

/// Instances for a concurrency within the bounds of scale; in the first slot at least those that the function starts with.
fn instances(need: &Need, concurrency: f64, is_first: bool) -> u32 {
    let Scaling { initial, min, max, container_concurrency, stable_window: _ } = need.scaling;
    let at_first = if is_first { initial } else { 0 };
    needed(concurrency, container_concurrency).max(at_first).max(min).min(max.unwrap_or(u32::MAX))
}

/// The greatest ratio of what is requested to what is free.
fn scarcity(requests: Amounts, free: Amounts) -> f64 {
    let ratio = |asked: u64, free: u64| asked as f64 / free.max(1) as f64;
    ratio(requests.millicores, free.millicores)
        .max(ratio(requests.mib, free.mib))
        .max(ratio(requests.instances, free.instances))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A function whose instance requests 125 millicores and 200 MiB.
    pub(in crate::room) fn need() -> Need {
        Need {
            request: Amounts { millicores: 125, mib: 200, instances: 1 },
            scaling: Scaling { initial: 0, min: 0, max: None, container_concurrency: 1, stable_window: None },
            processors: 1.0,
            limit: Some(1.0),
        }
    }

    pub(in crate::room) const FREE: Amounts = Amounts { millicores: 1000, mib: 10_000, instances: 100 };

    /// The demand of two functions with these concurrencies in slots of a minute.
    pub(in crate::room) fn of(needs: &[Need], slots: &[[f64; 2]], share: f64) -> Timeline {
        let slots = slots.iter().map(|slot| (Duration::from_mins(1), slot.to_vec()));
        timeline(needs, slots, share, (FREE, Duration::ZERO), &|| true).expect("is wanted")
    }

    #[test]
    fn instances_follow_the_concurrency_of_each_function() {
        let found = of(&[need(), need()], &[[0.1, 0.0], [1.2, 0.3], [0.0, 0.0]], 1.0);
        let requests: Vec<_> = found.slots.iter().map(|it| it.requests.instances).collect();
        assert_eq!(requests, [1, 3, 0]);
        let Demand { begin, length, requests, processors } = &found.slots[1];
        assert_eq!((*begin, *length), (Duration::from_mins(1), Duration::from_mins(1)));
        assert_eq!(*requests, Amounts { millicores: 375, mib: 600, instances: 3 });
        assert!((processors - 1.5).abs() < 1e-9, "{processors}");
        assert_eq!((found.busiest, found.busiest_slot), (vec![2, 1], 1));
        // At half the rate.
        let half = of(&[need(), need()], &[[0.1, 0.0], [1.2, 0.3]], 0.5);
        assert_eq!(half.slots[1].requests.instances, 2);
    }

    #[test]
    fn scales_have_bounds_and_instances_a_limit_of_processors() {
        let bounded = |initial, min, max, container_concurrency| Need {
            scaling: Scaling { initial, min, max, container_concurrency, stable_window: None },
            ..need()
        };
        for (need, concurrency, first, later) in [
            (bounded(3, 0, None, 1), 1.5, 3, 2),
            (bounded(0, 4, None, 1), 0.0, 4, 4),
            (bounded(0, 0, Some(2), 1), 7.0, 2, 2),
            (bounded(0, 0, None, 4), 9.0, 3, 3),
        ] {
            assert_eq!((instances(&need, concurrency, true), instances(&need, concurrency, false)), (first, later));
        }
        // Four invocations at a time in one instance that may use one processor, and in one without a limit.
        let limits = [Some(1.0), None].map(|limit| Need { limit, ..bounded(0, 0, None, 4) });
        let found = of(&limits, &[[4.0, 4.0]], 1.0);
        assert!((found.slots[0].processors - 5.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn idle_instances_are_kept_for_the_stable_window() {
        let own =
            Need { scaling: Scaling { stable_window: Some(Duration::from_secs(90)), ..need().scaling }, ..need() };
        let found = of(&[need(), own], &[[2.0, 2.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]], 1.0);
        let instances: Vec<_> = found.slots.iter().map(|it| it.requests.instances).collect();
        assert_eq!(instances, [4, 2, 2, 0]);
    }

    #[test]
    fn nothing_is_made_that_nobody_wants() {
        let slots = [(Duration::from_mins(1), vec![1.0])].into_iter();
        assert_eq!(timeline(&[need()], slots, 1.0, (FREE, Duration::ZERO), &|| false), None);
    }
}
