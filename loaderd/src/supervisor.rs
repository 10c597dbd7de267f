//! Reports to the service manager (sd_notify(3)): readiness, status, watchdog.
//!
//! ```text
//! daemon ──▶ Notifier ──bounded queue──▶ thread ──▶ NOTIFY_SOCKET
//! ```
//!
//! A service manager that is busy, such as with a daemon-reload, reads no messages, and senders can block for seconds. Here only
//! the thread does. Without a service manager nothing is sent.

use std::{io, time::Duration};

use sd_notify::NotifyState;
use tokio::{
    sync::{mpsc, oneshot},
    time::{interval, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    dispatch::Heartbeat,
    registry::{Registry, Selector},
};

/// Interval of status reports, and the longest interval of liveness checks.
const PERIOD: Duration = Duration::from_secs(2);

/// How late the pacer can wake up before it counts as hung; far more than on a busy machine.
const PACER_GRACE: Duration = Duration::from_secs(10);

/// By how much each request extends the stop timeout, in microseconds.
const EXTENSION: u32 = 30_000_000;

/// Most messages that wait to be sent.
const QUEUE: usize = 32;

/// Positions in the queue that are reserved for messages that are not repeated.
const RESERVED: usize = 16;

/// How long the exit waits for queued messages.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// A message to the service manager.
#[derive(Debug)]
enum Message {
    Ready,
    /// With the monotonic clock's microseconds.
    Reloading(NotifyState<'static>),
    Stopping,
    Status(String),
    Watchdog,
    Extend,
    /// Sends nothing; confirms that all messages before it were sent.
    Flush(oneshot::Sender<()>),
}

impl Message {
    /// Whether it is sent again soon.
    fn is_repeated(&self) -> bool {
        matches!(self, Self::Status(_) | Self::Watchdog | Self::Extend)
    }

    /// Sends it; blocks while the service manager reads no messages.
    fn send(self) -> io::Result<()> {
        match self {
            Self::Ready => sd_notify::notify(&[NotifyState::Ready]),
            Self::Reloading(now) => sd_notify::notify(&[NotifyState::Reloading, now]),
            Self::Stopping => sd_notify::notify(&[NotifyState::Stopping, NotifyState::Status("draining")]),
            Self::Status(status) => sd_notify::notify(&[NotifyState::Status(&status)]),
            Self::Watchdog => sd_notify::notify(&[NotifyState::Watchdog]),
            Self::Extend => sd_notify::notify(&[NotifyState::ExtendTimeoutUsec(EXTENSION)]),
            Self::Flush(done) => {
                // The receiver may have timed out.
                let _late = done.send(());
                Ok(())
            }
        }
    }
}

/// Sends messages to the service manager without blocking. Its clones share one thread, which ends with the last of them.
#[derive(Debug, Clone)]
pub struct Notifier {
    messages: Option<mpsc::Sender<Message>>,
}

impl Notifier {
    /// A notifier for the service manager that the environment names, if any.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start() -> io::Result<Self> {
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return Ok(Self { messages: None });
        }
        let (messages, mut queue) = mpsc::channel::<Message>(QUEUE);
        std::thread::Builder::new().name("notifier".to_owned()).spawn(move || {
            while let Some(message) = queue.blocking_recv() {
                if let Err(error) = message.send() {
                    log::warn!("cannot notify the service manager: {error}");
                }
            }
        })?;
        Ok(Self { messages: Some(messages) })
    }

    fn notify(&self, message: Message) {
        let Some(messages) = &self.messages else { return };
        if message.is_repeated() && messages.capacity() <= RESERVED {
            return;
        }
        if let Err(error) = messages.try_send(message) {
            log::warn!("the service manager reads no messages: {error}");
        }
    }

    /// The daemon serves, and has cleaned up after an earlier process.
    pub fn ready(&self) {
        self.notify(Message::Ready);
    }

    /// The daemon is stopping.
    pub fn stopping(&self) {
        self.notify(Message::Stopping);
    }

    /// The configuration is being reloaded.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.notify(Message::Reloading(now)),
            Err(error) => log::warn!("cannot notify the service manager: {error}"),
        }
    }

    /// Waits until all messages have been sent, at most [`FLUSH_TIMEOUT`].
    pub async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        self.notify(Message::Flush(done));
        // Without a service manager the sender is dropped at once.
        let _timed_out = timeout(FLUSH_TIMEOUT, flushed).await;
    }
}

/// Reports the active run and its progress, and feeds the watchdog while the control loop answers and the pacer wakes up when it
/// should. After `extend_timeout`, while a run is being finished, it extends the stop timeout.
pub async fn report(
    notifier: &Notifier,
    registry: Registry,
    heartbeat: Heartbeat,
    extend_timeout: CancellationToken,
    end: CancellationToken,
) {
    let watchdog = sd_notify::watchdog_enabled();
    let period = watchdog.map_or(PERIOD, |limit| (limit / 3).min(PERIOD));
    let mut ticks = interval(period);
    loop {
        tokio::select! {
            () = end.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if extend_timeout.is_cancelled() {
            // The run may take longer than the stop timeout.
            notifier.notify(Message::Extend);
        }
        // The control loop queues, starts and ends runs.
        match timeout(watchdog.unwrap_or(PERIOD), status(&registry)).await {
            Ok(Some(status)) => notifier.notify(Message::Status(status)),
            Ok(None) => return,
            Err(_) => {
                log::error!("the control loop does not answer");
                continue;
            }
        }
        match heartbeat.overdue() {
            Some(late) if late > PACER_GRACE => log::error!("the pacer should have woken up {late:?} ago"),
            _ if watchdog.is_some() => notifier.notify(Message::Watchdog),
            _ => {}
        }
    }
}

/// The status line; `None` when the daemon ends.
async fn status(registry: &Registry) -> Option<String> {
    let activity = registry.activity().await.ok()?;
    let queued = match activity.queued {
        0 => String::new(),
        queued => format!(", {queued} queued"),
    };
    let Some(run) = activity.active else { return Some(format!("idle{queued}")) };
    let view = registry.watch(Selector::Id(run.clone())).await.ok()?.borrow().clone();
    let state = view.file.state.as_str();
    let progress = view.progress.as_ref().map_or(String::new(), |progress| {
        let slots = match progress.slots_total {
            None | Some(0) => String::new(),
            Some(total) => format!(", slot {} of {total}", progress.slot.saturating_add(1).min(total)),
        };
        format!("{slots}, {} completed, {} failed", progress.completed, progress.failed)
    });
    Some(format!("run {run} {state}{progress}{queued}"))
}
