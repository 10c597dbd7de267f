//! `study plan`: what a study would do.

use loader_proto::v1::PlanStudyRequest;
use tonic::Response;

use super::{prepare::prepare, results::comparison_of};
use crate::{Ending, Failure, cli::StudyPlanArguments, commands::session::Session, render};

/// Maximum number of cells and of runs shown.
pub(super) const SHOWN: usize = 20;

/// Prints what a study would do.
pub(in crate::commands) async fn plan(session: &Session, arguments: StudyPlanArguments) -> Result<Ending, Failure> {
    let StudyPlanArguments { study, all } = arguments;
    let (daemon, study) = prepare(session, &study).await?;
    let planned = daemon.api.clone().plan_study(PlanStudyRequest { study: Some(study.clone()) }).await;
    let planned = planned.map(Response::into_inner).map_err(|status| daemon.failure(status))?;
    let shown = if all { usize::MAX } else { SHOWN };
    let plan = planned.plan.clone().unwrap_or_default();
    let (compared, tests) = comparison_of(study, &plan)?;
    session.print(&planned, |_| render::study_plan(&plan, (&compared, &tests), shown))
}
