//! The service `faas.Executor`: requests in, replies or errors out, each with the instance's metadata.

use loader_proto::{
    faas::{FaasReply, FaasRequest, executor_server::Executor},
    metadata,
};
use tonic::{
    Request, Response, Status,
    metadata::{MetadataMap, MetadataValue},
};

use crate::{
    asked::Asked,
    clock,
    consumer::{ConsumeError, Consumed, Consumer, Demand},
    instance::{Instance, Stamp},
    memory::MemoryError,
};

/// The message of a reply, or its beginning where there is a remark.
const OK: &str = "OK";

/// What a function does with a request.
#[derive(Debug)]
pub enum Work {
    /// Consumes what it asks for.
    Consume(Consumer),
    /// Replies at once, without consuming anything.
    Empty {
        /// Resident memory of the process, in bytes, measured once: no invocation changes it.
        memory_bytes: u64,
    },
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

    /// Marks an invocation's arrival.
    pub(crate) fn arrive(&self) -> Stamp<'_> {
        self.instance.arrive()
    }

    /// What it does with a request.
    pub(crate) fn work(&self) -> &Work {
        &self.work
    }

    async fn serve(&self, request: Request<FaasRequest>) -> Result<Response<FaasReply>, Status> {
        let received = clock::now();
        let consumer = match &self.work {
            Work::Consume(consumer) => consumer,
            Work::Empty { memory_bytes } => {
                let memory_usage_in_kb = kib(*memory_bytes);
                return Ok(Response::new(FaasReply {
                    message: OK.to_owned(),
                    memory_usage_in_kb,
                    ..FaasReply::default()
                }));
            }
        };
        let asked = Asked::read(request.metadata()).map_err(|error| Status::invalid_argument(error.to_string()))?;
        let demand = demand(&request.into_inner(), asked);
        match consumer.consume(received, demand).await {
            Ok(consumed) => {
                let mut response = Response::new(reply(demand, consumed));
                write_times(consumed, response.metadata_mut());
                asked.confirm(response.metadata_mut());
                Ok(response)
            }
            Err(error) => {
                let mut status = status(&error);
                asked.confirm(status.metadata_mut());
                Err(status)
            }
        }
    }
}

#[tonic::async_trait]
impl Executor for Function {
    async fn execute(&self, request: Request<FaasRequest>) -> Result<Response<FaasReply>, Status> {
        let stamp = self.instance.arrive();
        match self.serve(request).await {
            Ok(mut response) => {
                stamp.write_to(response.metadata_mut());
                Ok(response)
            }
            Err(mut status) => {
                log::info!("invocation not served: {}", status.message());
                stamp.write_to(status.metadata_mut());
                Err(status)
            }
        }
    }
}

fn demand(request: &FaasRequest, asked: Asked) -> Demand {
    let FaasRequest { message: _, runtime_in_milli_sec, memory_in_mebi_bytes } = request;
    asked.demand(*runtime_in_milli_sec, *memory_in_mebi_bytes)
}

/// The reply to an invocation. Figures beyond what its fields hold, 71 minutes and 4 TiB, are given as their maximum.
fn reply(demand: Demand, consumed: Consumed) -> FaasReply {
    let Consumed { wall, cpu: _, allocation, memory_bytes } = consumed;
    let message = if allocation > demand.runtime && demand.memory_mib > 0 {
        let (took, asked) = (allocation.as_secs_f64() * 1e3, demand.runtime.as_millis());
        format!("{OK}: taking the memory took {took:.1} ms, longer than the run time of {asked} ms")
    } else {
        OK.to_owned()
    };
    FaasReply {
        message,
        duration_in_micro_sec: u32::try_from(wall.as_micros()).unwrap_or(u32::MAX),
        memory_usage_in_kb: kib(memory_bytes),
    }
}

pub(crate) fn kib(bytes: u64) -> u32 {
    u32::try_from(bytes / 1024).unwrap_or(u32::MAX)
}

pub(crate) fn write_times(consumed: Consumed, map: &mut MetadataMap) {
    let Consumed { wall, cpu, allocation, memory_bytes: _ } = consumed;
    for (name, time) in
        [(metadata::WALL_TIME, wall), (metadata::CPU_TIME, cpu), (metadata::ALLOCATION_TIME, allocation)]
    {
        map.insert(name, MetadataValue::from(u64::try_from(time.as_micros()).unwrap_or(u64::MAX)));
    }
}

/// The gRPC status of an error.
fn status(error: &ConsumeError) -> Status {
    let message = error.to_string();
    match error {
        ConsumeError::TooLong { .. } => Status::invalid_argument(message),
        ConsumeError::Memory(
            MemoryError::Exhausted { .. } | MemoryError::AboveBound { .. } | MemoryError::Refused { .. },
        ) => {
            let mut status = Status::resource_exhausted(message);
            // RESOURCE_EXHAUSTED has other causes, too: quotas, rate limits, too large messages.
            status.metadata_mut().insert(metadata::LACKS, MetadataValue::from_static(metadata::LACKS_MEMORY));
            status
        }
        ConsumeError::Memory(MemoryError::Unmeasured(_)) | ConsumeError::Failed => Status::internal(message),
        ConsumeError::Cancelled => Status::cancelled(message),
    }
}

#[cfg(test)]
mod tests {
    use std::{io, time::Duration};

    use tonic::Code;

    use super::*;
    use crate::memory::Bound;

    const DEMAND: Demand = Demand { runtime: Duration::from_millis(10), memory_mib: 64, clock: None };

    #[test]
    fn replies_are_in_microseconds_and_kib_and_saturate() {
        for ((wall, memory_bytes), expected) in [
            ((Duration::ZERO, 0), (0, 0)),
            ((Duration::from_nanos(1_500_999), 3 << 20), (1500, 3072)),
            ((Duration::from_secs(5000), 1 << 43), (u32::MAX, u32::MAX)),
        ] {
            let reply = reply(DEMAND, Consumed { wall, memory_bytes, ..Consumed::default() });
            assert_eq!((reply.duration_in_micro_sec, reply.memory_usage_in_kb), expected);
        }
    }

    #[test]
    fn a_reply_says_when_taking_the_memory_alone_took_too_long() {
        for (allocation, message) in [
            (Duration::from_millis(10), "OK"),
            (Duration::from_micros(52_340), "OK: taking the memory took 52.3 ms, longer than the run time of 10 ms"),
        ] {
            assert_eq!(reply(DEMAND, Consumed { allocation, ..Consumed::default() }).message, message);
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
            (MemoryError::AboveBound { asked_mib: 2, most_mib: 1 }.into(), Code::ResourceExhausted),
            (MemoryError::Unmeasured(io::ErrorKind::Other.into()).into(), Code::Internal),
            (too_long, Code::InvalidArgument),
            (ConsumeError::Cancelled, Code::Cancelled),
            (ConsumeError::Failed, Code::Internal),
        ] {
            assert_eq!(status(&error).code(), code, "{error}");
        }
    }
}
