//! The link to the coordinator: opens a stream, keeps it, and opens another one when it breaks.

use std::{sync::Arc, time::Duration};

use loader_proto::worker::{WorkRequest, WorkResponse, WorkerHello, work_request, work_response};
use tokio::{
    sync::{mpsc, watch},
    time::{interval, sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use super::{
    Settings,
    channel::{Client, NoConnection, connect},
    comparing::Compared,
    course::Course,
    incoming::Said,
    load::Standing,
    outbox::Outbox,
    spool::Spool,
};

/// How long a stream may take to be opened.
const OPEN: Duration = Duration::from_secs(10);

/// How often the worker reports.
const REPORT: Duration = Duration::from_secs(1);

/// From one try to the next: the first, and the most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Messages that wait to be sent on a stream.
const OUTGOING: usize = 4;

/// What the link works with.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) settings: Settings,
    /// Drawn when the process started.
    pub(super) process: String,
    pub(super) outbox: Arc<Outbox>,
    pub(super) spool: Arc<Spool>,
    pub(super) compared: Compared,
    pub(super) standing: Standing,
    /// Changes when there is something more to send.
    pub(super) news: watch::Receiver<()>,
    /// What the coordinator says.
    pub(super) incoming: mpsc::Sender<Said>,
}

/// Why a stream has ended.
enum Broken {
    /// Another one may do better.
    Lost(String),
    /// The coordinator takes no stream of this worker, or is not the coordinator of its run.
    Refused(String),
    /// The coordinator has dismissed it.
    Dismissed,
}

impl From<Status> for Broken {
    fn from(status: Status) -> Self {
        let reason = format!("the coordinator: {}", status.message());
        let is_final =
            [Code::FailedPrecondition, Code::Unauthenticated, Code::PermissionDenied].contains(&status.code());
        if is_final { Self::Refused(reason) } else { Self::Lost(reason) }
    }
}

impl From<&str> for Broken {
    fn from(reason: &str) -> Self {
        Self::Lost(reason.to_owned())
    }
}

impl Link {
    /// Keeps a stream open until nobody listens to what comes.
    pub(super) async fn keep(mut self) {
        let (first, most) = PAUSES;
        let (mut pause, mut resumes) = (first, false);
        while !self.incoming.is_closed() {
            let before = *self.compared.contact.borrow();
            match self.session(&mut resumes).await {
                // One that it had before may be known again.
                Broken::Refused(reason) if !resumes => {
                    // Whoever listens ends by it.
                    let _ended = self.incoming.send(Err(reason)).await;
                    return;
                }
                Broken::Dismissed => return,
                Broken::Lost(reason) | Broken::Refused(reason) => {
                    log::warn!("no stream to the coordinator at {}: {reason}", self.settings.coordinator);
                }
            }
            let was_heard = *self.compared.contact.borrow() != before;
            pause = if was_heard { first } else { (pause * 2).min(most) };
            sleep(pause).await;
        }
    }

    /// One stream, until it breaks; returns why.
    async fn session(&mut self, resumes: &mut bool) -> Broken {
        let client = match timeout(OPEN, connect(&self.settings)).await {
            Ok(Ok(client)) => client,
            Ok(Err(NoConnection::Failed(reason))) => return Broken::Lost(reason),
            Ok(Err(untrusted @ NoConnection::Untrusted { .. })) => return Broken::Refused(untrusted.to_string()),
            Err(_) => return "no connection in time".into(),
        };
        let (to, requests) = mpsc::channel(OUTGOING);
        let hello = work_request::Message::Hello(self.hello(*resumes));
        // There is room for it.
        let _queued = to.try_send(WorkRequest { message: Some(hello) });
        let mut opening = client.clone();
        let responses = match timeout(OPEN, opening.work(ReceiverStream::new(requests))).await {
            Ok(Ok(responses)) => responses.into_inner(),
            Ok(Err(status)) => return status.into(),
            Err(_) => return "the coordinator opened no stream in time".into(),
        };
        self.converse(client, to, responses, resumes).await
    }

    fn hello(&self, resumes: bool) -> WorkerHello {
        let Settings { run, index, node, pod, .. } = &self.settings;
        WorkerHello {
            run_id: run.to_string(),
            index: *index,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            process: self.process.clone(),
            node: node.clone(),
            pod: pod.clone(),
            next_batch: self.spool.range().0,
            resumes,
        }
    }

    /// Says what there is to say, and passes on what comes.
    async fn converse(
        &mut self,
        client: Client,
        to: mpsc::Sender<WorkRequest>,
        mut responses: Streaming<WorkResponse>,
        resumes: &mut bool,
    ) -> Broken {
        let compared = self.compared.clone();
        let mut comparing = std::pin::pin!(compared.compare(client));
        let mut course = Course::new(&self.spool);
        let mut reports = interval(REPORT);
        let mut is_dismissed = false;
        loop {
            let next = match course.next(&self.outbox, &self.spool, &self.standing) {
                Ok(next) => next,
                Err(error) => return Broken::Lost(error.to_string()),
            };
            tokio::select! {
                biased;
                response = responses.message() => match response {
                    Ok(Some(WorkResponse { message: Some(message) })) => {
                        *resumes = true;
                        self.compared.contact.send_replace(self.settings.clock.clock().now());
                        is_dismissed |= matches!(message, work_response::Message::Dismissed(_));
                        if !self.take(message).await {
                            return "nobody listens any more".into();
                        }
                    }
                    Ok(Some(WorkResponse { message: None })) => {}
                    Ok(None) | Err(_) if is_dismissed => return Broken::Dismissed,
                    Ok(None) => return "the coordinator ended it".into(),
                    Err(status) => return status.into(),
                },
                permit = to.reserve(), if next.is_some() => match permit {
                    Ok(permit) => {
                        course.sent(next.as_ref());
                        permit.send(WorkRequest { message: next });
                    }
                    Err(_closed) => return "the coordinator reads it no more".into(),
                },
                changed = self.news.changed(), if next.is_none() => if changed.is_err() {
                    return "the worker has ended".into();
                },
                _ = reports.tick() => course.report(),
                reason = &mut comparing => return Broken::Lost(reason),
            }
        }
    }

    /// Takes a message; false when nobody wants it.
    async fn take(&self, message: work_response::Message) -> bool {
        if let work_response::Message::Acknowledged(taken) = &message {
            self.spool.acknowledge(taken.next_batch);
            return true;
        }
        self.incoming.send(Ok(message)).await.is_ok()
    }
}
