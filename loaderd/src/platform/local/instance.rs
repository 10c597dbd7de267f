//! The life cycle of an instance: launched, connected, stopped, ended. The function is notified of each step.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use hyper::{
    body::Incoming,
    client::conn::http2::{Builder, Connection, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    live::{LiveInstances, Order},
    scaler::InstanceId,
    tasks::Tasks,
    window::{CONNECTION_WINDOW, STREAM_WINDOW},
};
use crate::id::RunId;

/// Sends calls to an instance.
pub(super) type Client = SendRequest<Incoming>;

/// What makes instances: real processes, or fakes in tests.
#[tonic::async_trait]
pub(super) trait Launcher: Send + Sync {
    /// Why no instance can be launched; absent when nothing is wrong.
    fn launch_error(&self) -> Option<String>;

    /// Starts an instance. It ends when `stop` is cancelled, at the latest after the launcher's grace period.
    fn launch(&self, launch: Launch, stop: CancellationToken) -> Process;

    /// Connects to an instance that listens at `address`.
    async fn connect(&self, address: SocketAddr) -> io::Result<Box<dyn Stream>>;
}

/// A connection's two directions.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What identifies an instance to launch, and the kind of its function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Launch {
    pub(super) run: RunId,
    pub(super) function: String,
    /// The kind of function.
    pub(super) kind: String,
    /// How long it is busy before it listens.
    pub(super) startup_busy_loop: Duration,
    /// The instance's name, unique in the run.
    pub(super) instance: String,
}

/// The process of an instance, as its launcher returns it.
#[derive(Debug)]
pub(super) struct Process {
    /// Its address; closed when it will never listen.
    pub(super) listening: oneshot::Receiver<SocketAddr>,
    /// How it ended, sent after its end.
    pub(super) exit: oneshot::Receiver<Exit>,
    /// Takes what is done to it from outside.
    pub(super) orders: mpsc::Sender<Order>,
}

/// How a process ended, for users: its exit status and the last line of its standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exit(pub(super) String);

/// A step of an instance, in this order; any but the last may be missing.
#[derive(Debug)]
pub(super) enum InstanceEvent {
    /// It accepts calls by this client.
    Ready(Client),
    /// It takes no more calls.
    Lost,
    /// Its process has ended; with the reason, unless it was stopped.
    Gone(Option<String>),
}

/// Why an instance did not become ready.
#[derive(Debug, thiserror::Error)]
enum StartFailure {
    #[error("the instance did not listen within {0:?}")]
    Late(Duration),
    #[error("the instance ended before it listened")]
    Ended,
    #[error("cannot connect to the instance at {address}: {source}")]
    Connect { address: SocketAddr, source: io::Error },
    #[error("HTTP/2 handshake with the instance failed: {0}")]
    Handshake(#[from] hyper::Error),
}

/// An instance to launch, and what it needs.
pub(super) struct Instance {
    /// Its number in its function.
    pub(super) id: InstanceId,
    pub(super) launch: Launch,
    pub(super) launcher: Arc<dyn Launcher>,
    /// The live instances of the run, which it joins.
    pub(super) live: Arc<LiveInstances>,
    /// Cancelled when the instance shall stop.
    pub(super) stop: CancellationToken,
    /// Maximum time until it can be called.
    pub(super) start_timeout: Duration,
    /// Where its connection's tasks run.
    pub(super) tasks: Tasks,
    /// The channel to which its events are sent.
    pub(super) events: mpsc::Sender<(InstanceId, InstanceEvent)>,
}

impl Instance {
    /// Runs until the process has ended.
    pub(super) async fn live(self) {
        let mut process = self.launcher.launch(self.launch.clone(), self.stop.clone());
        let registered = self.live.register(self.launch.instance.clone(), process.orders.clone());
        let failure = tokio::select! {
            served = self.serve(&mut process) => served.err(),
            () = self.stop.cancelled() => None,
        };
        let stopped = self.stop.is_cancelled();
        self.stop.cancel();
        self.notify(InstanceEvent::Lost).await;
        let exit = process.exit.await.unwrap_or_else(|_| Exit("the platform was shut down".to_owned()));
        drop(registered);
        let reason = match failure {
            None | Some(StartFailure::Ended) => exit.0,
            Some(failure) => failure.to_string(),
        };
        self.notify(InstanceEvent::Gone((!stopped).then_some(reason))).await;
    }

    /// Serves calls until the connection ends. The process's exit has the reason.
    async fn serve(&self, process: &mut Process) -> Result<(), StartFailure> {
        let (client, connection) = self.start(process).await?;
        self.notify(InstanceEvent::Ready(client)).await;
        connection.await.ok();
        Ok(())
    }

    /// Waits until it listens, and connects.
    async fn start(
        &self,
        process: &mut Process,
    ) -> Result<(Client, Connection<TokioIo<Box<dyn Stream>>, Incoming, Tasks>), StartFailure> {
        let connect = async {
            let address = (&mut process.listening).await.map_err(|_| StartFailure::Ended)?;
            let stream =
                self.launcher.connect(address).await.map_err(|source| StartFailure::Connect { address, source })?;
            let mut builder = Builder::new(self.tasks.clone());
            builder.initial_stream_window_size(STREAM_WINDOW).initial_connection_window_size(CONNECTION_WINDOW);
            Ok(builder.handshake(TokioIo::new(stream)).await?)
        };
        timeout(self.start_timeout, connect).await.unwrap_or(Err(StartFailure::Late(self.start_timeout)))
    }

    async fn notify(&self, event: InstanceEvent) {
        // The channel is closed when the function has ended.
        self.events.send((self.id, event)).await.ok();
    }
}
