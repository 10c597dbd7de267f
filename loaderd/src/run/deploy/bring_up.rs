//! Deploys functions and waits until they can be called.

use tokio::sync::watch;

use crate::{
    platform::{Deploy, Deployment, Platform},
    run::{
        Interrupts,
        failure::{Failure, Verdict},
    },
};

/// Deploys, and waits until all functions can be called, the deployment failed, or the run is ended early. `ready` is called with
/// the number of those that can. The platform carries out a user's cancellation; a shutdown does not wait for it.
///
/// # Errors
/// How the run ends instead.
pub(super) async fn bring_up(
    platform: &dyn Platform,
    deploy: &Deploy,
    interrupts: &Interrupts,
    ready: impl Fn(u32),
) -> Result<Deployment, Verdict> {
    let (send_ready, mut readiness) = watch::channel(0);
    let mut deploying = platform.deploy(deploy.clone(), send_ready, interrupts.cancel.child_token());
    let deployment = loop {
        tokio::select! {
            biased;
            () = interrupts.shutdown.cancelled() => return Err(Verdict::Interrupted),
            deployment = &mut deploying => break deployment,
            Ok(()) = readiness.changed() => ready(*readiness.borrow_and_update()),
        }
    };
    match deployment {
        Ok(deployment) => Ok(deployment),
        Err(_) if interrupts.cancel.is_cancelled() => Err(Verdict::Cancelled),
        Err(error) => Err(Failure::Deploying(error).into()),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::platform::{
        fake::{Deploying, FakePlatform},
        testkit,
    };

    /// Deploys two functions; what happens once one is ready is up to `then`.
    async fn ended(then: impl Fn(&Interrupts)) -> (u32, Verdict) {
        let interrupts = Interrupts::default();
        let ready = Cell::new(0);
        let deploy = testkit::deploy(&["a", "b"]);
        let platform = FakePlatform::new("stuck").deploying(Deploying::Waits);
        let brought_up = bring_up(&platform, &deploy, &interrupts, |count| {
            ready.set(count);
            then(&interrupts);
        });
        let verdict = brought_up.await.expect_err("is ended");
        (ready.get(), verdict)
    }

    #[tokio::test]
    async fn a_cancellation_and_a_shutdown_end_it_with_different_verdicts() {
        let (ready, verdict) = ended(|it| it.cancel.cancel()).await;
        assert!(ready == 1 && matches!(verdict, Verdict::Cancelled), "{ready} {verdict:?}");
        let (ready, verdict) = ended(|it| it.shutdown.cancel()).await;
        assert!(ready == 1 && matches!(verdict, Verdict::Interrupted), "{ready} {verdict:?}");
    }
}
