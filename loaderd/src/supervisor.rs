//! What the service manager is told (sd_notify(3)): that the daemon is ready, what it does, that it lives.
//!
//! Without a service manager all of this comes to nothing.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    dispatch::Pulse,
    run::{Registry, Selector},
};

/// How often the status is told, and how often at least it is looked whether the daemon lives.
const PERIOD: Duration = Duration::from_secs(2);

/// How late the pacer may be to wake up before it counts as dead: far more than a busy machine makes it.
const PACER_GRACE: Duration = Duration::from_secs(10);

/// How much longer the daemon may take to end, in microseconds, told again and again.
const EXTENSION: u32 = 30_000_000;

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::warn!("the service manager cannot be told: {error}");
    }
}

/// The daemon serves, and has taken up what an earlier process left.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The daemon ends.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("draining")]);
}

/// The configuration is read again.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => log::warn!("the service manager cannot be told: {error}"),
    }
}

/// Tells the active run and its progress, and feeds the watchdog as long as the control loop answers and the pacer wakes up when
/// it should. From `ending` on, as long as a run is finished, it asks for patience.
pub async fn attend(registry: Registry, pulse: Pulse, ending: CancellationToken, end: CancellationToken) {
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
            tell(&[NotifyState::ExtendTimeoutUsec(EXTENSION)]);
        }
        // The loop that answers is the one that queues, starts and ends runs.
        match timeout(watchdog.unwrap_or(PERIOD), status(&registry)).await {
            Ok(Some(status)) => tell(&[NotifyState::Status(&status)]),
            Ok(None) => return,
            Err(_) => {
                log::error!("the control loop does not answer");
                continue;
            }
        }
        match pulse.overdue() {
            Some(late) if late > PACER_GRACE => log::error!("the pacer should have woken up {late:?} ago"),
            _ if watchdog.is_some() => tell(&[NotifyState::Watchdog]),
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
            0 => String::new(),
            total => format!(", slot {} of {total}", progress.slot.saturating_add(1).min(total)),
        };
        format!("{slots}, {} completed, {} failed", progress.completed, progress.failed)
    });
    Some(format!("run {run} {state}{progress}{queued}"))
}
