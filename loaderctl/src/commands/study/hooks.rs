//! Commands of this machine around each run of a study: the daemon waits for each, and is told how it ended.

use std::process::Stdio;

use loader_proto::v1::{ProceedStudyRequest, Study, StudyCell};
use tokio::process::Command;

use crate::{Failure, cli::ClientHooks, client::Daemon, output::note};

/// Commands of this machine around each run, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hooks {
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    /// The stage and the run that the daemon was last answered about: several messages may ask the same.
    answered: Option<(String, String)>,
}

impl Hooks {
    /// Those that are given; nothing where none is.
    pub(super) fn of(ClientHooks { before, after }: ClientHooks) -> Option<Self> {
        (before.is_some() || after.is_some()).then_some(Self { before, after, answered: None })
    }

    /// Runs the command that the study waits for, and tells the daemon how it ended.
    pub(super) async fn answer(&mut self, daemon: &Daemon, study: &Study) -> Result<(), Failure> {
        let Some(progress) = &study.progress else { return Ok(()) };
        let command = match progress.client_stage.as_str() {
            "beforeRun" => self.before.as_deref(),
            "afterRun" => self.after.as_deref(),
            _ => return Ok(()),
        };
        let asked = Some((progress.client_stage.clone(), progress.run_id.clone()));
        if self.answered == asked {
            return Ok(());
        }
        let failure = match command {
            Some(command) => run(command, study).await.err().unwrap_or_default(),
            None => String::new(),
        };
        if !failure.is_empty() {
            note(&format!("the command {} of run {} failed: {failure}", progress.client_stage, progress.run_id));
        }
        let request = ProceedStudyRequest {
            study_id: study.study_id.clone(),
            run_id: progress.run_id.clone(),
            stage: progress.client_stage.clone(),
            failure,
        };
        match daemon.api.clone().proceed_study(request).await {
            Ok(_) => {
                self.answered = asked;
                Ok(())
            }
            // It waits no more: it was cancelled, or another client has answered.
            Err(status) if status.code() == tonic::Code::FailedPrecondition => Ok(()),
            Err(status) => Err(daemon.failure(status)),
        }
    }
}

/// Runs a command; gives why it failed. What it writes goes to standard error, as standard output is for results.
async fn run(command: &str, study: &Study) -> Result<(), String> {
    let progress = study.progress.clone().unwrap_or_default();
    let StudyCell { values, labels } = progress.cell.unwrap_or_default();
    let output = std::io::stderr();
    let output = std::os::fd::AsFd::as_fd(&output).try_clone_to_owned().map_err(|error| error.to_string())?;
    let status = Command::new("sh")
        .args(["-c", command])
        .env("LOADER_STAGE", &progress.client_stage)
        .env("LOADER_STUDY_ID", &study.study_id)
        .env("LOADER_RUN_ID", &progress.run_id)
        .env("LOADER_REPEAT", progress.repeat.to_string())
        .envs(labels.iter().chain(&values).map(|(field, value)| (variable(field), value)))
        .stdin(Stdio::null())
        .stdout(Stdio::from(output))
        .kill_on_drop(true)
        .status()
        .await
        .map_err(|error| format!("cannot run sh: {error}"))?;
    if status.success() { Ok(()) } else { Err(status.to_string()) }
}

/// The environment variable of a field that varies: of `scaling.stableWindow`, `LOADER_VARY_SCALING_STABLEWINDOW`.
fn variable(field: &str) -> String {
    let name: String =
        field.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("LOADER_VARY_{name}")
}

#[cfg(test)]
mod tests {
    use loader_proto::v1::StudyProgress;

    use super::*;

    #[tokio::test]
    async fn a_command_has_the_cell_in_its_environment_and_its_failure_is_told() {
        let cell = StudyCell {
            values: [("scaling.stableWindow".to_owned(), "30s".to_owned())].into(),
            labels: [("trace.path".to_owned(), "a".to_owned())].into(),
        };
        let progress = StudyProgress { cell: Some(cell), run_id: "7".to_owned(), ..StudyProgress::default() };
        let study = Study { progress: Some(progress), ..Study::default() };
        run("test \"$LOADER_VARY_SCALING_STABLEWINDOW-$LOADER_VARY_TRACE_PATH-$LOADER_RUN_ID\" = 30s-a-7", &study)
            .await
            .expect("is set");
        assert_eq!(run("exit 3", &study).await, Err("exit status: 3".to_owned()));
    }

    #[test]
    fn without_a_command_there_are_no_hooks() {
        assert_eq!(Hooks::of(ClientHooks { before: None, after: None }), None);
    }
}
