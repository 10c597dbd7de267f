//! Following a run to its end, reconnecting where the connection is lost.

mod live;
mod view;

use std::time::Duration;

use loader_proto::v1;
use tokio_stream::{Stream, StreamExt as _};
use tonic::Status;

pub(crate) use live::Live;
pub(crate) use view::{JsonLines, Lines, Silent, View};

use crate::{Failure, client::Daemon, ending::is_lost};

/// Pauses before each attempt to reconnect. A restart of the daemon takes a second or two.
pub(crate) const PAUSES: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(8),
];

/// Why a run can't be followed any longer.
#[derive(Debug)]
pub(crate) enum Lost {
    /// The daemon answered with this status.
    Status(Box<Status>),
    /// The view can't show it.
    View(std::io::Error),
}

impl Lost {
    /// What that means for the command.
    pub(crate) fn failure(self, daemon: &Daemon) -> Failure {
        match self {
            Self::Status(status) => daemon.failure(*status),
            Self::View(error) => error.into(),
        }
    }
}

/// Shows a run until it has ended, and gives its last state. When the stream is cut off, it is opened anew a few times.
///
/// # Errors
/// The daemon's last answer, when it refuses or is gone for good.
pub(crate) async fn follow<S, O>(run: &str, open: O, view: &mut dyn View) -> Result<v1::Run, Lost>
where
    S: Stream<Item = Result<v1::WatchRunResponse, Status>> + Unpin,
    O: AsyncFn(String) -> Result<S, Status>,
{
    // "latest" may mean another run later.
    let mut run = run.to_owned();
    let mut pauses = PAUSES.iter();
    loop {
        let cut = match open(run.clone()).await {
            Ok(mut stream) => loop {
                match stream.next().await {
                    Some(Ok(message)) => {
                        view.show(&message).map_err(Lost::View)?;
                        let Some(update) = message.run else { continue };
                        if is_terminal(update.state()) {
                            return Ok(update);
                        }
                        run = update.run_id;
                        pauses = PAUSES.iter();
                    }
                    Some(Err(status)) => break status,
                    None => break Status::unavailable("the daemon ended the stream before the run did"),
                }
            },
            Err(status) => status,
        };
        match pauses.next() {
            Some(pause) if is_lost(&cut) => {
                view.cut_off(*pause);
                tokio::time::sleep(*pause).await;
            }
            _ => return Err(Lost::Status(Box::new(cut))),
        }
    }
}

/// Whether a run in this state has ended.
pub(crate) fn is_terminal(state: v1::RunState) -> bool {
    use v1::RunState::{
        Cancelled, Cleaning, Deploying, Draining, Failed, Interrupted, Queued, Running, Succeeded, Unspecified,
        WarmingUp,
    };
    match state {
        Succeeded | Failed | Cancelled | Interrupted => true,
        Unspecified | Queued | Deploying | WarmingUp | Running | Draining | Cleaning => false,
    }
}

#[cfg(test)]
mod tests;
