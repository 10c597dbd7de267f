//! Disturbances of this machine's instances. All of it ends with the daemon, whose death the kernel makes that of its instances, so
//! nothing has to be written down.

use std::sync::Arc;

use super::{platform::Local, run::Run};
use crate::{
    disturbance::{Action, Disturbance},
    id::RunId,
    platform::{Disturb, PlatformError, SettingsBackup},
};

#[tonic::async_trait]
impl Disturb for Local {
    fn refusal(&self) -> Option<&'static str> {
        None
    }

    async fn check(&self, _disturbances: &[Disturbance]) -> Result<(), PlatformError> {
        Ok(())
    }

    async fn begin(
        &self,
        run: &RunId,
        number: u32,
        action: &Action,
        _backup: &SettingsBackup,
    ) -> Result<String, PlatformError> {
        let run = self.run(run).ok_or_else(|| self.refusal_of(format!("run {run} is not deployed")))?;
        let names = match action {
            Action::KillInstances { count } => run.instances.kill(*count),
            Action::PauseInstances { count, lasting: _ } => run.instances.pause(*count, number),
            Action::RefuseStarts { lasting: _ } => {
                run.starts_refused.send_replace(true);
                return Ok("no instance is started".to_owned());
            }
            Action::DeletePods { .. }
            | Action::ScaleToZero { .. }
            | Action::Cordon { .. }
            | Action::Drain { .. }
            | Action::Restart { .. } => {
                return Err(self.refusal_of(format!("cannot {}", action.kind().as_str())));
            }
        };
        if names.is_empty() {
            return Err(self.refusal_of("no instance runs".to_owned()));
        }
        Ok(crate::disturbance::listed(&names))
    }

    async fn end(&self, run: &RunId, number: u32, _backup: &SettingsBackup) -> Result<String, PlatformError> {
        let Some(run) = self.run(run) else { return Ok(String::new()) };
        let resumed = run.instances.resume(Some(number));
        if resumed.is_empty() && run.starts_refused.send_replace(false) {
            return Ok("instances are started again".to_owned());
        }
        Ok(crate::disturbance::listed(&resumed))
    }

    async fn restore(&self, run: &RunId, _backup: &SettingsBackup) -> Result<(), PlatformError> {
        if let Some(run) = self.run(run) {
            run.instances.resume(None);
            run.starts_refused.send_replace(false);
        }
        Ok(())
    }
}

impl Local {
    fn run(&self, run: &RunId) -> Option<Arc<Run>> {
        self.runs().run(run)
    }
}
