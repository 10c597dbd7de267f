//! How a load ends.

use std::time::Duration;

use crate::{
    clock::{Anchor, ClockChanges},
    record::{DisturbanceEvent, RecordError, Recorded, WorkerFacts},
    run::{
        failure::{Failure, Verdict},
        warmup::WarmupOutcome,
    },
};

/// How the load ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// All invocations of the plan were sent.
    Complete,
    Failed(Failure),
    /// A record could not be written; the recorder's result has the reason.
    RecordsLost,
    /// A user cancelled it.
    Cancelled,
    /// The daemon is shutting down.
    Shutdown,
}

impl Ended {
    /// How the run ends by it; `lost` is why records could not be written.
    pub(super) fn verdict(self, lost: Option<RecordError>) -> Option<Verdict> {
        match (self, lost) {
            (Self::Complete | Self::RecordsLost, lost) => lost.map(Verdict::from),
            (Self::Failed(failure), _) => Some(failure.into()),
            (Self::Cancelled, _) => Some(Verdict::Cancelled),
            (Self::Shutdown, _) => Some(Verdict::Interrupted),
        }
    }
}

/// The results of a load.
pub(in crate::run) struct Outcome {
    /// How the run ends; absent when the load was completed.
    pub(in crate::run) verdict: Option<Verdict>,
    pub(in crate::run) t0: Anchor,
    /// Changes of the clocks until all answers were received; absent when there were none.
    pub(in crate::run) clock_changes: Option<ClockChanges>,
    pub(in crate::run) recorded: Recorded,
    /// What was done to the platform on purpose.
    pub(in crate::run) events: Vec<DisturbanceEvent>,
    /// The warm-up's outcome, and when the measured phase began, from t0.
    pub(in crate::run) warmup: Option<(WarmupOutcome, Duration)>,
    /// What is known of the run's workers; empty of a load that this process sent.
    pub(in crate::run) workers: Vec<WorkerFacts>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost() -> Option<RecordError> {
        let source = std::io::Error::other("no space");
        Some(RecordError::Write { path: "slots.csv".into(), source })
    }

    #[test]
    fn records_that_are_lost_fail_a_load_unless_it_ended_otherwise() {
        let verdicts =
            [Ended::Complete, Ended::RecordsLost, Ended::Cancelled, Ended::Shutdown].map(|ended| ended.verdict(lost()));
        assert!(
            matches!(
                &verdicts,
                [
                    Some(Verdict::Failed(complete)),
                    Some(Verdict::Failed(lost)),
                    Some(Verdict::Cancelled),
                    Some(Verdict::Interrupted)
                ] if [complete, lost].iter().all(|it| it.to_string() == "cannot write slots.csv: no space")
            ),
            "{verdicts:?}"
        );
        assert!(Ended::Complete.verdict(None).is_none());
        let saturated = Ended::Failed(Failure::Saturated).verdict(lost());
        assert!(matches!(&saturated, Some(Verdict::Failed(it)) if matches!(**it, Failure::Saturated)), "{saturated:?}");
    }
}
