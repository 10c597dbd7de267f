//! `faas.Executor`, the protocol of InVitro's functions: requests carry run time and memory, replies what was measured.

use bytes::Bytes;
use loader_proto::faas::{FaasReply, FaasRequest};
use prost::{DecodeError, Message as _};

use super::grpc::{Measured, Service, frame};
use crate::invoke::call::Call;

#[derive(Debug)]
pub(super) struct Faas;

impl Service for Faas {
    const NAME: &'static str = "faas.Executor";
    const PATH: &'static str = "/faas.Executor/Execute";
    const HOLDS_RUNTIME: bool = true;

    fn request(&self, call: &Call) -> Bytes {
        frame(&FaasRequest {
            message: String::new(),
            runtime_in_milli_sec: call.runtime_ms,
            memory_in_mebi_bytes: call.memory_mib,
        })
    }

    fn reply(&self, message: &[u8]) -> Result<Measured, DecodeError> {
        let FaasReply { message: _, duration_in_micro_sec, memory_usage_in_kb } = FaasReply::decode(message)?;
        Ok(Measured { runtime_us: Some(duration_in_micro_sec), memory_kib: Some(memory_usage_in_kb) })
    }
}
