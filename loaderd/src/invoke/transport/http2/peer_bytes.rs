//! What a peer sends, without a socket: to try what it may send.

use std::{
    sync::Arc,
    task::{Context, Poll, Waker},
};

use super::{
    ended::Ended,
    frame::{self, SETTINGS},
    session::Session,
};
use crate::invoke::{call::Call, route::Route};

/// Calls under way at a time.
const CALLS: usize = 3;

/// What becomes of some calls to a function whose side of the connection sends these pieces after its settings, one after the other, and
/// closes it, as text. Absent for a call that is left open, which none may be.
pub(crate) fn after<'a>(route: &Route, call: &Call, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Option<String>> {
    let mut session = Session::new();
    let mut settings = Vec::new();
    frame::write(SETTINGS, 0, 0, &[], &mut settings);
    session.receive(&settings, None);
    let exchange = Arc::clone(&route.exchange);
    let sent = (0..CALLS).map(|_| session.send(&exchange.request(call), &exchange));
    let calls: Vec<_> = sent.filter_map(|sent| Some(sent.ok()?.1)).collect();
    for piece in pieces {
        session.receive(piece, None);
    }
    session.end(&Ended::Closed);
    let context = Context::from_waker(Waker::noop());
    let outcome = |call: &super::call::Shared| match call.borrow_mut().poll(&context) {
        Poll::Ready(Ok(received)) => Some(format!("{:?}", received.reply)),
        Poll::Ready(Err(_)) | Poll::Pending => None,
    };
    calls.iter().map(outcome).collect()
}
