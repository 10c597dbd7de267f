//! The body of a response. Its request counts as open until it has been sent; it ends early when its caller loses its access, as when
//! a token is revoked: a stream can last as long as a run.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, Shared};
use http::{HeaderMap, Response};
use hyper::body::{Frame, SizeHint};
use tonic::{Status, body::Body};

use super::status;
use crate::{access::Refusal, listener::OpenRequest};

/// When the caller of a request loses its access, and why.
pub(super) type Revoked = Shared<BoxFuture<'static, Refusal>>;

/// A response's body.
struct Answer {
    body: Body,
    /// Absent once the caller has lost its access.
    revoked: Option<Revoked>,
    _open: Option<OpenRequest>,
}

/// The response, until its caller loses its access.
pub(super) fn until(revoked: Revoked, open: Option<OpenRequest>, answer: Response<Body>) -> Response<Body> {
    answer.map(|body| Body::new(Answer { body, revoked: Some(revoked), _open: open }))
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        if let Some(revoked) = &mut this.revoked
            && let Poll::Ready(refusal) = Pin::new(revoked).poll(context)
        {
            this.revoked = None;
            // What makes the stream ends with it.
            this.body = Body::empty();
            let mut trailers = HeaderMap::new();
            let sent = status::refused(&refusal).add_header(&mut trailers);
            return Poll::Ready(Some(sent.map(|()| Frame::trailers(trailers))));
        }
        Pin::new(&mut this.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt as _, StreamExt as _, stream};
    use http_body_util::{BodyExt as _, StreamBody};
    use hyper::body::Body as _;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_stream_ends_with_the_reason_when_its_caller_loses_its_access() {
        let (revoke, lost) = oneshot::channel();
        let revoked = async move { lost.await.expect("is told") }.boxed().shared();
        let endless = stream::once(async { Ok::<_, Status>(Frame::data(Bytes::from_static(b"a run"))) });
        let answer = Response::new(Body::new(StreamBody::new(endless.chain(stream::pending()))));
        let mut body = until(revoked, None, answer).into_body();
        assert!(body.frame().await.expect("a frame").expect("is sent").is_data());
        assert!(body.frame().now_or_never().is_none());
        revoke.send(Refusal::Unknown("the token is not known")).expect("is awaited");
        let trailers = body.frame().await.expect("a frame").expect("is sent").into_trailers().expect("the end");
        let status = Status::from_header_map(&trailers).expect("a status");
        assert_eq!((status.code(), status.message()), (tonic::Code::Unauthenticated, "the token is not known"));
        assert!(body.frame().await.is_none() && body.is_end_stream());
    }

    #[test]
    fn a_status_alone_stays_one() {
        let never = std::future::pending().boxed().shared();
        let refused = until(never, None, Status::not_found("no such run").into_http());
        assert!(refused.body().is_end_stream());
    }
}
