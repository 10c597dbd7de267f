//! Tells workers what they are to know.

use loader_proto::worker::{Scales, StopSending, work_response::Message as To};

use super::{
    Coordinator,
    member::Member,
    say::{acknowledged, dismissed, end_calls, start},
};
use crate::{units, workers::wire};

impl Coordinator {
    pub(super) fn tell_all(&mut self, message: &To) {
        self.members.iter_mut().for_each(|member| member.tell(message.clone()));
    }

    /// Tells a worker that has come, or come back, all that it may have missed.
    pub(super) fn tell_state(&mut self, worker: usize) {
        let mut messages = vec![acknowledged(self.members[worker].next_batch)];
        if let Some(t0) = self.t0 {
            messages.push(start(t0, self.settings.origin));
            messages.extend(self.outcomes.last().map(|sum| To::Outcome(wire::from_outcome(sum))));
        }
        if self.settings.scales.is_some() && self.t0.is_some() {
            messages.push(To::Scales(self.all_scales()));
        }
        messages.extend(self.stopped_at.map(|_| To::Stop(StopSending {})));
        messages.extend(self.ended_calls.map(end_calls));
        if self.members[worker].over {
            messages.push(dismissed(String::new()));
        }
        messages.into_iter().for_each(|message| self.members[worker].tell(message));
    }

    /// All that workers were told of scales. A function that is up is named, too: it may have been at zero when a worker was cut off.
    fn all_scales(&self) -> Scales {
        let functions = units::to_u32(self.settings.assigned.functions.len());
        let up = (0..functions).filter(|function| self.zero.binary_search(function).is_err()).collect();
        Scales { zero: self.zero.clone(), up }
    }

    /// Tells all workers which functions have gone to zero, and which have come up; from the start of the load on, when they listen.
    pub(super) fn tell_scales(&mut self) {
        let (Some(scales), Some(_)) = (&self.settings.scales, self.t0) else { return };
        let zero = scales.zeros();
        let only = |of: &[u32], not_in: &[u32]| -> Vec<u32> {
            of.iter().filter(|function| not_in.binary_search(function).is_err()).copied().collect()
        };
        let (gone, up) = (only(&zero, &self.zero), only(&self.zero, &zero));
        if gone.is_empty() && up.is_empty() {
            return;
        }
        self.zero = zero;
        self.tell_all(&To::Scales(Scales { zero: gone, up }));
    }

    /// Acknowledges what was taken of a worker.
    pub(super) fn acknowledge(member: &mut Member) {
        let Some(line) = &member.line else { return };
        let message = acknowledged(member.next_batch);
        // The next one says the same and more.
        let _full = line.to.try_send(loader_proto::worker::WorkResponse { message: Some(message) });
    }
}
