//! The live instances of a run: those that can be killed and paused, the oldest first.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::mpsc;

use crate::disturbance::Count;

/// Orders that wait for one instance.
const ORDERS: usize = 16;

/// What is done to a process from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// SIGKILL.
    Kill,
    /// SIGSTOP.
    Pause,
    /// SIGCONT.
    Resume,
}

/// The sender and the receiver of orders to one process.
pub(super) fn orders() -> (mpsc::Sender<Order>, mpsc::Receiver<Order>) {
    mpsc::channel(ORDERS)
}

/// The live instances of a run.
#[derive(Debug, Default)]
pub(super) struct LiveInstances(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// By the order in which they were started.
    instances: BTreeMap<u64, Live>,
    started: u64,
}

#[derive(Debug)]
struct Live {
    name: String,
    orders: mpsc::Sender<Order>,
    /// The disturbance that paused it.
    paused_by: Option<u32>,
}

/// Keeps an instance among the live ones, until it is dropped.
#[derive(Debug)]
pub(super) struct Registered {
    instances: Arc<LiveInstances>,
    key: u64,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.instances.known().instances.remove(&self.key);
    }
}

impl LiveInstances {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an instance that was started.
    pub(super) fn register(self: &Arc<Self>, name: String, orders: mpsc::Sender<Order>) -> Registered {
        let mut known = self.known();
        known.started += 1;
        let key = known.started;
        known.instances.insert(key, Live { name, orders, paused_by: None });
        Registered { instances: Arc::clone(self), key }
    }

    /// Kills `count` of them; their names.
    pub(super) fn kill(&self, count: Count) -> Vec<String> {
        let mut known = self.known();
        let wanted = count.of(known.instances.len());
        known.instances.values_mut().take(wanted).filter_map(|live| live.order(Order::Kill)).collect()
    }

    /// Pauses `count` of those that are not paused, by disturbance `number`; their names.
    pub(super) fn pause(&self, count: Count, number: u32) -> Vec<String> {
        let mut known = self.known();
        let running: Vec<_> = known.instances.values_mut().filter(|live| live.paused_by.is_none()).collect();
        let wanted = count.of(running.len());
        let paused = running.into_iter().take(wanted).filter_map(|live| {
            live.paused_by = Some(number);
            live.order(Order::Pause)
        });
        paused.collect()
    }

    /// Resumes those that disturbance `number` paused; without a number all that are paused. Their names.
    pub(super) fn resume(&self, number: Option<u32>) -> Vec<String> {
        let mut known = self.known();
        let is_meant = |live: &&mut Live| live.paused_by.is_some_and(|by| number.is_none_or(|number| number == by));
        let resumed = known.instances.values_mut().filter(is_meant).filter_map(|live| {
            live.paused_by = None;
            live.order(Order::Resume)
        });
        resumed.collect()
    }
}

impl Live {
    /// Gives an order; its name, unless it has just ended.
    fn order(&self, order: Order) -> Option<String> {
        self.orders.try_send(order).is_ok().then(|| self.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_come_first_and_what_is_paused_is_resumed_by_whom_it_was_paused() {
        let live = Arc::new(LiveInstances::default());
        let mut receivers = Vec::new();
        let mut registered = Vec::new();
        for name in ["c", "a", "b"] {
            let (send, receive) = orders();
            registered.push(live.register(name.to_owned(), send));
            receivers.push(receive);
        }
        assert_eq!(live.pause(Count::Number(1), 0), ["c"]);
        assert_eq!(live.pause(Count::Number(1), 1), ["a"]);
        assert_eq!(live.resume(Some(1)), ["a"]);
        assert_eq!(live.kill(Count::Number(2)), ["c", "a"]);
        drop(registered.remove(0));
        assert_eq!(live.pause(Count::All, 2), ["a", "b"]);
        assert_eq!((live.resume(Some(0)).len(), live.resume(None)), (0, vec!["a".to_owned(), "b".to_owned()]));
        let mut given = |place: usize| {
            let receiver: &mut mpsc::Receiver<Order> = &mut receivers[place];
            std::iter::from_fn(|| receiver.try_recv().ok()).collect::<Vec<_>>()
        };
        assert_eq!(given(0), [Order::Pause, Order::Kill]);
        assert_eq!(given(1), [Order::Pause, Order::Resume, Order::Kill, Order::Pause, Order::Resume]);
        receivers.clear();
        assert_eq!(live.kill(Count::All), [""; 0], "they have just ended");
    }
}
