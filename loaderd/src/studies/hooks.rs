//! The hooks of a study: what is run around it and its runs, here and by its client.

use std::{collections::BTreeMap, time::Duration};

use super::{
    ClientStage, Stage,
    driver::{Driver, Halt},
};
use crate::{id::RunId, study::StudyPlan};

/// How long a study waits for its client's word.
const CLIENT_LIMIT: Duration = Duration::from_hours(1);

/// Most bytes of the output that are shown with a failure.
const MOST_SHOWN: usize = 200;

impl Driver {
    /// Runs the hook before the study, once.
    pub(super) async fn before_study(&mut self, plan: &StudyPlan) -> Result<(), Halt> {
        if self.file.is_begun {
            return Ok(());
        }
        if let Some(name) = plan.settings.hooks.before_study.as_deref() {
            self.show(Stage { waiting_for: format!("the hook {name}"), ..Stage::default() });
            let ran = self.wait(self.run_hook(name, "beforeStudy", None)).await?;
            ran.map_err(Halt::Failed)?;
        }
        self.file.is_begun = true;
        self.save().await
    }

    /// Runs the hook after the study, if the one before it has been run, whatever became of the study.
    pub(super) async fn after_study(&mut self) {
        let checked = self.study.checked.clone();
        let name = checked.ok().and_then(|plan| plan.settings.hooks.after_study.clone()).filter(|_| self.file.is_begun);
        let Some(name) = name else { return };
        self.show(Stage { waiting_for: format!("the hook {name}"), ..Stage::default() });
        let ran = tokio::select! {
            biased;
            () = self.orders.shutdown.cancelled() => Err("the daemon ended".to_owned()),
            ran = self.run_hook(&name, "afterStudy", None) => ran,
        };
        if let Err(failure) = ran {
            self.note(failure);
        }
    }

    /// Runs the hook before or after a run, here and then by the client; gives why it failed.
    pub(super) async fn hook_of_run(
        &mut self,
        name: Option<&str>,
        stage: ClientStage,
        (index, run): (usize, &RunId),
    ) -> Result<Result<(), String>, Halt> {
        if let Some(name) = name {
            let waiting_for = format!("the hook {name}");
            self.show(Stage { next: Some(index), run: Some(run.clone()), waiting_for, client: None });
            let ran = self.wait(self.run_hook(name, stage.as_str(), Some((index, run)))).await?;
            if ran.is_err() {
                return Ok(ran);
            }
        }
        let is_awaited = match stage {
            ClientStage::BeforeRun => self.file.client.before_run,
            ClientStage::AfterRun => self.file.client.after_run,
        };
        if is_awaited { self.ask_client(stage, (index, run)).await } else { Ok(Ok(())) }
    }

    /// Awaits the client's word; gives why its command failed.
    async fn ask_client(
        &mut self,
        stage: ClientStage,
        (index, run): (usize, &RunId),
    ) -> Result<Result<(), String>, Halt> {
        self.show(Stage {
            next: Some(index),
            run: Some(run.clone()),
            waiting_for: format!("its client ({})", stage.as_str()),
            client: Some((stage, run.clone())),
        });
        let word = async {
            // Words about earlier stages are left over.
            while let Some(word) = self.orders.proceeds.recv().await {
                if word.stage == stage && word.run == *run {
                    return word.failure;
                }
            }
            std::future::pending().await
        };
        let (shutdown, cancel) = (self.orders.shutdown.clone(), self.orders.cancel.clone());
        let said = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Err(Halt::Shutdown),
            () = cancel.cancelled() => return Err(Halt::Cancelled),
            said = tokio::time::timeout(CLIENT_LIMIT, word) => said,
        };
        // It is not asked again.
        self.show(Stage { next: Some(index), run: Some(run.clone()), ..Stage::default() });
        Ok(match said {
            Ok(failure) if failure.is_empty() => Ok(()),
            Ok(failure) => Err(format!("the client's command ({}): {failure}", stage.as_str())),
            Err(_) => Err(format!("no word from the client within {}", humantime::format_duration(CLIENT_LIMIT))),
        })
    }

    /// Runs a hook and keeps its output; gives why it failed.
    async fn run_hook(&self, name: &str, stage: &str, run: Option<(usize, &RunId)>) -> Result<(), String> {
        let ran = self.parts.hooks.run(name, self.environment(stage, run)).await;
        let file = match run {
            Some((_, run)) => format!("hook-{run}-{stage}.log"),
            None => format!("hook-{stage}.log"),
        };
        let last = last_line(&ran.output);
        if !ran.output.is_empty() {
            let (store, study, output) = (self.parts.studies.clone(), self.file.study_id.clone(), ran.output);
            let saved = tokio::task::spawn_blocking(move || store.save_result(&study, &file, &output)).await;
            if let Ok(Err(error)) = saved {
                log::warn!("study {}: {error}", self.file.study_id);
            }
        }
        ran.outcome.map_err(|fault| format!("the hook {name} ({stage}): {fault}{last}"))
    }

    /// What a hook finds in its environment.
    fn environment(&self, stage: &str, run: Option<(usize, &RunId)>) -> Vec<(String, String)> {
        let mut set = vec![
            ("LOADER_STAGE".to_owned(), stage.to_owned()),
            ("LOADER_STUDY_ID".to_owned(), self.file.study_id.to_string()),
            (
                "LOADER_STUDY_DIRECTORY".to_owned(),
                self.parts.studies.directory(&self.file.study_id).display().to_string(),
            ),
        ];
        let Some((index, run)) = run else { return set };
        set.push(("LOADER_RUN_ID".to_owned(), run.to_string()));
        set.push(("LOADER_RUN_DIRECTORY".to_owned(), self.parts.runs.directory(run).path().display().to_string()));
        if let Some(planned) = self.file.runs.get(index) {
            set.push(("LOADER_CELL".to_owned(), planned.cell.to_string()));
            set.push(("LOADER_REPEAT".to_owned(), planned.repeat.to_string()));
            set.push(("LOADER_ROUND".to_owned(), planned.round.to_string()));
            set.extend(self.varied(planned.cell as usize));
        }
        set
    }

    /// The variables of what varies: by the fields with their values, and by what axes are called that are called something else.
    fn varied(&self, cell: usize) -> BTreeMap<String, String> {
        let mut set = BTreeMap::new();
        if let Ok(plan) = &self.study.checked
            && let Some(cell) = plan.cells.get(cell)
        {
            set.extend(cell.labels(&plan.axes).map(|(axis, value)| (variable(axis), value.to_owned())));
        }
        let values = self.file.cells.get(cell).into_iter().flatten();
        set.extend(values.map(|(field, value)| (variable(field), value.clone())));
        set
    }
}

/// The environment variable of a field that varies: of `scaling.stableWindow`, `LOADER_VARY_SCALING_STABLEWINDOW`.
fn variable(field: &str) -> String {
    let name: String =
        field.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("LOADER_VARY_{name}")
}

/// The end of a hook's output, for a message.
fn last_line(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    last.map(|line| format!("; its last words: {}", &line[..line.floor_char_boundary(MOST_SHOWN)])).unwrap_or_default()
}
