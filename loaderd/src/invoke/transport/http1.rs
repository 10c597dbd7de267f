//! HTTP/1.1: a connection takes one call at a time.
//!
//! A call takes the connection that got idle last, or makes a new one when none is idle: there is no bound for an address, so
//! that a call never waits for another one's answer. What it waits for a new connection shows in its `connect_us`. A
//! connection becomes idle when its answer was read to the end, and is dropped where the peer has closed it.

use std::{cell::RefCell, collections::HashMap, error::Error as _, rc::Rc, sync::Arc};

use bytes::Bytes;
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use http::{HeaderMap, HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, timeout_at},
};
use tonic::Code;

use super::{
    answer::{self, Body, Received},
    count::Counted,
    dial::{self, Dialled},
    peer::Peer,
    sharing::Setup,
    stamped::Receipt,
    wait::{Deadlines, Unanswered, Unsent},
};
use crate::{
    endpoint::HttpVersion,
    invoke::{
        cancellation::Cancellation,
        exchange::{Asked, Exchange, RequestHead},
        outcome::{Failure, Status},
        route::Route,
        waited::Waited,
    },
};

struct Connection {
    sender: SendRequest<Full<Bytes>>,
    peer: Peer,
    receipt: Receipt,
}

/// Connections of one address or function that no call uses, the one that was used last at the end.
type Idle = Rc<RefCell<Vec<Connection>>>;

/// The connections of one worker.
pub(super) struct Pool {
    setup: Setup,
    idle: RefCell<HashMap<String, Idle>>,
}

/// A connection that no other call uses.
pub(in crate::invoke) struct Ready {
    connection: Connection,
    /// Where it becomes idle when the answer was read; absent where each call has its own.
    home: Option<Idle>,
}

/// A request in flight.
pub(in crate::invoke) struct Pending {
    answer: LocalBoxFuture<'static, Result<Response<Incoming>, hyper::Error>>,
    connection: Connection,
    home: Option<Idle>,
    exchange: Arc<dyn Exchange>,
}

impl Pool {
    pub(super) fn new(setup: Setup) -> Self {
        Self { setup, idle: RefCell::default() }
    }

    /// Makes as many connections as the policy has from the start. Stops at the first that fails.
    pub(super) async fn prepare(&self, route: &Route, deadline: Instant) {
        let Some((idle, count)) = self.shared(route) else { return };
        while idle.borrow().len() < count {
            match timeout_at(deadline, self.connect(route)).await {
                Ok(Ok(connection)) => idle.borrow_mut().push(connection),
                Ok(Err(_)) | Err(_) => return,
            }
        }
    }

    /// A connection for one call, and how long the call waited for it to be made.
    pub(super) async fn ready(
        &self,
        route: &Route,
        deadlines: &Deadlines,
        cancellation: &Cancellation,
    ) -> Result<(Ready, Waited), Unsent> {
        let home = self.shared(route).map(|(idle, _)| idle);
        if let Some(idle) = &home {
            loop {
                let Some(mut connection) = idle.borrow_mut().pop() else { break };
                // One that the peer has closed in the meantime is dropped, though its task has not read that yet.
                if !connection.receipt.is_closed() && connection.sender.ready().await.is_ok() {
                    return Ok((Ready { connection, home }, Waited::default()));
                }
            }
        }
        let begun = self.setup.clock.now();
        let waited = || Waited { connect: Some(self.setup.clock.now().duration_since(begun)), ..Waited::default() };
        let deadline = deadlines.connect.min(deadlines.send);
        // Boxed, so that calls that find a connection are small.
        let connecting = Box::pin(self.connect(route));
        let connected = tokio::select! {
            biased;
            connected = timeout_at(deadline, connecting) => connected,
            status = cancellation.cancelled() => return Err(Unsent::cancelled(status, waited())),
        };
        let connected = connected.unwrap_or_else(|_| Err(dial::late(route, deadline.saturating_duration_since(begun))));
        match connected {
            Ok(connection) => Ok((Ready { connection, home }, waited())),
            Err(failure) => Err(Unsent::new(failure, waited())),
        }
    }

    async fn connect(&self, route: &Route) -> Result<Connection, Failure> {
        let peer = Peer::new(&route.address, HttpVersion::Http1);
        let receipt = Receipt::default();
        let spoken = match dial::dial(route, &receipt, &self.setup).await? {
            Dialled::Plain(stream) => self.speak(peer.record(stream)).await,
            Dialled::Secured(stream) => self.speak(peer.record(stream)).await,
        };
        let sender = spoken.map_err(|error| dial::refused(route, &error))?;
        Ok(Connection { sender, peer, receipt })
    }

    async fn speak<S>(&self, stream: S) -> hyper::Result<SendRequest<Full<Bytes>>>
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let open = Counted::new(&self.setup.count.open);
        self.setup.drivers.spawn_local(async move {
            // How a connection ended shows in the call that was on it.
            let _ended = connection.await;
            drop(open);
        });
        Ok(sender)
    }

    /// The idle connections that calls to `route` share, and their number from the start.
    fn shared(&self, route: &Route) -> Option<(Idle, usize)> {
        let (shared_by, count) = self.setup.shared_by(route)?;
        if let Some(idle) = self.idle.borrow().get(shared_by) {
            return Some((Rc::clone(idle), count));
        }
        let idle = Idle::default();
        self.idle.borrow_mut().insert(shared_by.clone(), Rc::clone(&idle));
        Some((idle, count))
    }
}

impl Ready {
    /// Puts a request on the wire: its path in the first line, its authority as `host`.
    pub(super) fn send(self, asked: Asked, exchange: &Arc<dyn Exchange>) -> Pending {
        let Self { mut connection, home } = self;
        let Asked { head, own, body } = asked;
        let head = match head {
            RequestHead::Shared(head) => Request::clone(&head),
            RequestHead::Own(head) => *head,
        };
        let (mut head, ()) = head.into_parts();
        head.version = http::Version::HTTP_11;
        own.into_iter().for_each(|(name, value)| drop(head.headers.insert(name, value)));
        if let Some(host) = head.uri.authority().and_then(|it| HeaderValue::try_from(it.as_str()).ok()) {
            head.headers.insert(header::HOST, host);
        }
        head.uri = head.uri.path_and_query().map_or_else(|| Uri::from_static("/"), |path| Uri::from(path.clone()));
        let answer = connection.sender.send_request(Request::from_parts(head, Full::new(body))).boxed_local();
        Pending { answer, connection, home, exchange: Arc::clone(exchange) }
    }
}

impl Pending {
    /// Waits for the answer and reads it, until then at the latest; the connection is free for others then.
    pub(super) async fn read(self, until: Instant, cancellation: &Cancellation) -> Result<Received, Unanswered> {
        tokio::select! {
            received = timeout_at(until, self.answer()) => received.map_err(|_| Unanswered::TimedOut),
            status = cancellation.cancelled() => Err(Unanswered::Cancelled(status)),
        }
    }

    async fn answer(self) -> Received {
        let Self { answer, connection, home, exchange } = self;
        let (head, body) = match answer.await {
            Ok(answer) => answer.into_parts(),
            Err(error) => return Received::nothing(connection.peer.explain(failure(&error))),
        };
        let mut body = Arriving { body, trailers: HeaderMap::new() };
        let (received, is_whole) = answer::read(&head, &mut body, &*exchange).await;
        let received = Received { arrived: connection.receipt.arrived(), ..received };
        if let Some(home) = home.filter(|_| is_whole) {
            home.borrow_mut().push(connection);
        }
        received
    }
}

struct Arriving {
    body: Incoming,
    trailers: HeaderMap,
}

impl Body for Arriving {
    async fn chunk(&mut self) -> Option<Result<Bytes, Failure>> {
        loop {
            match self.body.frame().await?.map(|frame| frame.into_data().map_err(hyper::body::Frame::into_trailers)) {
                Ok(Ok(data)) => return Some(Ok(data)),
                Ok(Err(trailers)) => self.trailers.extend(trailers.unwrap_or_default()),
                Err(error) => return Some(Err(failure(&error))),
            }
        }
    }

    async fn trailers(&mut self) -> Result<HeaderMap, Failure> {
        Ok(std::mem::take(&mut self.trailers))
    }
}

/// A broken connection is UNAVAILABLE, as over HTTP/2; an answer that is no HTTP/1.1 is INTERNAL.
fn failure(error: &hyper::Error) -> Failure {
    let code = if error.is_parse() { Code::Internal } else { Code::Unavailable };
    let because = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    Failure::new(Status::Grpc(code), format!("{error}{because}"))
}
