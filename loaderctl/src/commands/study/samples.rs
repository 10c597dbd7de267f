//! The samples of a study: which runs a study's id stands for.

use loader_proto::v1::{GetStudyRequest, StudyOutcome, StudyRun};

use crate::{Failure, commands::session::Session};

/// Whether a name is the id of a study.
pub(in crate::commands) fn is_id(name: &str) -> bool {
    name.starts_with("study-")
}

/// The runs that are the samples of a study, in their order.
pub(in crate::commands) async fn samples(session: &Session, study: &str) -> Result<Vec<String>, Failure> {
    let daemon = session.daemon().await?;
    let got = daemon.api.clone().get_study(GetStudyRequest { study_id: study.to_owned() }).await;
    let got = got.map_err(|status| daemon.failure(status))?.into_inner().study.unwrap_or_default();
    let found: Vec<_> = got.runs.iter().filter_map(sample).map(str::to_owned).collect();
    if found.is_empty() { Err(Failure::Input(format!("study {study} has no samples yet"))) } else { Ok(found) }
}

/// The run that is the sample of a planned run, if it has one.
pub(super) fn sample(run: &StudyRun) -> Option<&str> {
    let is_sample = run.outcome() == StudyOutcome::Sample;
    run.attempts.last().filter(|_| is_sample).map(|attempt| attempt.run_id.as_str())
}
