//! One instance's life: launched, connected, kept, told to go, gone. The function hears of each step.

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
    /// Why no instance could ever be launched, if that is known beforehand.
    fn launch_error(&self) -> Option<String>;

    /// Starts an instance. It goes when `stop` is cancelled, at the latest after the launcher's grace.
    fn launch(&self, launch: Launch, stop: CancellationToken) -> Process;

    /// Connects to an instance that listens at `address`.
    async fn connect(&self, address: SocketAddr) -> io::Result<Box<dyn Stream>>;
}

/// A connection's two directions.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What to launch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Launch {
    /// The run.
    pub(super) run: RunId,
    /// The function's name.
    pub(super) function: String,
    /// The kind of function.
    pub(super) kind: String,
    /// The instance's name, unique in the run.
    pub(super) instance: String,
}

/// An instance's process, as its launcher tells of it.
#[derive(Debug)]
pub(super) struct Process {
    /// Where it listens. Dropped without an address when it never will.
    pub(super) listening: oneshot::Receiver<SocketAddr>,
    /// Why it ended, sent when it is gone.
    pub(super) exit: oneshot::Receiver<Exit>,
}

/// How a process ended: for people, with its exit status and the last line of its standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exit(pub(super) String);

/// What the function hears, in this order; any but the last may be missing.
#[derive(Debug)]
pub(super) enum InstanceEvent {
    /// It takes calls.
    Ready(Client),
    /// It takes no call any more.
    Lost,
    /// Its process is gone; if nobody told it to go, for this reason.
    Gone(Option<String>),
}

/// Why an instance never took a call.
#[derive(Debug, thiserror::Error)]
enum StartFailure {
    #[error("it did not listen within {0:?}")]
    Late(Duration),
    #[error("it ended before it listened")]
    Ended,
    #[error("cannot connect to it at {address}: {source}")]
    Connect { address: SocketAddr, source: io::Error },
    #[error("cannot speak HTTP/2 with it: {0}")]
    Handshake(#[from] hyper::Error),
}

/// All that an instance's life needs.
pub(super) struct Instance {
    /// Its number in its function.
    pub(super) id: InstanceId,
    /// What to launch.
    pub(super) launch: Launch,
    /// Who launches it.
    pub(super) launcher: Arc<dyn Launcher>,
    /// Tells it to go.
    pub(super) stop: CancellationToken,
    /// How long it may take until it can be called.
    pub(super) start_timeout: Duration,
    /// Where its connection's tasks run.
    pub(super) tasks: Tasks,
    /// Where its news go.
    pub(super) events: mpsc::Sender<(InstanceId, InstanceEvent)>,
}

impl Instance {
    /// Lives until the process is gone.
    pub(super) async fn live(self) {
        let mut process = self.launcher.launch(self.launch.clone(), self.stop.clone());
        let failure = tokio::select! {
            served = self.serve(&mut process) => served.err(),
            () = self.stop.cancelled() => None,
        };
        let stopped = self.stop.is_cancelled();
        self.stop.cancel();
        self.notify(InstanceEvent::Lost).await;
        let exit = process.exit.await.unwrap_or_else(|_| Exit("its launcher has ended".to_owned()));
        let reason = match failure {
            None | Some(StartFailure::Ended) => exit.0,
            Some(failure) => failure.to_string(),
        };
        self.notify(InstanceEvent::Gone((!stopped).then_some(reason))).await;
    }

    /// Takes calls until the connection ends. How it ended does not matter: the process's end says more.
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
        // The function has ended when nobody listens, and then nobody needs to know.
        self.events.send((self.id, event)).await.ok();
    }
}
