//! How a run ends: its records completed and sealed, its end told.

use std::{collections::HashMap, sync::Arc};

use tokio::task::JoinSet;

use super::{
    Event, Machine, RunSummary, State, Verdict,
    driver::{Driver, Followed},
    starts,
};
use crate::{clock::UnixMicros, record::Summary, results, spec::Output};

impl Driver {
    /// Waits until the feeds have ended, which they do when the run is cleaned.
    pub(super) async fn followed(&mut self, mut following: JoinSet<Followed>) -> u64 {
        let mut instances = 0;
        while let Some(followed) = following.join_next().await {
            let Ok((started, written)) = followed else { continue };
            instances += started;
            if let Err(error) = written {
                self.apply(Event::End(Verdict::Failed(error.to_string())));
            }
        }
        instances
    }

    /// Completes the cold starts by what the invocations tell of them.
    pub(super) async fn fill_in(&mut self, replies: HashMap<String, UnixMicros>) {
        let directory = self.directory.clone();
        let filled = tokio::task::spawn_blocking(move || starts::fill_in(directory.path(), &replies)).await;
        if let Ok(Err(error)) = filled {
            self.apply(Event::End(Verdict::Failed(error.to_string())));
        }
    }

    /// How the run will end as things stand. It has passed to cleaning, from where it can only end.
    fn last(&self) -> Machine {
        let mut last = self.machine.clone();
        let _cleaned = last.apply(Event::Cleaned);
        last
    }

    /// Brings the records into the form that was asked for. Those of a run that went wrong are left as they are.
    pub(super) async fn finish_records(&mut self, output: Output) {
        if !matches!(self.last().state(), State::Succeeded | State::Cancelled) {
            return;
        }
        let directory = self.directory.clone();
        let finished = tokio::task::spawn_blocking(move || results::finish(directory.path(), output)).await;
        match finished {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.apply(Event::End(Verdict::Failed(error.to_string()))),
            Err(broken) => self.apply(Event::End(Verdict::Failed(format!("finishing the records broke: {broken}")))),
        }
    }

    /// Writes the manifest, over everything else that the run left.
    async fn seal(&mut self) {
        let (directory, run, state) = (self.directory.clone(), self.run_id(), self.last().state());
        let now = self.context.clock.unix();
        let sealed = tokio::task::spawn_blocking(move || directory.seal(&run, state, now)).await;
        let reason = match sealed {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => error.to_string(),
            Err(broken) => format!("the manifest broke: {broken}"),
        };
        self.apply(Event::End(Verdict::Failed(reason)));
    }

    /// Says how the run ended, with its summary and manifest, once all are on disk.
    pub(super) async fn finish(&mut self, summary: Option<Summary>) {
        let last = self.last();
        let summary = summary.map(|load| {
            let file = &self.view.borrow().file;
            (self.context.encode_summary)(&RunSummary {
                run_id: file.run_id.clone(),
                name: file.name.clone(),
                mode: file.mode.clone(),
                platform: file.platform.clone(),
                state: last.state(),
                reason: last.reason().to_owned(),
                load,
            })
        });
        if let Some(summary) = summary {
            if let Err(error) = self.directory.save_summary(&summary) {
                self.apply(Event::End(Verdict::Failed(error.to_string())));
            }
            self.publish(|view| view.summary = Some(Arc::new(summary)));
        }
        self.seal().await;
        self.apply(Event::Cleaned);
        self.context.metrics.idle();
        self.context.metrics.run_ended(self.machine.state().as_str());
    }
}
