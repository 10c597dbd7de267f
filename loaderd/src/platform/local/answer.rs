//! The gateway's responses: an instance's, passed through, or its own refusals with Knative's text.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::lease::Hold;

pub(super) type Answer = Either<Passing, Full<Bytes>>;

/// An instance's body, passed through. The instance's slot is released when it ends.
#[derive(Debug)]
pub(super) struct Passing {
    body: Incoming,
    _hold: Hold,
}

impl Body for Passing {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An instance's response, unchanged; its end frees the slot.
pub(super) fn passing(response: Response<Incoming>, hold: Hold) -> Response<Answer> {
    response.map(|body| Either::Left(Passing { body, _hold: hold }))
}

/// Whether a request is gRPC, and gets refusals as gRPC.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// No function has that name: for gRPC `UNIMPLEMENTED` (12) without a message, else 404, as Kourier does.
pub(super) fn no_route(grpc: bool) -> Response<Answer> {
    if !grpc {
        return refusal(StatusCode::NOT_FOUND, "");
    }
    let mut response = refusal(StatusCode::OK, "");
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response.headers_mut().insert("grpc-status", HeaderValue::from_static("12"));
    response
}

/// The instance died before it answered.
pub(super) fn unexpected_eof() -> Response<Answer> {
    refusal(StatusCode::BAD_GATEWAY, "unexpected EOF")
}

/// There was no response in time, whether the call was queued or in progress.
pub(super) fn request_timeout() -> Response<Answer> {
    refusal(StatusCode::GATEWAY_TIMEOUT, "activator request timeout")
}

fn refusal(status: StatusCode, text: &'static str) -> Response<Answer> {
    let mut response = Response::new(Either::Right(Full::new(Bytes::from_static(text.as_bytes()))));
    *response.status_mut() = status;
    if !text.is_empty() {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    response
}
