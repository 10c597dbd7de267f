//! How a load ends.

use std::time::Duration;

use crate::{
    clock::{Anchor, ClockChanges},
    record::{RecordError, Recorded},
    run::{
        failure::{Failure, Verdict},
        warmup::WarmupOutcome,
    },
};

/// How the load ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// It was carried out.
    Complete,
    /// It could not be carried out.
    Failed(Failure),
    /// A record could not be written, as the recorder's result says.
    RecordsLost,
    /// A user cancelled it.
    Cancelled,
    /// The daemon ends.
    Shutdown,
}

impl Ended {
    /// What it is to the run, of whose records `lost` could not be written.
    pub(super) fn verdict(self, lost: Option<RecordError>) -> Option<Verdict> {
        match (self, lost) {
            (Self::Complete | Self::RecordsLost, lost) => lost.map(Verdict::from),
            (Self::Failed(failure), _) => Some(failure.into()),
            (Self::Cancelled, _) => Some(Verdict::Cancelled),
            (Self::Shutdown, _) => Some(Verdict::Interrupted),
        }
    }
}

/// What the load left.
pub(in crate::run) struct Outcome {
    /// How the run ends, where the load was not carried out.
    pub(in crate::run) verdict: Option<Verdict>,
    pub(in crate::run) t0: Anchor,
    /// What happened to the clocks until all answers were there.
    pub(in crate::run) clock_changes: Option<ClockChanges>,
    pub(in crate::run) recorded: Recorded,
    pub(in crate::run) clamped: u64,
    /// What the warm-up came to, and when the measured part began, from t0.
    pub(in crate::run) warmup: Option<(WarmupOutcome, Duration)>,
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
                    Some(Verdict::Failed(told)),
                    Some(Verdict::Cancelled),
                    Some(Verdict::Interrupted)
                ] if [complete, told].iter().all(|it| it.to_string() == "cannot write slots.csv: no space")
            ),
            "{verdicts:?}"
        );
        assert!(Ended::Complete.verdict(None).is_none());
        let saturated = Ended::Failed(Failure::Saturated).verdict(lost());
        assert!(matches!(&saturated, Some(Verdict::Failed(it)) if matches!(**it, Failure::Saturated)), "{saturated:?}");
    }
}
