//! Removes what runs left on platforms.

use loader_proto::v1;
use tonic::Status;

use super::status;
use crate::{
    id::RunId,
    platform::{PlatformError, Platforms},
    registry::{Registry, Selector},
    units,
};

/// Cleans the run, or all runs that have ended. Platforms that are not configured are skipped.
///
/// # Errors
/// A run that has not ended; a platform that does not answer.
pub(super) async fn runs(
    platforms: &Platforms,
    registry: &Registry,
    wanted: Option<RunId>,
) -> Result<v1::CleanRunsResponse, Status> {
    if let Some(run) = &wanted
        && !has_ended(registry, run).await?
    {
        return Err(Status::failed_precondition(format!("run {run} has not ended: cancel it instead")));
    }
    let mut answer = v1::CleanRunsResponse::default();
    for (name, platform) in platforms {
        let left = match platform.left_behind().await {
            Err(PlatformError::NotConfigured { platform, reason }) => {
                answer.skipped.push(v1::SkippedPlatform { platform: platform.to_owned(), reason });
                continue;
            }
            left => left.map_err(|error| refused(&error))?,
        };
        for (run, functions) in left {
            let asked_for = wanted.as_ref().is_none_or(|wanted| *wanted == run);
            if asked_for && has_ended(registry, &run).await? {
                platform.clean(&run).await.map_err(|error| refused(&error))?;
                let functions = units::to_u32(functions);
                answer.cleaned.push(v1::CleanedRun {
                    run_id: run.to_string(),
                    platform: (*name).to_owned(),
                    functions,
                });
            }
        }
    }
    Ok(answer)
}

fn refused(error: &PlatformError) -> Status {
    status::foreign(tonic::Code::FailedPrecondition, &error.to_string())
}

/// Whether a run has ended; an unknown run has.
async fn has_ended(registry: &Registry, run: &RunId) -> Result<bool, Status> {
    match registry.watch(Selector::Id(run.clone())).await {
        Ok(view) => Ok(view.borrow().file.state.is_terminal()),
        Err(error) => {
            let status = Status::from(error);
            if status.code() == tonic::Code::NotFound { Ok(true) } else { Err(status) }
        }
    }
}
