//! What workers need, before anything is deployed for them.

use crate::{
    id::RunId,
    platform::Platform,
    run::{
        Interrupts,
        failure::{Failure, Verdict},
    },
    spec::RunSpec,
    workers::Listening,
};

/// Listens for the workers of a run, once the platform has found that it can start them; absent of a run without workers. A fault that
/// is found here has deployed nothing.
///
/// # Errors
/// How the run ends instead.
pub(in crate::run) async fn listen(
    run: &RunId,
    spec: &RunSpec,
    platform: &dyn Platform,
    interrupts: &Interrupts,
) -> Result<Option<Listening>, Verdict> {
    let Some(workers) = &spec.workers else { return Ok(None) };
    let starts = platform.workers().ok_or(Failure::NoPlatform(spec.platform))?;
    tokio::select! {
        biased;
        () = interrupts.cancel.cancelled() => return Err(Verdict::Cancelled),
        () = interrupts.shutdown.cancelled() => return Err(Verdict::Interrupted),
        checked = starts.check() => checked.map_err(Failure::StartingWorkers)?,
    }
    let listening = Listening::bind(run, &starts.listen(), workers.count).await.map_err(Failure::NoListener)?;
    Ok(Some(listening))
}
