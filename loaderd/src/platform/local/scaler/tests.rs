//! Tables for each rule, and a model that is driven by random events.

use proptest::{
    collection::vec,
    prelude::{Strategy, any, prop_oneof},
    prop_assert, prop_assert_eq, prop_assume, proptest,
    test_runner::TestCaseError,
};

use super::*;
use crate::platform::testkit;

const WINDOW: Duration = Duration::from_secs(10);
const ZERO: Duration = Duration::ZERO;

fn rule(initial: u32, min: u32, max: u32, concurrency: u32) -> Rule {
    Rule { initial, min, max, concurrency, stable_window: WINDOW }
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Starts and readies instances as long as the scaler wants some; they get the numbers from `next` on.
fn grow(scaler: &mut Scaler, next: &mut u64, now: Duration) -> Vec<Decision> {
    let mut decisions = Vec::new();
    while scaler.wants_instance(now) {
        *next += 1;
        decisions.extend(scaler.on(Event::Started(InstanceId(*next)), now));
        decisions.extend(scaler.on(Event::Ready(InstanceId(*next)), now));
    }
    decisions
}

fn assign(call: u64, instance: u64) -> Decision {
    Decision::Assign(CallId(call), InstanceId(instance))
}

#[test]
fn a_call_at_zero_starts_one_instance_and_gets_it() {
    let mut scaler = Scaler::new(rule(0, 0, 10, 1), false);
    assert!(!scaler.wants_instance(ZERO));
    assert!(scaler.is_initialised());
    assert_eq!(scaler.on(Event::Called(CallId(1)), ZERO), []);
    assert_eq!(scaler.scale(ZERO), Scale { desired: 1, pending: 1, queue: Some(1), ..testkit::idle() });
    assert!(scaler.wants_instance(ZERO));
    assert_eq!(scaler.on(Event::Started(InstanceId(1)), ZERO), []);
    assert_eq!(scaler.scale(ZERO), Scale { desired: 1, unready: 1, queue: Some(1), started: 1, ..testkit::idle() });
    assert!(!scaler.wants_instance(ZERO));
    assert_eq!(scaler.on(Event::Ready(InstanceId(1)), ZERO), [assign(1, 1)]);
    assert_eq!(scaler.scale(ZERO), Scale { desired: 1, running: 1, started: 1, ..testkit::idle() });
}

#[test]
fn calls_go_to_the_oldest_instance_with_a_free_slot() {
    let mut scaler = Scaler::new(rule(3, 0, 10, 2), false);
    grow(&mut scaler, &mut 0, ZERO);
    for (call, instance) in [(1, 1), (2, 1), (3, 2)] {
        assert_eq!(scaler.on(Event::Called(CallId(call)), ZERO), [assign(call, instance)]);
    }
    scaler.on(Event::Ended(CallId(1)), ZERO);
    assert_eq!(scaler.on(Event::Called(CallId(4)), ZERO), [assign(4, 1)]);
}

#[test]
fn what_is_held_stays_until_it_is_released() {
    let mut scaler = Scaler::new(rule(2, 0, 10, 1), true);
    grow(&mut scaler, &mut 0, ZERO);
    let much_later = 50 * WINDOW;
    assert_eq!(scaler.next_tick(ZERO), None);
    assert_eq!(scaler.on(Event::Tick, much_later), []);
    assert_eq!(scaler.scale(much_later).running, 2);
    assert_eq!(scaler.on(Event::Released, much_later), [Decision::Stop(InstanceId(2)), Decision::Stop(InstanceId(1))]);
}

#[test]
fn an_idle_instance_goes_after_the_window_and_the_youngest_first() {
    let mut scaler = Scaler::new(rule(0, 1, 10, 1), false);
    let mut next = 0;
    for call in 1..=3 {
        scaler.on(Event::Called(CallId(call)), ZERO);
    }
    grow(&mut scaler, &mut next, ZERO);
    for call in 1..=3 {
        scaler.on(Event::Ended(CallId(call)), secs(call));
    }
    assert_eq!(scaler.next_tick(secs(3)), Some(secs(11)));
    assert_eq!(scaler.on(Event::Tick, secs(11) - Duration::from_nanos(1)), []);
    assert_eq!(scaler.on(Event::Tick, secs(11)), [Decision::Stop(InstanceId(1))]);
    assert_eq!(scaler.on(Event::Tick, secs(60)), [Decision::Stop(InstanceId(3))]);
    assert_eq!(scaler.next_tick(secs(60)), None, "the minimum stays for ever");
    assert_eq!(scaler.scale(secs(60)), Scale { desired: 1, running: 1, terminating: 2, started: 3, ..testkit::idle() });
}

#[test]
fn the_initial_number_binds_for_one_window_after_it_was_reached() {
    let mut scaler = Scaler::new(rule(2, 0, 10, 1), false);
    let mut next = 0;
    assert_eq!(scaler.scale(secs(90)).pending, 2);
    assert!(!scaler.is_initialised());
    grow(&mut scaler, &mut next, secs(90));
    assert!(scaler.is_initialised());
    scaler.on(Event::Lost(InstanceId(2)), secs(95));
    assert_eq!(scaler.scale(secs(95)).pending, 1, "replaced within the window");
    assert_eq!(scaler.scale(secs(100)).pending, 0, "not replaced after it");
}

#[test]
fn an_instance_that_is_lost_takes_no_call_and_is_replaced_when_needed() {
    let mut scaler = Scaler::new(rule(0, 0, 10, 1), false);
    let mut next = 0;
    scaler.on(Event::Called(CallId(1)), ZERO);
    grow(&mut scaler, &mut next, ZERO);
    scaler.on(Event::Lost(InstanceId(1)), secs(20));
    scaler.on(Event::Ended(CallId(1)), secs(20));
    assert!(!scaler.wants_instance(secs(20)), "replaced without need");
    assert_eq!(scaler.on(Event::Called(CallId(2)), secs(20)), []);
    assert!(scaler.wants_instance(secs(20)), "a sound instance's death has no wait");
    scaler.on(Event::Gone(InstanceId(1)), secs(20));
    assert_eq!(grow(&mut scaler, &mut next, secs(20)), [assign(2, 2)]);
}

#[test]
fn instances_that_die_young_are_started_again_after_a_wait() {
    let mut scaler = Scaler::new(rule(1, 1, 10, 1), false);
    scaler.on(Event::Started(InstanceId(1)), ZERO);
    scaler.on(Event::Gone(InstanceId(1)), ZERO);
    assert_eq!(scaler.failed_rounds(), 1);
    assert!(!scaler.wants_instance(ZERO));
    let retry = Duration::from_millis(100);
    assert_eq!(scaler.next_tick(ZERO), Some(retry));
    assert!(scaler.wants_instance(retry));
    assert_eq!(scaler.scale(ZERO).pending, 1);
}

#[test]
fn a_closed_function_wants_nothing() {
    let mut scaler = Scaler::new(rule(2, 1, 10, 1), false);
    let mut next = 0;
    grow(&mut scaler, &mut next, ZERO);
    for call in 1..=3 {
        scaler.on(Event::Called(CallId(call)), ZERO);
    }
    scaler.close();
    assert_eq!(scaler.scale(ZERO), Scale { terminating: 2, started: 2, ..testkit::idle() });
    assert!(!scaler.wants_instance(ZERO));
    scaler.on(Event::Gone(InstanceId(1)), ZERO);
    scaler.on(Event::Gone(InstanceId(2)), ZERO);
    assert!(scaler.is_empty());
}

/// A step of a random life. Numbers choose among what there is.
#[derive(Debug, Clone, Copy)]
enum Step {
    Call,
    End(usize),
    Permit,
    Ready(usize),
    Lose(usize),
    Bury(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any::<bool>().prop_map(|_| Step::Call),
        3 => any::<usize>().prop_map(Step::End),
        4 => any::<bool>().prop_map(|_| Step::Permit),
        3 => any::<usize>().prop_map(Step::Ready),
        1 => any::<usize>().prop_map(Step::Lose),
        2 => any::<usize>().prop_map(Step::Bury),
        3 => (0_u64..15_000).prop_map(Step::Wait),
    ]
}

/// What the world knows of the function, written down independently.
#[derive(Debug, Default)]
struct World {
    now: Duration,
    calls: u64,
    instances: u64,
    queue: Vec<CallId>,
    at_work: Vec<(CallId, InstanceId)>,
    starting: Vec<InstanceId>,
    ready: Vec<(InstanceId, Duration)>,
    stopping: Vec<InstanceId>,
}

impl World {
    /// The event that a step makes, if it can be taken now.
    fn event(&mut self, step: Step, scaler: &Scaler) -> Option<Event> {
        let pick = |count: usize, number: usize| (count > 0).then(|| number % count);
        Some(match step {
            Step::Call => {
                self.calls += 1;
                self.queue.push(CallId(self.calls));
                Event::Called(CallId(self.calls))
            }
            Step::End(number) => {
                let chosen = pick(self.queue.len() + self.at_work.len(), number)?;
                if chosen < self.queue.len() {
                    Event::Ended(self.queue.remove(chosen))
                } else {
                    let (call, instance) = self.at_work.remove(chosen - self.queue.len());
                    if let Some((_, since)) = self.ready.iter_mut().find(|(id, _)| *id == instance) {
                        *since = self.now;
                    }
                    Event::Ended(call)
                }
            }
            Step::Permit => {
                if !scaler.wants_instance(self.now) {
                    return None;
                }
                self.instances += 1;
                self.starting.push(InstanceId(self.instances));
                Event::Started(InstanceId(self.instances))
            }
            Step::Ready(number) => {
                let id = self.starting.remove(pick(self.starting.len(), number)?);
                self.ready.push((id, self.now));
                Event::Ready(id)
            }
            Step::Lose(number) => {
                let (id, _) = self.ready.remove(pick(self.ready.len(), number)?);
                self.stopping.push(id);
                Event::Lost(id)
            }
            Step::Bury(number) => Event::Gone(self.stopping.remove(pick(self.stopping.len(), number)?)),
            Step::Wait(millis) => {
                self.now += Duration::from_millis(millis);
                Event::Tick
            }
        })
    }

    fn in_flight(&self, instance: InstanceId) -> usize {
        self.at_work.iter().filter(|(_, at)| *at == instance).count()
    }

    /// Carries out a decision, and refuses one that breaks the rules.
    fn obey(&mut self, decision: Decision, rule: &Rule) -> Result<(), TestCaseError> {
        match decision {
            Decision::Assign(call, instance) => {
                prop_assert_eq!(self.queue.first(), Some(&call), "not first come, first served");
                self.queue.remove(0);
                prop_assert!(self.ready.iter().any(|(id, _)| *id == instance), "not ready");
                prop_assert!(self.in_flight(instance) < rule.concurrency as usize, "too many calls at once");
                self.at_work.push((call, instance));
            }
            Decision::Stop(instance) => {
                prop_assert_eq!(self.in_flight(instance), 0, "stopped at work");
                let at = self.ready.iter().position(|(id, _)| *id == instance);
                let (id, since) = self.ready.remove(at.expect("stopped what is not ready"));
                prop_assert!(self.now >= since + rule.stable_window, "stopped before its window");
                prop_assert!(self.starting.len() + self.ready.len() >= rule.min as usize, "below the minimum");
                self.stopping.push(id);
            }
        }
        Ok(())
    }

    /// What must hold after every event.
    fn check(&self, scaler: &Scaler, rule: &Rule) -> Result<(), TestCaseError> {
        let scale = scaler.scale(self.now);
        let counts = [self.ready.len(), self.starting.len(), self.stopping.len(), self.queue.len()].map(saturated);
        prop_assert_eq!([scale.running, scale.unready, scale.terminating, scale.queue.unwrap()], counts);
        prop_assert_eq!(scale.started, self.instances);
        prop_assert_eq!(scale.desired, scale.running + scale.unready + scale.pending);
        prop_assert!(scale.desired <= rule.max && scale.desired >= rule.min);
        let enough = scale.desired == rule.max || scale.desired * rule.concurrency >= scale.queue.unwrap();
        prop_assert!(enough, "too few wanted");
        let free = self.ready.iter().any(|(id, _)| self.in_flight(*id) < rule.concurrency as usize);
        prop_assert!(self.queue.is_empty() || !free, "a call is queued despite a free slot");
        if let Some(tick) = scaler.next_tick(self.now) {
            prop_assert!(tick > self.now, "a tick is due in the past");
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn the_rules_hold_through_any_life(
        initial in 0_u32..4,
        min in 0_u32..3,
        max in 1_u32..6,
        concurrency in 1_u32..4,
        steps in vec(step(), 0..200),
    ) {
        prop_assume!(min <= initial && initial <= max);
        let rule = rule(initial, min, max, concurrency);
        let (mut scaler, mut world) = (Scaler::new(rule, false), World::default());
        for step in steps {
            let Some(event) = world.event(step, &scaler) else { continue };
            for decision in scaler.on(event, world.now) {
                world.obey(decision, &rule)?;
            }
            world.check(&scaler, &rule)?;
        }

        // Left alone, with every start a success, it comes to rest: all calls served, the minimum kept.
        for _ in 0..2000 {
            let step = if scaler.wants_instance(world.now) {
                Step::Permit
            } else if !world.starting.is_empty() {
                Step::Ready(0)
            } else if !world.stopping.is_empty() {
                Step::Bury(0)
            } else if !world.at_work.is_empty() {
                Step::End(world.queue.len())
            } else if let Some(tick) = scaler.next_tick(world.now) {
                world.now = tick;
                Step::Wait(0)
            } else {
                break;
            };
            let event = world.event(step, &scaler).expect("the step can be taken");
            for decision in scaler.on(event, world.now) {
                world.obey(decision, &rule)?;
            }
            world.check(&scaler, &rule)?;
        }
        let rest = Scale { desired: min, running: min, started: world.instances, ..testkit::idle() };
        prop_assert_eq!(scaler.scale(world.now), rest);
    }
}
