//! Workers that are lost, and what becomes of their shares.
//!
//! A worker that is gone can hand over nothing more once its stream has ended: its share is filled in at once, each row when it is due.
//! One that is only silent may be cut off, and come back: its share waits until it has given up by itself.

use loader_proto::worker::work_response::Message as To;
use tokio::task::JoinError;

use super::{
    Coordinator,
    member::{Filling, Stepped},
};
use crate::{
    plan::{Offset, Shared},
    record::{Event, WorkerState},
    units,
    workers::{
        bounds::{LEAD, STEPS},
        fill_in::{FillIn, Loss, Then},
        wire,
    },
};

impl Coordinator {
    /// Looks for workers of which nothing was heard.
    pub(super) fn judge(&mut self) {
        if self.t0.is_none() {
            return;
        }
        let (now, times) = (self.settings.clock.now(), self.settings.times);
        let is_late = self.hurried_until.is_some_and(|until| now >= until);
        for place in 0..self.members.len() {
            let member = &mut self.members[place];
            if is_late && !member.over && !member.gone {
                member.gone = true;
                let until = self.elapsed();
                self.lose(place, "the run was ended before all that it had recorded was handed over", until);
                continue;
            }
            if member.over || member.is_lost() {
                continue;
            }
            let silence = member.silence(now);
            let is_given_up = self.ended_calls.is_some() && silence >= times.suspect;
            if silence >= times.lost || is_given_up {
                let reason = format!("nothing was heard of it for {}", shown(silence));
                let orphaned = now + self.settings.workers.orphan_timeout;
                let since = orphaned.saturating_duration_since(self.t0.map_or(now, |t0| t0.instant));
                self.lose(place, &reason, Offset::from_nanos(units::nanos(since)));
            } else if silence >= times.suspect {
                member.state = WorkerState::Suspect;
            } else if member.state == WorkerState::Suspect {
                member.state = if member.resumed { WorkerState::Resumed } else { WorkerState::Ok };
            }
        }
    }

    /// A worker is lost; of what was due before `unknown_until` and has no row, it is not known whether it was sent.
    pub(super) fn lose(&mut self, place: usize, reason: &str, unknown_until: Offset) {
        let now = self.settings.clock.now();
        let member = &mut self.members[place];
        if member.over || member.filling.is_some() {
            return;
        }
        let orphaned = member.heard.unwrap_or(now) + 2 * self.settings.workers.orphan_timeout;
        member.unknown_until = unknown_until;
        member.state = WorkerState::Lost;
        if member.lost_at.is_none() || member.gone {
            member.reason = reason.to_owned();
        }
        if member.lost_at.is_some() {
            return;
        }
        member.lost_at = Some(now);
        member.final_at = Some(orphaned.max(now));
        let index = member.index;
        log::error!(RUN_ID = self.settings.run.as_str(); "worker {index} was lost: {reason}");
        if self.aborts_on_loss() {
            self.fail(format!("worker {index} was lost: {reason} (workers.onWorkerLoss is abort)"));
        } else if self.members.iter().all(|member| member.is_lost() && !member.over) {
            self.fail(format!("all workers were lost, worker {index} last: {reason}"));
        }
    }

    /// Takes the end of shares that have ended, and fills in those that never will.
    pub(super) fn settle(&mut self) {
        for place in 0..self.members.len() {
            let member = &self.members[place];
            if self.t0.is_none() || member.over {
                continue;
            }
            if member.filling.is_some() {
                self.fill_in_due(place);
                continue;
            }
            let has_all = member.done.is_some_and(|batches| batches <= member.next_batch);
            if has_all && member.is_lost() {
                self.begin_fill_in(place);
            } else if has_all && self.stopped_at.is_none() && self.merge.has_stopped(member.index) {
                // Everything that it sent has its row.
                let reason = if member.reason.is_empty() { "it stopped by itself" } else { &member.reason }.to_owned();
                self.lose(place, &reason, Offset::default());
                self.begin_fill_in(place);
            } else if has_all {
                self.over(place);
            } else if self.is_final(place) {
                if self.members[place].sessions == 0 {
                    self.begin_fill_in(place);
                } else {
                    self.members[place].hang_up();
                }
            }
        }
    }

    /// Whether a lost worker hands over nothing more, but for what has arrived.
    fn is_final(&self, place: usize) -> bool {
        let (member, now) = (&self.members[place], self.settings.clock.now());
        let Some(lost_at) = member.lost_at else { return false };
        // What a process had sent before its end may still be on the way.
        let is_gone = member.gone && (member.sessions == 0 || now >= lost_at + self.settings.times.suspect);
        is_gone || self.ended_calls.is_some() || member.final_at.is_some_and(|final_at| now >= final_at)
    }

    /// A share has all its rows.
    fn over(&mut self, place: usize) {
        let member = &mut self.members[place];
        (member.over, member.filling) = (true, None);
        let (index, mut events) = (member.index, Vec::new());
        self.merge.end(index, &mut events);
        self.pending.extend(events);
    }

    fn begin_fill_in(&mut self, place: usize) {
        let member = &mut self.members[place];
        member.hang_up();
        member.filling = Some(Filling::default());
        let (index, Some(t0)) = (member.index, self.t0) else { return };
        let reason = format!("worker {index} was lost: {}", member.reason);
        let loss = Loss { reason, unknown_until: member.unknown_until };
        let standing = self.merge.standing(index);
        let (plan_again, shares) = (self.settings.plan_again.clone(), self.settings.assigned.shares.clone());
        let (worker, seed) = (u32::from(index.0), self.settings.seed);
        self.fill_ins.spawn_blocking(move || {
            let made = plan_again().map(|plan| {
                let share = Box::new(Shared::new(plan, shares, worker, seed));
                step(Box::new(FillIn::new(share, standing, loss, t0)))
            });
            Stepped { place, made }
        });
    }

    /// Takes a step of a fill-in.
    pub(super) fn stepped(&mut self, stepped: Result<Stepped, JoinError>) {
        let (place, made) = match stepped {
            Ok(Stepped { place, made }) => (place, made),
            Err(error) => return self.fail(format!("panic while a lost worker's share was filled in: {error}")),
        };
        match made {
            Ok((fill_in, then, events)) => {
                if let Some(filling) = &mut self.members[place].filling {
                    filling.events.extend(events);
                    filling.next = Some((fill_in, then));
                }
            }
            Err(reason) => {
                let index = self.members[place].index;
                self.fail(format!("the share of worker {index}, which was lost, cannot be planned again: {reason}"));
                self.over(place);
            }
        }
    }

    /// Takes those events of a fill-in that are due, and goes on with it.
    fn fill_in_due(&mut self, place: usize) {
        let until = self.stopped_at.unwrap_or_else(|| self.elapsed());
        let Some(filling) = &mut self.members[place].filling else { return };
        let due = filling.events.partition_point(|(at, _)| *at <= until);
        let events: Vec<_> = filling.events.drain(..due).map(|(_, event)| event).collect();
        let is_waiting = !filling.events.is_empty();
        let rows = events.iter().filter(|event| matches!(event, Event::Row(_))).count() as u64;
        self.members[place].due += rows;
        self.take(place, events);
        let is_stopped = self.stopped_at.is_some();
        if is_waiting {
            // What is due after the stop never comes due.
            if is_stopped {
                self.over(place);
            }
            return;
        }
        let Some((mut fill_in, then)) = self.members[place].filling.as_mut().and_then(|filling| filling.next.take())
        else {
            return;
        };
        match then {
            Then::Ended => return self.over(place),
            Then::Outcome(slot) => match self.outcomes.of(slot) {
                Some(sum) => fill_in.outcome(sum.clone()),
                None if is_stopped => return self.over(place),
                None => {
                    if let Some(filling) = &mut self.members[place].filling {
                        filling.next = Some((fill_in, then));
                    }
                    return;
                }
            },
            Then::More => {}
        }
        self.fill_ins.spawn_blocking(move || Stepped { place, made: Ok(step(fill_in)) });
    }

    /// Sums the outcomes of a slot once all have given theirs who are left.
    pub(super) fn decide_outcomes(&mut self) {
        if !self.settings.needs_outcomes || self.t0.is_none() {
            return;
        }
        let not_before = self.elapsed().plus(LEAD + self.round_trip());
        let expected = self.members.iter().filter(|member| !member.is_lost() && !member.over).map(|it| it.index);
        let Some(sum) = self.outcomes.decide(expected, self.members.len(), not_before) else { return };
        self.merge.decided(&sum);
        self.tell_all(&To::Outcome(wire::from_outcome(&sum)));
    }
}

fn step(mut fill_in: Box<FillIn>) -> (Box<FillIn>, Then, Vec<(Offset, Event)>) {
    let mut events = Vec::new();
    let then = fill_in.step(STEPS, &mut events);
    (fill_in, then, events)
}

fn shown(silence: std::time::Duration) -> humantime::FormattedDuration {
    humantime::format_duration(std::time::Duration::from_secs(silence.as_secs()))
}
