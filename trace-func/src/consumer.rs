//! One invocation's work: memory is taken, the CPU is kept busy, memory is kept for the next one or freed.

use std::{thread, time::Duration};

use tokio::{sync::oneshot, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    behaviour::{Behaviour, MemoryUse, RuntimeClock, RuntimeUse},
    clock,
    memory::{self, Held, Memory, MemoryError},
    spin,
};

/// The longest time in which an invocation that sleeps notices that it was cancelled.
const LONGEST_NAP: Duration = Duration::from_millis(1);

/// What an invocation asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// Run time: from receipt of the request, or of the CPU, by the clock.
    pub runtime: Duration,
    /// Memory to hold meanwhile, in MiB.
    pub memory_mib: u32,
    /// The clock that counts the run time; absent: the function's.
    pub clock: Option<RuntimeClock>,
}

/// What an invocation consumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Consumed {
    /// From receipt of the request to the end of the work.
    pub wall: Duration,
    /// CPU time of the invocation's thread.
    pub cpu: Duration,
    /// How long taking the memory took; part of the run time.
    pub allocation: Duration,
    /// Resident memory of the process when the work ended, in bytes, as the kernel counts it; includes that of concurrent
    /// invocations.
    pub memory_bytes: u64,
}

/// Why an invocation was not served.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// The run time is above the configured limit.
    #[error("a run time of {asked:?} is above this function's limit of {bound:?} (--max-runtime)")]
    TooLong {
        /// The requested run time.
        asked: Duration,
        /// The configured limit of run times.
        bound: Duration,
    },
    /// The memory is not available.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The caller cancelled the invocation, which ended the work.
    #[error("the invocation was cancelled by its caller")]
    Cancelled,
    /// The invocation's thread ended without an answer.
    #[error("the invocation's thread failed: see the function's log")]
    Failed,
}

/// Serves demands, each on a thread of its own.
#[derive(Debug)]
pub struct Consumer {
    memory: Memory,
    behaviour: Behaviour,
    max_runtime: Option<Duration>,
    threads: TaskTracker,
}

impl Consumer {
    /// A consumer whose invocations share `memory`, use it and their time by `behaviour`, run no longer than `max_runtime`,
    /// and are tracked by `threads` until they have freed their memory.
    pub fn new(memory: Memory, behaviour: Behaviour, max_runtime: Option<Duration>, threads: TaskTracker) -> Self {
        Self { memory, behaviour, max_runtime, threads }
    }

    /// Consumes `demand`, counting from `received`. When the returned future is dropped, the work ends within about a
    /// millisecond.
    ///
    /// The thread comes from tokio's blocking pool, which reuses threads and starts as many as there are invocations at
    /// once. The answer is given before memory goes back to the kernel, for that takes some 60 µs a MiB, and the caller
    /// would see it as latency of the platform.
    ///
    /// # Errors
    /// Why it was not served.
    pub async fn consume(&self, received: Instant, demand: Demand) -> Result<Consumed, ConsumeError> {
        if let Some(bound) = self.max_runtime.filter(|bound| demand.runtime > *bound) {
            return Err(ConsumeError::TooLong { asked: demand.runtime, bound });
        }
        let (answer, answered) = oneshot::channel();
        let cancelled = CancellationToken::new();
        let _cancel_when_dropped = cancelled.clone().drop_guard();
        let (memory, behaviour) = (self.memory.clone(), self.behaviour);
        self.threads.spawn_blocking(move || {
            let worked = work(&memory, behaviour, received, demand, || cancelled.is_cancelled());
            let (result, _leftover) = match worked {
                Ok((consumed, held)) => (Ok(consumed), Some(held.release())),
                Err(error) => (Err(error), None),
            };
            // A caller that cancelled needs no answer.
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
    behaviour: Behaviour,
    received: Instant,
    demand: Demand,
    cancelled: impl Fn() -> bool,
) -> Result<(Consumed, Held), ConsumeError> {
    let cpu_before = clock::thread_cpu();
    let begun = clock::now();
    let held = match behaviour.memory {
        MemoryUse::Touched => memory.hold(demand.memory_mib, &cancelled)?,
        MemoryUse::HalfTouched => memory.hold(demand.memory_mib / 2, &cancelled)?,
        MemoryUse::Untouched => memory.map_untouched(demand.memory_mib)?,
    };
    let allocation = clock::now() - begun;
    let share = f64::from(behaviour.io_percentage) / 100.0;
    let waited = demand.runtime.mul_f64(share);
    if !waited.is_zero() {
        wait_until(clock::now() + waited, &cancelled)?;
    }
    let deadline = received + demand.runtime;
    let done = match (behaviour.runtime, demand.clock.unwrap_or(behaviour.clock)) {
        (RuntimeUse::Sleep, _) => wait_until(deadline, &cancelled).map(Some)?,
        (RuntimeUse::Watch, _) => spin::watch_until(deadline, clock::now, &cancelled).map(|_| ()),
        (RuntimeUse::Iterations(per_ms), _) => {
            let asked = (demand.runtime - waited).as_secs_f64() * 1e3 * f64::from(per_ms);
            spin::iterate(whole(asked), &cancelled)
        }
        (RuntimeUse::Compute, RuntimeClock::Wall) => spin::spin_until(deadline, clock::now, &cancelled).map(|_| ()),
        (RuntimeUse::Compute, RuntimeClock::Cpu) => {
            let consumed = || clock::thread_cpu().saturating_sub(cpu_before);
            spin::consume_until(demand.runtime - waited, consumed, &cancelled)
        }
    };
    done.ok_or(ConsumeError::Cancelled)?;
    let (wall, cpu) = (clock::now() - received, clock::thread_cpu().saturating_sub(cpu_before));
    let memory_bytes = memory::resident_bytes()?;
    Ok((Consumed { wall, cpu, allocation, memory_bytes }, held))
}

/// Sleeps until `deadline`, in naps short enough to notice a cancellation.
fn wait_until(deadline: Instant, cancelled: impl Fn() -> bool) -> Result<(), ConsumeError> {
    loop {
        let left = deadline.saturating_duration_since(clock::now());
        if left.is_zero() {
            return Ok(());
        }
        if cancelled() {
            return Err(ConsumeError::Cancelled);
        }
        thread::sleep(left.min(LONGEST_NAP));
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative; a cast saturates")]
fn whole(count: f64) -> u64 {
    count.round() as u64
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;
    use crate::memory::SystemLimits;

    const AGES: Duration = Duration::from_secs(3600);

    fn with(behaviour: Behaviour, max_runtime: Option<Duration>) -> Consumer {
        Consumer::new(Memory::new(SystemLimits::of_this_process()), behaviour, max_runtime, TaskTracker::new())
    }

    fn asked(millis: u64, memory_mib: u32) -> Demand {
        Demand { runtime: Duration::from_millis(millis), memory_mib, clock: None }
    }

    #[tokio::test]
    async fn at_least_the_requested_run_time_and_memory_are_consumed() {
        let demand = asked(5, 30);
        let consumed = with(Behaviour::default(), None).consume(clock::now(), demand).await.unwrap();
        assert!(consumed.wall >= demand.runtime && consumed.allocation <= consumed.wall, "{consumed:?}");
        assert!(consumed.memory_bytes >= 30 << 20, "{consumed:?}");
    }

    #[tokio::test]
    async fn by_the_cpu_clock_the_thread_consumes_what_is_asked() {
        let demand = Demand { clock: Some(RuntimeClock::Cpu), ..asked(20, 1) };
        let consumed = with(Behaviour::default(), None).consume(clock::now(), demand).await.unwrap();
        assert!(consumed.cpu >= demand.runtime && consumed.wall >= demand.runtime, "{consumed:?}");
    }

    #[tokio::test]
    async fn a_share_of_the_run_time_is_waited() {
        let behaviour = Behaviour { io_percentage: 75, ..Behaviour::default() };
        let consumed = with(behaviour, None).consume(clock::now(), asked(40, 0)).await.unwrap();
        assert!(consumed.wall >= Duration::from_millis(40), "{consumed:?}");
        // By the CPU clock, too: a quarter is consumed, the rest is waited.
        let behaviour = Behaviour { clock: RuntimeClock::Cpu, ..behaviour };
        let consumed = with(behaviour, None).consume(clock::now(), asked(400, 0)).await.unwrap();
        assert!(
            consumed.cpu >= Duration::from_millis(100) && consumed.wall >= Duration::from_millis(300),
            "{consumed:?}"
        );
        assert!(consumed.cpu < Duration::from_millis(300), "{consumed:?}");
    }

    #[tokio::test]
    async fn sleeping_takes_neither_cpu_nor_memory() {
        let behaviour = Behaviour { runtime: RuntimeUse::Sleep, memory: MemoryUse::Untouched, ..Behaviour::default() };
        let consumed = with(behaviour, None).consume(clock::now(), asked(400, 1 << 11)).await.unwrap();
        assert!(consumed.wall >= Duration::from_millis(400), "{consumed:?}");
        assert!(consumed.cpu < Duration::from_millis(200) && consumed.memory_bytes < 1 << 30, "{consumed:?}");
    }

    #[tokio::test]
    async fn watching_the_clock_takes_half_of_the_memory() {
        let behaviour =
            Behaviour { runtime: RuntimeUse::Watch, memory: MemoryUse::HalfTouched, ..Behaviour::default() };
        let consumer = with(behaviour, None);
        let consumed = consumer.consume(clock::now(), asked(3, 9)).await.unwrap();
        assert!(consumed.wall >= Duration::from_millis(3), "{consumed:?}");
        consumer.threads.close();
        consumer.threads.wait().await;
        assert_eq!(consumer.memory.hold(0, || false).unwrap().touched_mib(), 4);
    }

    #[tokio::test]
    async fn iterations_are_counted_and_not_timed() {
        let behaviour = Behaviour { runtime: RuntimeUse::Iterations(1), ..Behaviour::default() };
        // As many iterations as there are milliseconds in ten minutes: nothing that takes ten minutes.
        let consumed = with(behaviour, None).consume(clock::now(), asked(600_000, 0)).await.unwrap();
        assert!(consumed.wall < Duration::from_secs(300), "{consumed:?}");
    }

    #[tokio::test]
    async fn the_limit_itself_is_legal_and_anything_above_is_not() {
        let bound = Duration::from_millis(1);
        let consumer = with(Behaviour::default(), Some(bound));
        assert!(consumer.consume(clock::now(), asked(1, 0)).await.is_ok());
        let error = consumer.consume(clock::now(), asked(2, 0)).await.unwrap_err();
        assert_eq!(error.to_string(), "a run time of 2ms is above this function's limit of 1ms (--max-runtime)");
    }

    #[tokio::test]
    async fn a_dropped_invocation_ends_its_thread() {
        for runtime in [RuntimeUse::Compute, RuntimeUse::Watch, RuntimeUse::Sleep, RuntimeUse::Iterations(u32::MAX)] {
            let consumer = with(Behaviour { runtime, ..Behaviour::default() }, None);
            let demand = Demand { runtime: AGES, memory_mib: 1, clock: None };
            let mut call = Box::pin(consumer.consume(clock::now(), demand));
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
}
