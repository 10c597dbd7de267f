//! Reads an answer, over any transport, as far as its protocol wants it.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, response::Parts};

use tokio::time::Instant;

use crate::invoke::{
    exchange::{Answer, Beyond, Exchange, Head, Wanted},
    outcome::{Failure, Reply},
};

/// An answer that was read to its end, or to its failure.
#[derive(Debug)]
pub(in crate::invoke) struct Received {
    /// Bytes of its body; absent when not even its head came.
    pub(in crate::invoke) bytes: Option<u64>,
    /// When its last bytes arrived, where that is known.
    pub(in crate::invoke) arrived: Option<Instant>,
    /// The reply, or the failure that it reports.
    pub(in crate::invoke) reply: Result<Reply, Failure>,
}

impl Received {
    /// The result of a call without any answer.
    pub(super) fn nothing(failure: Failure) -> Self {
        Self { bytes: None, arrived: None, reply: Err(failure) }
    }
}

/// The body of an answer on its way.
pub(super) trait Body {
    /// The next bytes; none at its end.
    async fn chunk(&mut self) -> Option<Result<Bytes, Failure>>;

    /// What follows it, once it has ended.
    async fn trailers(&mut self) -> Result<HeaderMap, Failure>;
}

/// A body as far as it was read.
struct Collected {
    bytes: u64,
    data: Result<Bytes, Failure>,
    /// Whether nothing of it is left.
    is_whole: bool,
}

/// Reads an answer with that head; returns also whether nothing of it is left, so that its connection is free.
pub(super) async fn read(head: &Parts, body: &mut impl Body, exchange: &dyn Exchange) -> (Received, bool) {
    let head = Head { status: head.status, headers: &head.headers };
    let Wanted::Body { keep, beyond, trailers: wants_trailers } = exchange.wanted(head) else {
        let reply = exchange.reply(Answer { head, body: Ok(Bytes::new()), trailers: &HeaderMap::new() });
        return (Received { bytes: Some(0), arrived: None, reply }, false);
    };
    let Collected { bytes, data, is_whole } = collect(body, keep, beyond).await;
    let trailers = match wants_trailers && data.is_ok() {
        true => body.trailers().await,
        false => Ok(HeaderMap::new()),
    };
    let reply = trailers.and_then(|trailers| exchange.reply(Answer { head, body: data, trailers: &trailers }));
    (Received { bytes: Some(bytes), arrived: None, reply }, is_whole)
}

async fn collect(body: &mut impl Body, keep: usize, beyond: Beyond) -> Collected {
    let mut data = BytesMut::new();
    let mut bytes = 0;
    while let Some(chunk) = body.chunk().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(failure) => return Collected { bytes, data: Err(failure), is_whole: false },
        };
        bytes += chunk.len() as u64;
        match (keep - data.len(), beyond) {
            (room, _) if chunk.len() <= room => data.extend_from_slice(&chunk),
            (_, Beyond::Refused) => {
                let failure = Failure::internal(format!("the answer is longer than {keep} bytes"));
                return Collected { bytes, data: Err(failure), is_whole: false };
            }
            (room, Beyond::Dropped) => data.extend_from_slice(&chunk[..room]),
        }
    }
    Collected { bytes, data: Ok(data.freeze()), is_whole: true }
}
