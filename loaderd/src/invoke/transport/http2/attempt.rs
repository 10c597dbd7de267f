//! An attempt to connect. A peer that does not answer holds up no call for longer than it must: every second another
//! connection is tried beside the first, as a packet may be lost, or the peer be back.

use std::{
    pin::pin,
    rc::{Rc, Weak},
    time::Duration,
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::time::{Instant, sleep, timeout};

use super::connection::{Connection, NoConnection};
use crate::invoke::{route::Route, transport::sharing::Setup};

/// After how long another connection is tried.
const NEXT: Duration = Duration::from_secs(1);

/// How long a later try is waited for. The first one is given up only with all.
const PATIENCE: Duration = Duration::from_secs(4);

/// Whoever wants a connection.
pub(super) trait Wanting {
    /// Whether a call waits for one.
    fn waits(&self) -> bool;

    /// Whether one is of use, though no call waits for it.
    fn is_incomplete(&self) -> bool;

    /// The attempt that began then has ended: with this, or given up.
    fn attempted(self: Rc<Self>, begun: Instant, ended: Option<Result<Rc<Connection>, NoConnection>>);
}

/// Connects for `group`, as long as a call waits, and until `until` if none does.
pub(super) async fn run(group: Weak<dyn Wanting>, route: Route, setup: Setup, until: Instant) {
    let begun = setup.clock.now();
    let ended = connect(&group, &route, &setup, until).await;
    if let Some(group) = group.upgrade() {
        group.attempted(begun, ended);
    }
}

/// The first connection that stands, or the last failure; nothing when it was given up.
async fn connect(
    group: &Weak<dyn Wanting>,
    route: &Route,
    setup: &Setup,
    until: Instant,
) -> Option<Result<Rc<Connection>, NoConnection>> {
    let mut first = pin!(Connection::make(route, setup));
    let mut first_failed = None;
    let mut later = FuturesUnordered::new();
    loop {
        let ended = tokio::select! {
            ended = &mut first, if first_failed.is_none() => ended.map_err(|failure| first_failed = Some(failure)),
            Some(ended) = later.next() => match ended {
                Ok(Ok(connection)) => Ok(connection),
                Ok(Err(_)) | Err(_) => Err(()),
            },
            () = sleep(NEXT) => {
                let wanted = group.upgrade().is_some_and(|group| {
                    group.waits() || (group.is_incomplete() && setup.clock.now() < until)
                });
                if !wanted {
                    return None;
                }
                later.push(timeout(PATIENCE, Connection::make(route, setup)));
                continue;
            }
        };
        match ended {
            Ok(connection) => return Some(Ok(connection)),
            Err(()) if later.is_empty() && first_failed.is_some() => return first_failed.map(Err),
            Err(()) => {}
        }
    }
}
