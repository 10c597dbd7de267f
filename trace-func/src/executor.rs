//! The service `faas.Executor`: requests in, replies or errors out, each with the instance's metadata.

use std::time::Duration;

use loader_proto::faas::{FaasReply, FaasRequest, executor_server::Executor};
use tonic::{Request, Response, Status};

use crate::{
    clock,
    consumer::{ConsumeError, Consumed, Consumer, Demand},
    instance::Instance,
    memory::MemoryError,
};

/// What a function does with a request.
#[derive(Debug)]
pub enum Work {
    /// Consumes what it asks for.
    Trace(Consumer),
    /// Answers at once.
    Empty,
}

/// The function that this process serves.
#[derive(Debug)]
pub struct Function {
    instance: Instance,
    work: Work,
}

impl Function {
    /// A function that does `work` and answers in the name of `instance`.
    pub fn new(instance: Instance, work: Work) -> Self {
        Self { instance, work }
    }
}

#[tonic::async_trait]
impl Executor for Function {
    async fn execute(&self, request: Request<FaasRequest>) -> Result<Response<FaasReply>, Status> {
        let received = clock::now();
        let stamp = self.instance.arrive();
        let consumed = match &self.work {
            Work::Trace(consumer) => consumer.consume(received, demand(&request.into_inner())).await,
            Work::Empty => Ok(Consumed { runtime: Duration::ZERO, memory_bytes: 0 }),
        };
        match consumed {
            Ok(consumed) => {
                let mut response = Response::new(reply(consumed));
                stamp.write_to(response.metadata_mut());
                Ok(response)
            }
            Err(error) => {
                log::info!("invocation not served: {error}");
                let mut status = status(&error);
                stamp.write_to(status.metadata_mut());
                Err(status)
            }
        }
    }
}

fn demand(request: &FaasRequest) -> Demand {
    let FaasRequest { message: _, runtime_in_milli_sec, memory_in_mebi_bytes } = request;
    Demand { runtime: Duration::from_millis(u64::from(*runtime_in_milli_sec)), memory_mib: *memory_in_mebi_bytes }
}

/// The reply to an invocation. Figures beyond what its fields hold, 71 minutes and 4 TiB, are given as their maximum.
fn reply(consumed: Consumed) -> FaasReply {
    let Consumed { runtime, memory_bytes } = consumed;
    FaasReply {
        message: "OK".to_owned(),
        duration_in_micro_sec: u32::try_from(runtime.as_micros()).unwrap_or(u32::MAX),
        memory_usage_in_kb: u32::try_from(memory_bytes / 1024).unwrap_or(u32::MAX),
    }
}

/// The one place that gives errors their status.
fn status(error: &ConsumeError) -> Status {
    let message = error.to_string();
    match error {
        ConsumeError::TooLong { .. } => Status::invalid_argument(message),
        ConsumeError::Memory(MemoryError::Exhausted { .. } | MemoryError::Refused { .. }) => {
            Status::resource_exhausted(message)
        }
        ConsumeError::Memory(MemoryError::Unmeasured(_)) | ConsumeError::Failed => Status::internal(message),
        ConsumeError::Abandoned => Status::cancelled(message),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use tonic::Code;

    use super::*;
    use crate::memory::Bound;

    #[test]
    fn replies_are_in_microseconds_and_kib_and_saturate() {
        for ((runtime, memory_bytes), expected) in [
            ((Duration::ZERO, 0), (0, 0)),
            ((Duration::from_nanos(1_500_999), 3 << 20), (1500, 3072)),
            ((Duration::from_secs(5000), 1 << 43), (u32::MAX, u32::MAX)),
        ] {
            let reply = reply(Consumed { runtime, memory_bytes });
            assert_eq!((reply.duration_in_micro_sec, reply.memory_usage_in_kb), expected);
        }
    }

    #[test]
    fn errors_have_the_status_that_the_protocol_says() {
        let exhausted = MemoryError::Exhausted { asked_mib: 2, free_mib: 1, bound: Bound::Host };
        let refused = MemoryError::Refused { asked_mib: 2, source: io::ErrorKind::OutOfMemory.into() };
        let too_long = ConsumeError::TooLong { asked: Duration::from_secs(2), bound: Duration::from_secs(1) };
        for (error, code) in [
            (exhausted.into(), Code::ResourceExhausted),
            (refused.into(), Code::ResourceExhausted),
            (MemoryError::Unmeasured(io::ErrorKind::Other.into()).into(), Code::Internal),
            (too_long, Code::InvalidArgument),
            (ConsumeError::Abandoned, Code::Cancelled),
            (ConsumeError::Failed, Code::Internal),
        ] {
            assert_eq!(status(&error).code(), code, "{error}");
        }
    }
}
