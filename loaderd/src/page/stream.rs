//! The stream of snapshots: each viewer gets the newest one when it is ready to take one.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::State,
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, StreamExt as _, stream};
use http::StatusCode;
use tokio::sync::watch;

use super::{gate::Viewer, handles::Inner, live::Snapshot};
use crate::access::{Role, Seat};

/// Interval of comments that keep a quiet connection open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Follows the present.
pub(super) async fn live(State(page): State<Arc<Inner>>, Extension(viewer): Extension<Viewer>) -> Response {
    let Ok(seat) = page.live.viewers.take(&viewer.caller.name) else {
        return (StatusCode::SERVICE_UNAVAILABLE, "there are as many viewers as there may be\n").into_response();
    };
    let revoked = page.guard.revoked_holder(viewer.credentials.clone(), Role::Read);
    let (first, snapshots) = page.live.fresh().await;
    let events = following(page, viewer, Following { first: Some(first), snapshots, _seat: seat });
    let events = events.take_until(Box::pin(revoked));
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

struct Following {
    first: Option<Arc<Snapshot>>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    _seat: Seat,
}

/// The newest snapshot whenever there is another one, as long as the viewer's session lasts.
fn following(
    page: Arc<Inner>,
    viewer: Viewer,
    following: Following,
) -> impl Stream<Item = Result<Event, Infallible>> + Send + 'static {
    stream::unfold((page, viewer, following), |(page, viewer, mut following)| async move {
        let snapshot = match following.first.take() {
            Some(first) => first,
            None => {
                following.snapshots.changed().await.ok()?;
                following.snapshots.borrow_and_update().clone()
            }
        };
        let lasts = |value: &Vec<u8>| page.sessions.find(value, page.clock.now()).is_some();
        if !viewer.session.as_ref().is_none_or(lasts) {
            return None;
        }
        Some((Ok(snapshot.event.clone()), (page, viewer, following)))
    })
}
