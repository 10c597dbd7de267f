//! Reads the answer to a call: a function's reply, a gRPC status, or a gateway's words.

use bytes::{Buf as _, Bytes, BytesMut};
use h2::{RecvStream, client::ResponseFuture};
use http::{HeaderMap, StatusCode, header};
use loader_proto::metadata;
use tonic::{Code, Status as GrpcStatus};

use super::{
    Protocol,
    outcome::{Failure, Origin, Reply, Status},
    protocol::Told,
};
use crate::clock::UnixMicros;

/// Most bytes of a reply: its three fields need far less, unless the function sends a long text.
const MAX_REPLY: usize = 1 << 20;

/// Most bytes that are kept of a gateway's words.
const MAX_WORDS: usize = 512;

/// Waits for the answer and reads it whole.
pub(super) async fn read(answer: ResponseFuture, protocol: Protocol) -> Result<Reply, Failure> {
    let (head, mut body) = answer.await?.into_parts();
    if head.status != StatusCode::OK || !is_grpc(&head.headers) {
        let words = collect(&mut body, MAX_WORDS).await.unwrap_or_default();
        return Err(gateway(head.status, &words));
    }
    let origin = origin(&head.headers);
    if let Some(status) = GrpcStatus::from_header_map(&head.headers) {
        return Err(refused(&status, origin));
    }
    let data = collect(&mut body, MAX_REPLY).await?;
    let trailers = body.trailers().await?.unwrap_or_default();
    match GrpcStatus::from_header_map(&trailers) {
        Some(status) if status.code() == Code::Ok => decode(&data, origin, protocol),
        Some(status) => Err(refused(&status, origin)),
        None => Err(Failure { origin, ..internal("the answer ended without a gRPC status") }),
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// Reads up to `limit` bytes; what exceeds them is an error.
async fn collect(body: &mut RecvStream, limit: usize) -> Result<Bytes, Failure> {
    let mut data = BytesMut::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        if data.len() + chunk.len() > limit {
            return Err(internal(&format!("the answer is longer than {limit} bytes")));
        }
        data.extend_from_slice(&chunk);
    }
    Ok(data.freeze())
}

fn decode(data: &[u8], origin: Origin, protocol: Protocol) -> Result<Reply, Failure> {
    let garbage = |what: &str| internal(&format!("the reply is not one of {}: {what}", protocol.service()));
    let mut frame = data;
    if frame.len() < 5 {
        return Err(garbage("it is too short"));
    }
    if frame.get_u8() != 0 {
        return Err(garbage("it is compressed"));
    }
    let length = frame.get_u32() as usize;
    if length != frame.len() {
        return Err(garbage("its length is wrong"));
    }
    let Told { runtime_us, memory_kib } = protocol.reply(frame).map_err(|error| garbage(&error.to_string()))?;
    Ok(Reply { runtime_us, memory_kib, origin })
}

fn internal(error: &str) -> Failure {
    Failure::new(Status::Grpc(Code::Internal), error)
}

fn gateway(status: StatusCode, words: &[u8]) -> Failure {
    let words = String::from_utf8_lossy(words);
    let words = words.trim();
    let words = if words.is_empty() { status.canonical_reason().unwrap_or("no words") } else { words };
    Failure::new(Status::Http(status.as_u16()), words)
}

/// A gRPC status other than OK. RESOURCE_EXHAUSTED is how a function says that it could not have the memory;
/// UNIMPLEMENTED without a message is how an ingress says that it knows no such function.
fn refused(status: &GrpcStatus, origin: Origin) -> Failure {
    let (kind, error) = match (status.code(), status.message()) {
        (Code::Ok, _) => (Status::Grpc(Code::Internal), "the answer holds no reply"),
        (Code::ResourceExhausted, message) => (Status::MemoryAllocationFailed, message),
        (Code::Unimplemented, "") => (Status::Grpc(Code::Unimplemented), "the ingress has no route to this function"),
        (code, message) => (Status::Grpc(code), message),
    };
    Failure { origin, ..Failure::new(kind, error) }
}

fn origin(headers: &HeaderMap) -> Origin {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Origin {
        instance: text(metadata::INSTANCE).unwrap_or_default().to_owned(),
        cold_start: text(metadata::FIRST_INVOCATION).and_then(|value| value.parse().ok()),
        started: text(metadata::INSTANCE_STARTED).and_then(|value| value.parse().ok()).map(UnixMicros),
    }
}
