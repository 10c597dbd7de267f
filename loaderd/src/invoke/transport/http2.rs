//! HTTP/2: a connection takes many calls at a time, as many as the peer allows.
//!
//! How many streams are open on a connection is counted here, against the peer's SETTINGS_MAX_CONCURRENT_STREAMS, which may
//! change while the connection stands. A call that has no stream waits here and not in the HTTP/2 library, so that what is
//! sent is sent.

mod attempt;
mod connection;
mod group;
mod outage;

use std::{cell::RefCell, collections::HashMap, future::poll_fn, rc::Rc};

use bytes::Bytes;
use h2::{RecvStream, SendStream, client::ResponseFuture};
use http::{HeaderMap, Request};
use tokio::time::Instant;

use self::{connection::Stream, group::Group};
use super::{
    answer::{self, Body, Received},
    sharing::Setup,
    wait::{Deadlines, Unsent},
};
use crate::invoke::{cancellation::Cancellation, exchange::Exchange, outcome::Failure, route::Route, waited::Waited};

/// A connection with room for one request.
pub(in crate::invoke) struct Ready(Stream);

/// A request whose head is sent.
pub(in crate::invoke) struct Pending {
    answer: ResponseFuture,
    /// The body, while the peer's flow control holds it back.
    held: Option<(SendStream<Bytes>, Bytes)>,
    stream: Stream,
}

impl Ready {
    /// Sends a request: its body, too, unless the peer's flow control holds it back.
    pub(super) fn send(self, mut head: Request<()>, body: Bytes) -> Result<Pending, Failure> {
        let Self(stream) = self;
        *head.version_mut() = http::Version::HTTP_2;
        let sent = stream.send(head, body.is_empty()).and_then(|(answer, mut sender)| {
            if body.is_empty() {
                return Ok((answer, None));
            }
            if !stream.goes_at_once(body.len()) {
                sender.reserve_capacity(body.len());
                return Ok((answer, Some((sender, body))));
            }
            sender.send_data(body, true).map(|()| (answer, None))
        });
        match sent {
            Ok((answer, held)) => Ok(Pending { answer, held, stream }),
            Err(error) => Err(stream.line().peer.explain(error.into())),
        }
    }
}

impl Pending {
    /// Whether the peer's flow control holds the body back.
    pub(super) fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Sends the body once the peer's flow control lets all of it go.
    pub(super) async fn release(&mut self) -> Result<(), Failure> {
        let Some((mut sender, body)) = self.held.take() else { return Ok(()) };
        while sender.capacity() < body.len() {
            match poll_fn(|context| sender.poll_capacity(context)).await {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(self.stream.line().peer.explain(error.into())),
                // The stream is over; its answer says why.
                None => return Ok(()),
            }
        }
        sender.send_data(body, true).map_err(|error| self.stream.line().peer.explain(error.into()))
    }

    /// Waits for the answer and reads it.
    pub(super) async fn read(self, exchange: &dyn Exchange) -> Received {
        let Self { answer, held: _, stream } = self;
        let received = match answer.await {
            Ok(answer) => {
                let (head, mut body) = answer.into_parts();
                answer::read(head, &mut body, exchange).await.0
            }
            Err(error) => Received::nothing(stream.line().peer.explain(error.into())),
        };
        Received { arrived: stream.line().receipt.arrived(), ..received }
    }
}

impl Body for RecvStream {
    async fn chunk(&mut self) -> Option<Result<Bytes, Failure>> {
        let chunk = self.data().await?;
        let taken = chunk.and_then(|chunk| self.flow_control().release_capacity(chunk.len()).map(|()| chunk));
        Some(taken.map_err(Failure::from))
    }

    async fn trailers(&mut self) -> Result<HeaderMap, Failure> {
        Ok(RecvStream::trailers(self).await?.unwrap_or_default())
    }
}

/// The connections of one worker.
pub(super) struct Pool {
    setup: Setup,
    groups: RefCell<HashMap<String, Rc<Group>>>,
}

impl Pool {
    pub(super) fn new(setup: Setup) -> Self {
        Self { setup, groups: RefCell::default() }
    }

    /// Makes the connections that calls to `route` will share, unless they exist.
    pub(super) async fn prepare(&self, route: &Route, deadline: Instant) {
        if let Some(group) = self.group(route) {
            group.prepare(deadline).await;
        }
    }

    /// A connection to `route` with room for a request with a body of so many bytes, and what was waited for.
    pub(super) async fn ready(
        &self,
        route: &Route,
        bytes: usize,
        deadlines: &Deadlines,
        cancellation: &Cancellation,
    ) -> Result<(Ready, Waited), Unsent> {
        let group = self.group(route).unwrap_or_else(|| Group::new(route, 1, &self.setup));
        let (stream, waited) = group.stream(bytes, deadlines, cancellation).await?;
        Ok((Ready(stream), waited))
    }

    /// The connections that calls to `route` share; none where each call has its own.
    fn group(&self, route: &Route) -> Option<Rc<Group>> {
        let (shared_by, count) = self.setup.shared_by(route)?;
        if let Some(group) = self.groups.borrow().get(shared_by) {
            return Some(Rc::clone(group));
        }
        let group = Group::new(route, count, &self.setup);
        self.groups.borrow_mut().insert(shared_by.clone(), Rc::clone(&group));
        Some(group)
    }
}
