//! Studies at the API: what one would do, with the plans of all of its runs.

use loader_proto::v1;
use tokio_util::sync::CancellationToken;

use super::convert::{self, WireCodec};
use crate::{
    run::Planner,
    spec::Violation,
    study::{StudyPlan, StudyTotals},
};

/// What a study would do, down to the plan of each of its runs. Reads traces, so it belongs on a blocking thread; it ends soon once `left`
/// is cancelled.
///
/// # Errors
/// Every fault, by field.
pub(super) fn plan(
    (codec, planner): (&WireCodec, &Planner),
    message: &v1::StudySpec,
    left: &CancellationToken,
) -> Result<v1::StudyPlan, Vec<Violation>> {
    let study = codec.check_study(message)?;
    let totals = totals((codec, planner), &study, left)?;
    Ok(convert::study_plan(&study, &totals))
}

fn totals(
    (codec, planner): (&WireCodec, &Planner),
    study: &StudyPlan,
    left: &CancellationToken,
) -> Result<StudyTotals, Vec<Violation>> {
    let mut totals = StudyTotals::without_runs(study);
    study.check_runs(|spec, times| {
        if left.is_cancelled() {
            return Err(vec![Violation::new("study", "the client has left")]);
        }
        let preparation = planner.prepare(&codec.check(spec)?, left)?;
        totals.add(&preparation.outline, times);
        Ok(())
    })?;
    Ok(totals)
}
