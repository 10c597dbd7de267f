//! The start of a pod, as far as it is known. Pure.

use super::super::{moment::Moment, pod_stages::Stage};
use crate::{
    clock::UnixMicros,
    id::FunctionIndex,
    platform::{InstanceStart, TimeSource},
};

/// Maximum time from a pod's creation to the rise that made it: Knative's autoscaler updates `desiredScale` after it has scaled
/// the Deployment; on a cluster it took 35 to 110 ms.
const LATEST_RISE_US: i64 = 1_000_000;

/// The start of a pod.
#[derive(Debug)]
pub(super) struct Start {
    created: Moment,
    stages: InstanceStart,
    /// Whether the rise that it was created for was seen, before or after it.
    is_explained: bool,
}

impl Start {
    pub(super) fn new(function: FunctionIndex, instance: String, created: Moment) -> Self {
        let stages = InstanceStart {
            function,
            instance,
            desired: None,
            created: created.at,
            scheduled: None,
            started: None,
            ready: None,
            source: created.source,
        };
        Self { created, stages, is_explained: false }
    }

    /// Whether the rise at `rise`, of which the news came after the pod, may be the one that it was created for. The first figure
    /// of the desired scale explains all, and one that was learned later than it rose all that were learned later than they were
    /// created.
    pub(super) fn may_be_of(&self, rise: Moment, is_first: bool) -> bool {
        let are_late = [rise, self.created].iter().all(|moment| moment.source == TimeSource::Object);
        !self.is_explained && (is_first || are_late || rise.least_since(self.created) <= LATEST_RISE_US)
    }

    /// The rise that it was created for. One that may not have been before it has no instant: it was over when it was seen. Returns
    /// when it was created.
    pub(super) fn explain(&mut self, rise: Moment) -> UnixMicros {
        self.is_explained = true;
        if rise.is_surely_before(self.created) && self.stages.ready.is_none() {
            self.stages.desired = Some(rise.at);
            self.stages.source = self.stages.source.max(rise.source);
        }
        self.created.at
    }

    /// Its function was started; true the first time.
    pub(super) fn set_started(&mut self, at: Moment) -> bool {
        let is_first = self.stages.started.is_none();
        if is_first {
            self.stages.started = Some(at.at);
            self.stages.source = self.stages.source.max(at.source);
        }
        is_first
    }

    /// It enters a stage. Returns its stages once it is ready.
    pub(super) fn enter(&mut self, stage: Stage, at: Moment) -> Option<InstanceStart> {
        let is_new = match stage {
            Stage::Unready => self.stages.scheduled.is_none(),
            Stage::Running => self.stages.ready.is_none(),
            Stage::Pending | Stage::Terminating | Stage::Over => false,
        };
        if !is_new {
            return None;
        }
        self.stages.source = self.stages.source.max(at.source);
        self.stages.scheduled = self.stages.scheduled.or(Some(at.at));
        if stage == Stage::Unready {
            return None;
        }
        self.stages.ready = Some(at.at);
        Some(monotone(self.stages.clone()))
    }

    /// The row of a pod that is gone, or will not be watched any longer; absent where it has one since it became ready.
    pub(super) fn unready(self) -> Option<InstanceStart> {
        self.stages.ready.is_none().then(|| monotone(self.stages))
    }
}

/// Whole seconds may put a stage before the one that it follows: then it has the time of that one.
fn monotone(mut stages: InstanceStart) -> InstanceStart {
    let mut latest = stages.created;
    for stage in [&mut stages.scheduled, &mut stages.started, &mut stages.ready].into_iter().flatten() {
        *stage = latest.max(*stage);
        latest = *stage;
    }
    stages
}
