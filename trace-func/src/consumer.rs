//! One invocation's work: memory is taken, the CPU is kept busy, memory is given back.

use std::{thread, time::Duration};

use tokio::{sync::oneshot, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    clock,
    memory::{Held, Memory, MemoryError},
    spin,
};

/// What an invocation asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// Run time, from receipt of the request.
    pub runtime: Duration,
    /// Memory to hold meanwhile, in MiB.
    pub memory_mib: u32,
}

/// What an invocation consumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consumed {
    /// Measured from receipt of the request to the end of the work.
    pub runtime: Duration,
    /// Resident memory of the invocation's own mapping, in bytes, as the kernel said.
    pub memory_bytes: u64,
}

/// Why an invocation was not served.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// The run time is above the configured bound.
    #[error("a run time of {asked:?} is above this function's bound of {bound:?} (--max-runtime)")]
    TooLong {
        /// The run time asked for.
        asked: Duration,
        /// The longest that is taken.
        bound: Duration,
    },
    /// The memory can't be had.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The caller went away, which ended the work.
    #[error("the invocation was abandoned by its caller")]
    Abandoned,
    /// The invocation's thread ended without an answer.
    #[error("the invocation's thread failed; the function's log says why")]
    Failed,
}

/// Serves demands, each on a thread of its own.
#[derive(Debug)]
pub struct Consumer {
    memory: Memory,
    max_runtime: Option<Duration>,
    threads: TaskTracker,
}

impl Consumer {
    /// A consumer whose invocations share `memory`, run no longer than `max_runtime`, and are tracked by `threads`
    /// until their memory is given back.
    pub fn new(memory: Memory, max_runtime: Option<Duration>, threads: TaskTracker) -> Self {
        Self { memory, max_runtime, threads }
    }

    /// Consumes `demand`, counting the run time from `received`. When the returned future is dropped, the work ends
    /// within about a millisecond.
    ///
    /// The thread comes from tokio's blocking pool, which reuses threads and starts as many as there are invocations at
    /// once. The answer is given before the memory goes back to the kernel, for that takes some 60 µs a MiB, and the
    /// caller would see it as latency of the platform.
    pub async fn consume(&self, received: Instant, demand: Demand) -> Result<Consumed, ConsumeError> {
        if let Some(bound) = self.max_runtime.filter(|bound| demand.runtime > *bound) {
            return Err(ConsumeError::TooLong { asked: demand.runtime, bound });
        }
        let (answer, answered) = oneshot::channel();
        let abandoned = CancellationToken::new();
        let _abandon_when_dropped = abandoned.clone().drop_guard();
        let memory = self.memory.clone();
        self.threads.spawn_blocking(move || {
            let worked = work(&memory, received, demand, || abandoned.is_cancelled());
            let (result, _held) = match worked {
                Ok((consumed, held)) => (Ok(consumed), Some(held)),
                Err(error) => (Err(error), None),
            };
            // A caller that has gone away needs no answer.
            answer.send(result).ok();
            // The runtime's thread may have been woken on this CPU, where unmapping, which takes longer the more memory
            // there is, would keep it waiting for its turn.
            thread::yield_now();
        });
        answered.await.unwrap_or(Err(ConsumeError::Failed))
    }
}

/// Does the work; the memory that is returned with it is no longer needed.
fn work(
    memory: &Memory,
    received: Instant,
    demand: Demand,
    abandoned: impl Fn() -> bool,
) -> Result<(Consumed, Held), ConsumeError> {
    let mut held = memory.hold(demand.memory_mib, &abandoned)?;
    let deadline = received + demand.runtime;
    let ended = spin::spin_until(deadline, clock::now, &abandoned).ok_or(ConsumeError::Abandoned)?;
    held.start_return();
    Ok((Consumed { runtime: ended - received, memory_bytes: held.resident_bytes() }, held))
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;
    use crate::memory::SystemRoom;

    const AGES: Duration = Duration::from_secs(3600);

    fn consumer(max_runtime: Option<Duration>) -> Consumer {
        Consumer::new(Memory::new(SystemRoom::of_this_process()), max_runtime, TaskTracker::new())
    }

    #[tokio::test]
    async fn at_least_the_requested_run_time_and_memory_are_consumed() {
        let demand = Demand { runtime: Duration::from_millis(5), memory_mib: 3 };
        let consumed = consumer(None).consume(clock::now(), demand).await.unwrap();
        assert!(consumed.runtime >= demand.runtime, "{consumed:?}");
        assert_eq!(consumed.memory_bytes, 3 << 20);
    }

    #[tokio::test]
    async fn the_bound_itself_is_legal_and_anything_above_is_not() {
        let bound = Duration::from_millis(1);
        let consumer = consumer(Some(bound));
        let demand = |runtime| Demand { runtime, memory_mib: 0 };
        assert!(consumer.consume(clock::now(), demand(bound)).await.is_ok());
        let error = consumer.consume(clock::now(), demand(bound * 2)).await.unwrap_err();
        assert_eq!(error.to_string(), "a run time of 2ms is above this function's bound of 1ms (--max-runtime)");
    }

    #[tokio::test]
    async fn a_dropped_invocation_ends_its_thread() {
        let consumer = consumer(None);
        let mut call = Box::pin(consumer.consume(clock::now(), Demand { runtime: AGES, memory_mib: 1 }));
        std::future::poll_fn(|context| {
            assert!(call.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        drop(call);
        consumer.threads.close();
        // Would last for an hour.
        consumer.threads.wait().await;
    }
}
