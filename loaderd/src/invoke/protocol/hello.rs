//! `helloworld.Greeter`, the protocol of vSwarm's functions: neither requests nor replies carry measurements.

use bytes::Bytes;
use loader_proto::helloworld::{HelloReply, HelloRequest};
use prost::{DecodeError, Message as _};

use super::grpc::{Measured, Service, frame};
use crate::invoke::call::Call;

#[derive(Debug)]
pub(super) struct Hello;

impl Service for Hello {
    const NAME: &'static str = "helloworld.Greeter";
    const PATH: &'static str = "/helloworld.Greeter/SayHello";
    const HOLDS_RUNTIME: bool = false;

    fn request(&self, _call: &Call) -> Bytes {
        frame(&HelloRequest { name: "loader".to_owned() })
    }

    fn reply(&self, message: &[u8]) -> Result<Measured, DecodeError> {
        HelloReply::decode(message).map(|_| Measured::default())
    }
}
