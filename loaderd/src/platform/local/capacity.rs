//! The capacity that all functions of all runs share: a number of instances and an amount of memory, both bounded, so that
//! functions never overload the loader or the host.
//!
//! What does not fit waits, first come, first served, as pods wait for a node. Each function waits for one permit at a
//! time, so that functions take turns, however many instances one of them needs. Nothing is evicted for a waiting
//! function: permits are released as stable windows pass, as in Kubernetes.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::platform::Amounts;

/// Memory of an instance in addition to that of its invocations, in MiB (`trace-func` itself uses 2–4).
const OWN_MIB: u32 = 4;

/// The instances and the memory that all functions of the platform share.
#[derive(Debug)]
pub(super) struct Capacity {
    max_instances: u32,
    memory_mib: u32,
    instances: Arc<Semaphore>,
    memory: Arc<Semaphore>,
}

/// Instances that are needed at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Demand {
    pub(super) instances: u32,
    /// Most memory that an invocation asks for, in MiB.
    pub(super) peak_memory_mib: u32,
}

/// The right to start one instance. Dropping it releases the capacity.
#[derive(Debug)]
pub(super) struct CapacityPermit {
    _memory: OwnedSemaphorePermit,
    _instance: OwnedSemaphorePermit,
}

impl Capacity {
    /// Capacity for `max_instances` instances that together use at most `memory_mib` MiB.
    pub(super) fn new(max_instances: u32, memory_mib: u32) -> Self {
        let semaphore = |permits: u32| {
            let permits = usize::try_from(permits).unwrap_or(Semaphore::MAX_PERMITS);
            Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)))
        };
        Self { max_instances, memory_mib, instances: semaphore(max_instances), memory: semaphore(memory_mib) }
    }

    /// All that there is, and what of it is taken.
    pub(super) fn amounts(&self) -> (Amounts, Amounts) {
        let all = Amounts { millicores: 0, mib: self.memory_mib.into(), instances: self.max_instances.into() };
        let free = |semaphore: &Semaphore| semaphore.available_permits() as u64;
        let free = Amounts { millicores: 0, mib: free(&self.memory), instances: free(&self.instances) };
        (all, all.less(free))
    }

    /// Why the demanded instances can never run at the same time; absent when they can.
    pub(super) fn refusal(&self, demands: impl IntoIterator<Item = Demand>) -> Option<String> {
        let (mut instances, mut memory) = (0_u64, 0_u64);
        for demand in demands {
            instances += u64::from(demand.instances);
            memory += u64::from(demand.instances) * u64::from(cost(demand.peak_memory_mib));
        }
        if instances > u64::from(self.max_instances) {
            return Some(format!(
                "{instances} instances are needed at the same time, but the local platform allows {}: lower the initial or \
                 minimum scale, or raise local.max_instances",
                self.max_instances
            ));
        }
        (memory > u64::from(self.memory_mib)).then(|| {
            format!(
                "{memory} MiB of memory are needed at the same time, but the local platform may use {} MiB: lower the scale \
                 or the memory of invocations, or raise local.memory_ratio",
                self.memory_mib
            )
        })
    }

    /// Waits for a permit. Dropping the future leaves the queue.
    ///
    /// Memory is always acquired before the number, which excludes a deadlock.
    pub(super) async fn acquire(self: Arc<Self>, peak_memory_mib: u32) -> CapacityPermit {
        let memory = acquire(&self.memory, cost(peak_memory_mib)).await;
        let instance = acquire(&self.instances, 1).await;
        CapacityPermit { _memory: memory, _instance: instance }
    }
}

/// The memory that an instance is given, in MiB.
pub(super) fn cost(peak_memory_mib: u32) -> u32 {
    peak_memory_mib.saturating_add(OWN_MIB)
}

async fn acquire(semaphore: &Arc<Semaphore>, permits: u32) -> OwnedSemaphorePermit {
    match Arc::clone(semaphore).acquire_many_owned(permits).await {
        Ok(permit) => permit,
        // Only a closed semaphore refuses, and these are never closed.
        Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::{FutureExt as _, future::BoxFuture};
    use tokio::time::timeout;

    use super::*;

    fn permit(capacity: &Arc<Capacity>, peak_memory_mib: u32) -> BoxFuture<'static, CapacityPermit> {
        Box::pin(Arc::clone(capacity).acquire(peak_memory_mib))
    }

    #[test]
    fn a_demand_above_the_capacity_is_refused() {
        let capacity = Capacity::new(3, 100);
        for (demands, refused) in [
            (&[(1, 96)][..], false),
            (&[(1, 97)], true),
            (&[(2, 46)], false),
            (&[(2, 47)], true),
            (&[(3, 1)], false),
            (&[(4, 1)], true),
            (&[(2, 10), (1, 60)], false),
            (&[(2, 10), (1, 70)], true),
            (&[(2, 1), (2, 1)], true),
            (&[(0, 5000)], false),
            (&[], false),
        ] {
            let all = demands.iter().map(|(instances, peak)| Demand { instances: *instances, peak_memory_mib: *peak });
            assert_eq!(capacity.refusal(all).is_some(), refused, "{demands:?}");
        }
    }

    #[tokio::test]
    async fn both_bounds_hold_and_dropped_permits_are_available_again() {
        let capacity = Arc::new(Capacity::new(2, 100));
        let first = permit(&capacity, 10).await;
        let second = permit(&capacity, 10).await;
        assert!(permit(&capacity, 10).now_or_never().is_none(), "a third instance got in");
        let amounts = |mib, instances| Amounts { millicores: 0, mib, instances };
        assert_eq!(capacity.amounts(), (amounts(100, 2), amounts(28, 2)));
        drop(first);
        assert!(permit(&capacity, 90).now_or_never().is_none(), "memory went over its bound");
        drop(second);
        assert!(permit(&capacity, 90).now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_queue_is_first_come_first_served_and_can_be_left() {
        let capacity = Arc::new(Capacity::new(1, 1000));
        let held = permit(&capacity, 10).await;
        let (mut leaves, mut second, mut third) = (permit(&capacity, 10), permit(&capacity, 10), permit(&capacity, 10));
        for waiting in [&mut leaves, &mut second, &mut third] {
            assert!(timeout(Duration::from_secs(1), waiting).await.is_err());
        }
        drop(leaves);
        drop(held);
        assert!((&mut third).now_or_never().is_none(), "the third overtook the second");
        let got = (&mut second).now_or_never();
        assert!(got.is_some());
        drop(got);
        assert!(third.now_or_never().is_some());
    }
}
