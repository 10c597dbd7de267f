//! What the service manager is told (sd_notify(3)): that the daemon is ready, what it does, that it lives.
//!
//! ```text
//! daemon ──▶ Notifier ──bounded queue──▶ thread ──▶ NOTIFY_SOCKET
//! ```
//!
//! A manager that is busy with itself takes no messages for a while, and then whoever sends one waits: the thread does,
//! nobody else. Without a service manager all of this comes to nothing.

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

/// How often the status is told, and how often at least it is looked whether the daemon lives.
const PERIOD: Duration = Duration::from_secs(2);

/// How late the pacer may be to wake up before it counts as dead: far more than a busy machine makes it.
const PACER_GRACE: Duration = Duration::from_secs(10);

/// How much longer the daemon may take to end, in microseconds, told again and again.
const EXTENSION: u32 = 30_000_000;

/// How much may wait to be told.
const QUEUE: usize = 32;

/// Places in the queue that are kept for what is told once.
const KEPT: usize = 16;

/// How long the end waits for what is still to be told.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What is told.
#[derive(Debug)]
enum Word {
    Ready,
    /// With the monotonic clock's microseconds.
    Reloading(NotifyState<'static>),
    Stopping,
    Status(String),
    Watchdog,
    Extend,
    /// Nothing: all before it has been told.
    Flush(oneshot::Sender<()>),
}

impl Word {
    /// Whether it is told again soon.
    fn is_repeated(&self) -> bool {
        matches!(self, Self::Status(_) | Self::Watchdog | Self::Extend)
    }

    /// Tells it; waits for as long as the manager takes no messages.
    fn tell(self) -> io::Result<()> {
        match self {
            Self::Ready => sd_notify::notify(&[NotifyState::Ready]),
            Self::Reloading(now) => sd_notify::notify(&[NotifyState::Reloading, now]),
            Self::Stopping => sd_notify::notify(&[NotifyState::Stopping, NotifyState::Status("draining")]),
            Self::Status(status) => sd_notify::notify(&[NotifyState::Status(&status)]),
            Self::Watchdog => sd_notify::notify(&[NotifyState::Watchdog]),
            Self::Extend => sd_notify::notify(&[NotifyState::ExtendTimeoutUsec(EXTENSION)]),
            Self::Flush(done) => {
                // Who asked may have given up.
                let _late = done.send(());
                Ok(())
            }
        }
    }
}

/// The way to the service manager; it never waits. Its clones share one thread, which ends with the last of them.
#[derive(Debug, Clone)]
pub struct Notifier {
    words: Option<mpsc::Sender<Word>>,
}

impl Notifier {
    /// The way to the manager that the environment names, if it does.
    ///
    /// # Errors
    /// When there can be no thread.
    pub fn start() -> io::Result<Self> {
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return Ok(Self { words: None });
        }
        let (words, mut queue) = mpsc::channel::<Word>(QUEUE);
        std::thread::Builder::new().name("notifier".to_owned()).spawn(move || {
            while let Some(word) = queue.blocking_recv() {
                if let Err(error) = word.tell() {
                    log::warn!("the service manager cannot be told: {error}");
                }
            }
        })?;
        Ok(Self { words: Some(words) })
    }

    fn tell(&self, word: Word) {
        let Some(words) = &self.words else { return };
        if word.is_repeated() && words.capacity() <= KEPT {
            return;
        }
        if let Err(error) = words.try_send(word) {
            log::warn!("the service manager takes no messages: {error}");
        }
    }

    /// The daemon serves, and has taken up what an earlier process left.
    pub fn ready(&self) {
        self.tell(Word::Ready);
    }

    /// The daemon ends.
    pub fn stopping(&self) {
        self.tell(Word::Stopping);
    }

    /// The configuration is read again.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(Word::Reloading(now)),
            Err(error) => log::warn!("the service manager cannot be told: {error}"),
        }
    }

    /// Waits until all has been told; not for long.
    pub async fn flush(&self) {
        let (done, told) = oneshot::channel();
        self.tell(Word::Flush(done));
        // Nobody to tell, or nobody who listens.
        let _flushed = timeout(LAST_WORDS, told).await;
    }
}

/// Tells the active run and its progress, and feeds the watchdog as long as the control loop answers and the pacer wakes up when
/// it should. From `ending` on, as long as a run is finished, it asks for patience.
pub async fn attend(
    notifier: &Notifier,
    registry: Registry,
    heartbeat: Heartbeat,
    ending: CancellationToken,
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
        if ending.is_cancelled() {
            // Whatever the run takes: the service manager's patience shall not end it.
            notifier.tell(Word::Extend);
        }
        // The loop that answers is the one that queues, starts and ends runs.
        match timeout(watchdog.unwrap_or(PERIOD), status(&registry)).await {
            Ok(Some(status)) => notifier.tell(Word::Status(status)),
            Ok(None) => return,
            Err(_) => {
                log::error!("the control loop does not answer");
                continue;
            }
        }
        match heartbeat.overdue() {
            Some(late) if late > PACER_GRACE => log::error!("the pacer should have woken up {late:?} ago"),
            _ if watchdog.is_some() => notifier.tell(Word::Watchdog),
            _ => {}
        }
    }
}

/// What the daemon does, in a line; none when it ends.
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
