//! Ends calls that were not answered in time, or whose run was cancelled.
//!
//! One task does that for all calls of a worker: a timer and a place among those that wait for the cancellation would cost each
//! call more than sending it.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::{Rc, Weak},
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::call;
use crate::{
    clock::Clock,
    invoke::{cancellation::Cancellation, outcome::Status, transport::wait::Unanswered},
};

/// How many calls that have ended may be among those that wait.
const MOST_ENDED: usize = 1024;

/// The calls of a worker that may be cancelled together.
pub(super) struct Watch {
    cancellation: Cancellation,
    cancelled: Cell<Option<Status>>,
    /// In the order in which their time is over. Some have ended in the meantime.
    waiting: RefCell<VecDeque<Waiting>>,
    /// How many have not ended.
    open: Cell<usize>,
    /// The first one is another, or there will be no more.
    changed: Rc<Notify>,
}

struct Waiting {
    until: Instant,
    call: call::Shared,
}

impl Watch {
    /// Watches calls, and the task that does so as long as anyone holds it.
    pub(super) fn new(cancellation: &Cancellation, clock: Clock) -> (Rc<Self>, impl Future<Output = ()> + use<>) {
        let watch = Rc::new(Self {
            cancellation: cancellation.clone(),
            cancelled: Cell::default(),
            waiting: RefCell::default(),
            open: Cell::new(0),
            changed: Rc::default(),
        });
        let watching = run(Rc::downgrade(&watch), cancellation.clone(), Rc::clone(&watch.changed), clock);
        (watch, watching)
    }

    /// Whether it is that cancellation which ends its calls.
    pub(super) fn is_of(&self, cancellation: &Cancellation) -> bool {
        self.cancellation.is_same(cancellation)
    }

    /// Ends the call when its time is over, unless the returned value is dropped before.
    pub(super) fn add(self: &Rc<Self>, call: &call::Shared, until: Instant) -> Watched {
        if let Some(status) = self.cancelled.get() {
            call.borrow_mut().give_up(Unanswered::Cancelled(status));
        }
        self.open.set(self.open.get() + 1);
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() > MOST_ENDED + 2 * self.open.get() {
            waiting.retain(|waiting| !waiting.call.borrow().is_over());
        }
        // All calls of a run have the same time, so that this one is mostly the last.
        let is_last = waiting.back().is_none_or(|last| last.until <= until);
        let place = if is_last { waiting.len() } else { waiting.partition_point(|before| before.until <= until) };
        waiting.insert(place, Waiting { until, call: Rc::clone(call) });
        if place == 0 {
            self.changed.notify_one();
        }
        Watched(Rc::clone(self))
    }

    /// Ends the calls whose time is over; returns when the next one's is.
    fn expire(&self, now: Instant) -> Option<Instant> {
        let mut waiting = self.waiting.borrow_mut();
        while let Some(Waiting { until, call }) = waiting.front() {
            let mut call = call.borrow_mut();
            if !call.is_over() {
                if *until > now {
                    return Some(*until);
                }
                call.give_up(Unanswered::TimedOut);
            }
            drop(call);
            waiting.pop_front();
        }
        None
    }

    fn cancel(&self, status: Status) {
        self.cancelled.set(Some(status));
        for Waiting { until: _, call } in self.waiting.take() {
            call.borrow_mut().give_up(Unanswered::Cancelled(status));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.changed.notify_one();
    }
}

/// A call that is watched until this is dropped.
pub(super) struct Watched(Rc<Watch>);

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get() - 1);
    }
}

async fn run(watch: Weak<Watch>, cancellation: Cancellation, changed: Rc<Notify>, clock: Clock) {
    loop {
        let next = match watch.upgrade() {
            Some(watch) => watch.expire(clock.now()),
            None => return,
        };
        let over = async {
            match next {
                Some(next) => sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            status = cancellation.cancelled() => {
                watch.upgrade().iter().for_each(|watch| watch.cancel(status));
                return;
            }
            () = over => {}
            () = changed.notified() => {}
        }
    }
}
