//! A registry for tests, whose runs end as soon as they are submitted, with the summaries that the test gives: nothing is deployed or sent,
//! and no time passes.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    sync::Arc,
};

use tokio::sync::{mpsc, watch};

use super::{
    Registry, RegistryError, Selector, Submission, Submitted,
    handle::{Command, Reply},
};
use crate::{
    clock::UnixMicros,
    id::RunId,
    run::RunView,
    store::{RunFile, RunSummary, State, Store},
};

/// What the runs of a fake registry come to.
pub(crate) type Outcomes = Box<dyn FnMut(&Submission) -> RunSummary + Send>;

/// The task of a fake registry.
pub(crate) struct FakeRegistry {
    store: Store,
    outcomes: Outcomes,
    commands: mpsc::Receiver<Command>,
    views: BTreeMap<RunId, watch::Sender<Arc<RunView>>>,
    reserved: i64,
}

impl FakeRegistry {
    /// A fake registry whose runs leave their summaries in a store, and its handle.
    pub(crate) fn new(store: Store, outcomes: Outcomes) -> (Self, Registry) {
        let (send, commands) = mpsc::channel(16);
        (Self { store, outcomes, commands, views: BTreeMap::new(), reserved: 0 }, Registry { commands: send })
    }

    /// Answers what studies ask, until nobody has the handle any more.
    pub(crate) async fn run(mut self) {
        while let Some(command) = self.commands.recv().await {
            match command {
                Command::Reserve(reply) => {
                    self.reserved += 1;
                    answer(reply, Ok(RunId::new(1_800_000_000_000 + self.reserved, 0)));
                }
                Command::Submit(submission, reply) => answer(reply, Ok(self.submit(*submission))),
                Command::Watch(Selector::Id(run), reply) => {
                    let view = self.views.get(&run).map(watch::Sender::subscribe);
                    answer(reply, view.ok_or(RegistryError::NotFound(run)));
                }
                Command::Missing(runs, reply) => {
                    let missing: HashSet<_> = runs.into_iter().filter(|run| !self.views.contains_key(run)).collect();
                    answer(reply, Ok(missing));
                }
                other @ (Command::Watch(Selector::Latest, _)
                | Command::List { .. }
                | Command::Cancel(..)
                | Command::Pin(..)
                | Command::Delete(..)
                | Command::Position(..)
                | Command::Activity(_)
                | Command::TraceUses(_)
                | Command::Alike { .. }) => unreachable!("no study asks for {other:?}"),
            }
        }
    }

    /// Makes a run: its directory has the summary, as that of a run that has succeeded.
    fn submit(&mut self, submission: Submission) -> Submitted {
        let (run, place) = submission.study.clone().expect("is a study's");
        let summary = (self.outcomes)(&submission);
        let names = (submission.name.as_str(), submission.mode, submission.platform.as_str());
        let now = UnixMicros(run.unix_ms() * 1000);
        let file = RunFile::new(run.clone(), names, now, "");
        let file = RunFile { state: State::Succeeded, finished_unix_us: Some(now.0), study: Some(place), ..file };
        let directory = self.store.directory(&run);
        fs::create_dir(directory.path()).expect("the run is new");
        directory.save_summary(&summary).expect("is written");
        let view = Arc::new(RunView::new(file, Arc::new(submission.spec)));
        self.views.insert(run, watch::Sender::new(Arc::clone(&view)));
        Submitted { view, existing: false }
    }
}

fn answer<T>(reply: Reply<T>, answer: Result<T, RegistryError>) {
    // Whoever asked may have gone.
    let _sent = reply.send(answer).is_ok();
}
