//! A function's instances and calls as a pure state machine: events go in, decisions come out.
//!
//! ```text
//!                 Started           Ready             idle for the stable window, or closed
//! wants_instance ─────────▶ Starting ─────▶ Ready ───────────────────────────────────────▶ Stopping ──Gone──▶ (none)
//!                              └─────────────┴──── Lost: it can take no more calls ────────────▲
//! ```
//!
//! The rule: as many instances are wanted as calls at work and waiting need, at least the minimum (until the first
//! stable window has passed: the initial number), at most the maximum. More start at once; fewer only as instances have
//! been idle for the stable window. Calls are handed out first come, first served, each to the oldest instance with a
//! free slot, so that under a light load the younger ones become idle and stop.
//!
//! No clock and no I/O: `now` counts from when the function was made.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use super::{backoff::Backoff, rule::Rule};
use crate::platform::Scale;

/// An instance of the function; older ones have lower numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct InstanceId(pub(super) u64);

/// A call; earlier ones have lower numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct CallId(pub(super) u64);

/// An event of a call or an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// A call arrived.
    Called(CallId),
    /// A call is over, at work or while it waited.
    Ended(CallId),
    /// Capacity was available and a process was started.
    Started(InstanceId),
    /// An instance can take calls.
    Ready(InstanceId),
    /// An instance can take no more calls; its process may still be running.
    Lost(InstanceId),
    /// An instance's process has ended.
    Gone(InstanceId),
    /// From now on idle instances are stopped.
    Released,
    /// Time has passed: instances may have become idle for long enough.
    Tick,
}

/// A decision of the scaler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Give the call to the instance.
    Assign(CallId, InstanceId),
    Stop(InstanceId),
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Starting,
    Ready { in_flight: u32, idle_since: Duration },
    Stopping,
}

#[derive(Debug, Clone, Copy)]
struct Instance {
    since: Duration,
    stage: Stage,
}

/// The state machine of one function.
#[derive(Debug)]
pub(super) struct Scaler {
    rule: Rule,
    instances: BTreeMap<InstanceId, Instance>,
    queue: BTreeSet<CallId>,
    at_work: HashMap<CallId, InstanceId>,
    /// When the initial number no longer applies: a stable window after it was reached.
    initial_until: Option<Duration>,
    backoff: Backoff,
    started: u64,
    closed: bool,
    /// Whether no instance is stopped, even when idle.
    held: bool,
}

impl Scaler {
    /// A function without instances at the instant 0. One that is `held` keeps its instances until [`Event::Released`].
    pub(super) fn new(rule: Rule, held: bool) -> Self {
        Self {
            rule,
            instances: BTreeMap::new(),
            queue: BTreeSet::new(),
            at_work: HashMap::new(),
            initial_until: (rule.initial == 0).then_some(Duration::ZERO),
            backoff: Backoff::default(),
            started: 0,
            closed: false,
            held,
        }
    }

    /// Applies an event and decides.
    pub(super) fn on(&mut self, event: Event, now: Duration) -> Vec<Decision> {
        match event {
            Event::Called(call) => {
                self.queue.insert(call);
            }
            Event::Ended(call) => self.ended(call, now),
            Event::Started(instance) => {
                self.started += 1;
                self.instances.insert(instance, Instance { since: now, stage: Stage::Starting });
            }
            Event::Ready(instance) => self.ready(instance, now),
            Event::Lost(instance) => self.lost(instance, now),
            Event::Gone(instance) => {
                self.lost(instance, now);
                self.instances.remove(&instance);
            }
            Event::Released => self.held = false,
            Event::Tick => {}
        }
        self.decide(now)
    }

    /// Stops all instances and starts no more. Queued calls are dropped.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.queue.clear();
        for instance in self.instances.values_mut() {
            instance.stage = Stage::Stopping;
        }
    }

    /// Whether no instance is left.
    pub(super) fn is_empty(&self) -> bool {
        self.instances.is_empty()
    }

    /// Whether the function should acquire capacity for one more instance now.
    pub(super) fn wants_instance(&self, now: Duration) -> bool {
        self.desired(now) > self.alive() && self.backoff.waits_until(now).is_none()
    }

    /// Whether the initial number of instances has been reached.
    pub(super) fn is_initialised(&self) -> bool {
        self.initial_until.is_some()
    }

    /// Rounds of instances that ended soon after their start.
    pub(super) fn failed_rounds(&self) -> u32 {
        self.backoff.rounds()
    }

    /// When [`Event::Tick`] is due at the latest, if nothing else happens. It may come sooner.
    pub(super) fn next_tick(&self, now: Duration) -> Option<Duration> {
        let wants = self.desired(now) > self.alive();
        let retry = self.backoff.waits_until(now).filter(|_| wants);
        let initial_end = self.initial_until.filter(|at| *at > now && !self.held);
        let expiry = if !self.held && self.alive() > self.needed(now) { self.expiries().min() } else { None };
        [retry, initial_end, expiry].into_iter().flatten().min()
    }

    /// The numbers at `now`.
    pub(super) fn scale(&self, now: Duration) -> Scale {
        let running = self.count(|stage| matches!(stage, Stage::Ready { .. }));
        let unready = self.count(|stage| matches!(stage, Stage::Starting));
        let desired = self.desired(now);
        Scale {
            desired,
            running,
            unready,
            pending: desired.saturating_sub(running + unready),
            terminating: self.count(|stage| matches!(stage, Stage::Stopping)),
            queue: Some(saturated(self.queue.len())),
            started: self.started,
        }
    }

    fn ended(&mut self, call: CallId, now: Duration) {
        let Some(instance) = self.at_work.remove(&call) else {
            self.queue.remove(&call);
            return;
        };
        if let Some(Instance { stage: Stage::Ready { in_flight, idle_since }, .. }) = self.instances.get_mut(&instance)
        {
            *in_flight = in_flight.saturating_sub(1);
            *idle_since = now;
        }
    }

    fn ready(&mut self, id: InstanceId, now: Duration) {
        let Some(instance) = self.instances.get_mut(&id) else { return };
        if matches!(instance.stage, Stage::Starting) {
            instance.stage = Stage::Ready { in_flight: 0, idle_since: now };
        }
        let running = self.count(|stage| matches!(stage, Stage::Ready { .. }));
        if running >= self.rule.initial && self.initial_until.is_none() {
            self.initial_until = Some(now + self.rule.stable_window);
        }
    }

    fn lost(&mut self, id: InstanceId, now: Duration) {
        let Some(instance) = self.instances.get_mut(&id) else { return };
        if !matches!(instance.stage, Stage::Stopping) {
            instance.stage = Stage::Stopping;
            let lived = now.saturating_sub(instance.since);
            self.backoff.failed(now, lived);
        }
    }

    fn decide(&mut self, now: Duration) -> Vec<Decision> {
        let mut decisions = Vec::new();
        while let Some(call) = self.queue.first().copied()
            && let Some((id, in_flight)) = free_slot(&mut self.instances, self.rule.concurrency)
        {
            *in_flight += 1;
            self.queue.remove(&call);
            self.at_work.insert(call, id);
            decisions.push(Decision::Assign(call, id));
        }
        let mut surplus = if self.held { 0 } else { self.alive().saturating_sub(self.needed(now)) };
        let window = self.rule.stable_window;
        for (id, instance) in self.instances.iter_mut().rev() {
            if surplus > 0
                && let Stage::Ready { in_flight: 0, idle_since } = instance.stage
                && now >= idle_since + window
            {
                instance.stage = Stage::Stopping;
                decisions.push(Decision::Stop(*id));
                surplus -= 1;
            }
        }
        decisions
    }

    /// When the idle instances have been idle for the stable window.
    fn expiries(&self) -> impl Iterator<Item = Duration> {
        self.instances.values().filter_map(|instance| match instance.stage {
            Stage::Ready { in_flight: 0, idle_since } => Some(idle_since + self.rule.stable_window),
            Stage::Ready { .. } | Stage::Starting | Stage::Stopping => None,
        })
    }

    /// Instances that the calls need, within the bounds.
    fn needed(&self, now: Duration) -> u32 {
        if self.closed {
            return 0;
        }
        let at_work = self.instances.values().map(|instance| match instance.stage {
            Stage::Ready { in_flight, .. } => in_flight,
            Stage::Starting | Stage::Stopping => 0,
        });
        let load = at_work.fold(saturated(self.queue.len()), u32::saturating_add);
        let initial_is_over = !self.held && self.initial_until.is_some_and(|at| now >= at);
        self.rule.needed(load, if initial_is_over { self.rule.min } else { self.rule.initial })
    }

    /// The desired scale: the needed instances, and those that are kept through their window.
    fn desired(&self, now: Duration) -> u32 {
        self.needed(now).max(self.alive())
    }

    /// Instances that take calls or soon will.
    fn alive(&self) -> u32 {
        self.count(|stage| !matches!(stage, Stage::Stopping))
    }

    fn count(&self, which: impl Fn(&Stage) -> bool) -> u32 {
        saturated(self.instances.values().filter(|instance| which(&instance.stage)).count())
    }
}

/// The oldest instance with a free slot, and its number of calls.
fn free_slot(instances: &mut BTreeMap<InstanceId, Instance>, concurrency: u32) -> Option<(InstanceId, &mut u32)> {
    instances.iter_mut().find_map(|(id, instance)| match &mut instance.stage {
        Stage::Ready { in_flight, .. } if *in_flight < concurrency => Some((*id, in_flight)),
        Stage::Ready { .. } | Stage::Starting | Stage::Stopping => None,
    })
}

fn saturated(count: usize) -> u32 {
    crate::units::to_u32(count)
}

#[cfg(test)]
mod tests;
