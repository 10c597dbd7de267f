//! The handle of the studies: commands and their replies.

use std::{collections::HashSet, str::FromStr, sync::Arc};

use tokio::sync::{mpsc, oneshot, watch};

use super::{ClientStage, StudyView};
use crate::{
    id::{InvalidStudyId, RunId, StudyId},
    registry::Scope,
    store::{ClientStages, StoreError, SubmittedStudy},
};

/// Most studies that wait.
pub(super) const MOST_QUEUED: usize = 100;

/// Which study a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StudySelector {
    /// The study that was submitted last.
    Latest,
    /// The study with this id.
    Id(StudyId),
}

impl FromStr for StudySelector {
    type Err = InvalidStudyId;

    fn from_str(text: &str) -> Result<Self, InvalidStudyId> {
        if text == "latest" { Ok(Self::Latest) } else { text.parse().map(Self::Id) }
    }
}

/// Why a command was refused.
#[derive(Debug, thiserror::Error)]
pub enum StudiesError {
    /// There are no studies, so none is the latest.
    #[error("there are no studies yet")]
    Empty,
    /// The study does not exist.
    #[error("there is no study {0}")]
    NotFound(StudyId),
    /// Too many studies wait.
    #[error("{MOST_QUEUED} studies are waiting: submit it again when one has ended")]
    QueueFull,
    /// The study's state forbids it.
    #[error("study {0} has not ended: cancel it first, or wait until it has ended")]
    NotEnded(StudyId),
    /// The study is another caller's.
    #[error("study {study} belongs to {owner}: only its owner or an admin may change it")]
    NotOwner {
        /// The id of the study.
        study: StudyId,
        /// Who submitted it.
        owner: String,
    },
    /// The study does not wait for that.
    #[error("study {0} does not wait for its client at this stage of this run")]
    NotAwaited(StudyId),
    /// The daemon is shutting down.
    #[error("the daemon is shutting down")]
    ShuttingDown,
    /// The study's directory can't be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A valid study.
#[derive(Debug, Clone)]
pub struct StudySubmission {
    /// The study, as given.
    pub study: SubmittedStudy,
    /// Who submits it.
    pub owner: String,
    /// Whether runs from before it may stand for its runs.
    pub reuse: bool,
    /// For what its client is awaited.
    pub client: ClientStages,
}

/// One page of studies.
#[derive(Debug, Clone, Default)]
pub struct StudyPage {
    /// The studies of the page, newest first.
    pub studies: Vec<Arc<StudyView>>,
    /// Whether there are older ones.
    pub more: bool,
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, StudiesError>>;

/// A client's word: the study may go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proceed {
    /// The run that it was asked about.
    pub(super) run: RunId,
    /// When it was asked.
    pub(super) stage: ClientStage,
    /// Why the client's command failed; empty where it succeeded.
    pub(super) failure: String,
}

/// A command.
#[derive(Debug)]
pub(super) enum Command {
    Submit(Box<StudySubmission>, Reply<Arc<StudyView>>),
    Watch(StudySelector, Reply<watch::Receiver<Arc<StudyView>>>),
    List { before: Option<StudyId>, limit: usize, reply: Reply<StudyPage> },
    Cancel(StudySelector, Scope, Reply<Arc<StudyView>>),
    Delete(StudyId, Reply<()>),
    Proceed(StudyId, Scope, Proceed, Reply<()>),
    Uploads(Reply<HashSet<String>>),
}

/// The handle of the studies. Clones share it.
#[derive(Debug, Clone)]
pub struct Studies {
    pub(super) commands: mpsc::Sender<Command>,
}

impl Studies {
    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, StudiesError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| StudiesError::ShuttingDown)?;
        answer.await.map_err(|_| StudiesError::ShuttingDown)?
    }

    /// Creates a study and lets it wait for its turn.
    ///
    /// # Errors
    /// Too many studies wait, or a directory can't be created.
    pub async fn submit(&self, submission: StudySubmission) -> Result<Arc<StudyView>, StudiesError> {
        self.ask(|reply| Command::Submit(Box::new(submission), reply)).await
    }

    /// One study, now and as it changes.
    ///
    /// # Errors
    /// The study does not exist.
    pub async fn watch(&self, study: StudySelector) -> Result<watch::Receiver<Arc<StudyView>>, StudiesError> {
        self.ask(|reply| Command::Watch(study, reply)).await
    }

    /// Up to `limit` studies, newest first, from before `before` on.
    ///
    /// # Errors
    /// The daemon is shutting down.
    pub async fn list(&self, before: Option<StudyId>, limit: usize) -> Result<StudyPage, StudiesError> {
        self.ask(|reply| Command::List { before, limit, reply }).await
    }

    /// Ends a study early, with its run under way. One that has ended stays as it is.
    ///
    /// # Errors
    /// There is no such study within the scope.
    pub async fn cancel(&self, study: StudySelector, scope: Scope) -> Result<Arc<StudyView>, StudiesError> {
        self.ask(|reply| Command::Cancel(study, scope, reply)).await
    }

    /// Removes a study that has ended; its runs stay.
    ///
    /// # Errors
    /// There is no such study, it has not ended, its directory can't be removed.
    pub async fn delete(&self, study: StudyId) -> Result<(), StudiesError> {
        self.ask(|reply| Command::Delete(study, reply)).await
    }

    /// Lets a study go on that waits for its client; `failure` is why the client's command failed, empty where it succeeded.
    ///
    /// # Errors
    /// There is no such study within the scope, or it does not wait for that.
    pub async fn proceed(
        &self,
        study: StudyId,
        scope: Scope,
        (run, stage): (RunId, ClientStage),
        failure: String,
    ) -> Result<(), StudiesError> {
        let proceed = Proceed { run, stage, failure };
        self.ask(|reply| Command::Proceed(study, scope, proceed, reply)).await
    }

    /// The ids of the uploaded traces that studies need which have not ended.
    ///
    /// # Errors
    /// The daemon is shutting down.
    pub async fn uploads(&self) -> Result<HashSet<String>, StudiesError> {
        self.ask(Command::Uploads).await
    }
}
