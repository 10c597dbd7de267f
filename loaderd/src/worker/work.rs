//! The course of a worker, from its hello to its end.

use std::{convert::Infallible, sync::Arc, time::Duration};

use loader_proto::worker::{
    Assignment, Start, WorkerFailed, WorkerPrepared, WorkerReady, work_request, work_response::Message,
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    Ending, Settings, assignment,
    channel::connect,
    comparing::{Compared, ENOUGH},
    incoming::{End, Incoming, TERMINATED},
    link::Link,
    load::{ReadyLoad, Standing},
    outbox::Outbox,
    spool::Spool,
    trace_files,
};
use crate::dispatch::Running;

/// Messages of the coordinator that wait.
const INCOMING: usize = 64;

/// How long one that has nothing to hand over tries to say so.
const FAREWELL: Duration = Duration::from_secs(1);

/// How often it is looked whether the clocks were compared often enough.
const LOOK: Duration = Duration::from_millis(10);

/// Works for a coordinator until the end. With `terminate` it sends nothing more, hands over what it has recorded, and ends.
pub async fn work(settings: Settings, terminate: CancellationToken) -> Ending {
    let (news, listen) = watch::channel(());
    let spool = Spool::create(settings.spool_directory.as_deref(), settings.spool_limit, news.clone());
    let spool = match spool {
        Ok(spool) => Arc::new(spool),
        Err(error) => return Ending::Failed(error.to_string()),
    };
    let outbox = Arc::new(Outbox::new(news));
    let compared = Compared::new(settings.clock);
    let standing = Standing::new(compared.clone());
    let (incoming, messages) = mpsc::channel(INCOMING);
    let mut link = JoinSet::new();
    let process = format!("{:016x}", rand::random::<u64>());
    let contact = compared.contact.subscribe();
    link.spawn(
        Link {
            settings: settings.clone(),
            process,
            outbox: Arc::clone(&outbox),
            spool: Arc::clone(&spool),
            compared: compared.clone(),
            standing: standing.clone(),
            news: listen,
            incoming,
        }
        .keep(),
    );
    let incoming = Incoming::new(messages, contact, settings.patience, terminate);
    let ending = Worker { settings, outbox, spool, compared, standing, incoming }.end().await;
    link.shutdown().await;
    ending
}

struct Worker {
    settings: Settings,
    outbox: Arc<Outbox>,
    spool: Arc<Spool>,
    compared: Compared,
    standing: Standing,
    incoming: Incoming,
}

impl Worker {
    /// How it ends.
    async fn end(mut self) -> Ending {
        let Err(end) = self.course().await;
        match end {
            End::Failed(reason) => self.failed(reason).await,
            End::Terminated => {
                let said = timeout(FAREWELL, self.failed(TERMINATED.to_owned())).await;
                said.unwrap_or_else(|_| Ending::Failed(TERMINATED.to_owned()))
            }
            End::Dismissed(reason) => match self.outbox.failure() {
                Some(failure) => Ending::Failed(failure),
                None if reason.is_empty() => Ending::Dismissed,
                None => Ending::NotWanted(reason),
            },
            End::Silence => {
                let silence = humantime::format_duration(self.incoming.orphan_timeout);
                let coordinator = &self.settings.coordinator;
                Ending::Orphaned(format!("nothing was heard of the coordinator at {coordinator} for {silence}"))
            }
        }
    }

    /// All of it, until something ends it.
    async fn course(&mut self) -> Result<Infallible, End> {
        let assignment = loop {
            if let Message::Assignment(assignment) = self.incoming.message().await? {
                break assignment;
            }
        };
        self.incoming.orphan_timeout = assignment::orphan_timeout(&assignment, self.settings.patience);
        self.compared.hear_within(self.incoming.orphan_timeout);
        let (load, plan_hash) = self.prepare(assignment).await?;
        let start = self.start(plan_hash).await?;
        let (settings, standing) = (&self.settings, &self.standing);
        let load = load.start(&start, settings, standing, &self.spool, &self.outbox).map_err(End::Failed)?;
        load.run(&mut self.incoming).await?;
        loop {
            // What it says again on a new stream was done.
            self.incoming.next().await?;
        }
    }

    /// Makes the plan and connects to the functions, while the coordinator may call it off.
    async fn prepare(&mut self, assignment: Assignment) -> Result<(ReadyLoad, Vec<u8>), End> {
        let settings = self.settings.clone();
        let mut preparing = std::pin::pin!(prepared(settings, assignment));
        loop {
            tokio::select! {
                biased;
                said = self.incoming.message() => drop(said?),
                prepared = &mut preparing => return prepared.map_err(End::Failed),
            }
        }
    }

    /// Says that it is ready, once it is, and waits for the start.
    async fn start(&mut self, plan_hash: Vec<u8>) -> Result<Start, End> {
        self.outbox.say(work_request::Message::Prepared(WorkerPrepared { plan_hash }));
        let (outbox, compared) = (Arc::clone(&self.outbox), self.compared.clone());
        let mut ready = std::pin::pin!(async move {
            while compared.estimate().is_none_or(|estimate| estimate.exchanges < ENOUGH) {
                tokio::time::sleep(LOOK).await;
            }
            outbox.say(work_request::Message::Ready(WorkerReady { clock: compared.message() }));
            std::future::pending::<()>().await;
        });
        loop {
            tokio::select! {
                biased;
                said = self.incoming.message() => if let Message::Start(start) = said? {
                    return Ok(start);
                },
                () = &mut ready => {}
            }
        }
    }

    /// Tells the coordinator why it can't go on, and waits until it knows.
    async fn failed(&mut self, reason: String) -> Ending {
        self.outbox.end(work_request::Message::Failed(WorkerFailed { reason: reason.clone() }));
        while self.incoming.next().await.is_ok() {}
        Ending::Failed(reason)
    }
}

/// Fetches the trace, makes the plan, connects to the functions.
async fn prepared(settings: Settings, assignment: Assignment) -> Result<(ReadyLoad, Vec<u8>), String> {
    let trace = match &assignment.trace {
        Some(trace) => {
            let place = settings.spool_directory.clone().unwrap_or_else(std::env::temp_dir);
            let mut client = connect(&settings).await.map_err(|error| error.to_string())?;
            Some(trace_files::fetch(&mut client, trace, &place).await?)
        }
        None => None,
    };
    let making = Running::start("preparing", move || {
        let request = assignment::request(&assignment)?;
        assignment::work(&settings, &assignment, &request, trace.as_ref().map(|trace| &*trace.path))
    });
    let mut making = making.map_err(|error| format!("no thread to make the plan: {error}"))?;
    let work = making.take().await.map_err(|error| error.to_string())??;
    let plan_hash = work.plan_hash.clone();
    Ok((ReadyLoad::prepare(work).await?, plan_hash))
}
