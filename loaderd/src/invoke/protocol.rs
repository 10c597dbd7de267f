//! What functions speak: how a request looks, and what a reply says.

use bytes::{BufMut as _, Bytes, BytesMut};
use loader_proto::{
    faas::{FaasReply, FaasRequest},
    helloworld::{HelloReply, HelloRequest},
};
use prost::{DecodeError, Message};

/// A function protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// `faas.Executor`, which is asked for run time and memory.
    #[default]
    Faas,
    /// `helloworld.Greeter`, which is asked for nothing.
    Hello,
}

/// What a reply says of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Told {
    /// Run time that the function measured, in microseconds.
    pub(super) runtime_us: Option<u32>,
    /// Memory that the function measured, in KiB.
    pub(super) memory_kib: Option<u32>,
}

impl Protocol {
    /// The method that is called.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Faas => "/faas.Executor/Execute",
            Self::Hello => "/helloworld.Greeter/SayHello",
        }
    }

    /// The service, in words.
    pub(super) const fn service(self) -> &'static str {
        match self {
            Self::Faas => "faas.Executor",
            Self::Hello => "helloworld.Greeter",
        }
    }

    /// The request as a gRPC frame.
    pub(super) fn request(self, runtime_ms: u32, memory_mib: u32) -> Bytes {
        match self {
            Self::Faas => frame(&FaasRequest {
                message: String::new(),
                runtime_in_milli_sec: runtime_ms,
                memory_in_mebi_bytes: memory_mib,
            }),
            Self::Hello => frame(&HelloRequest { name: "loader".to_owned() }),
        }
    }

    /// What the message of a reply says.
    pub(super) fn reply(self, message: &[u8]) -> Result<Told, DecodeError> {
        match self {
            Self::Faas => {
                let FaasReply { message: _, duration_in_micro_sec, memory_usage_in_kb } = FaasReply::decode(message)?;
                Ok(Told { runtime_us: Some(duration_in_micro_sec), memory_kib: Some(memory_usage_in_kb) })
            }
            Self::Hello => HelloReply::decode(message).map(|_| Told::default()),
        }
    }
}

/// A gRPC frame: a zero byte (not compressed), the length in four bytes, the message.
fn frame(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(5 + length);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(length).unwrap_or_default());
    frame.extend_from_slice(&message.encode_to_vec());
    frame.freeze()
}
