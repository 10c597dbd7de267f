//! The worker's clock compared with the coordinator's, on a stream of its own.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use loader_proto::worker::{ClockEstimate, CompareClocksRequest, CompareClocksResponse};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;

use super::{channel::Client, clock::WorkerClock};
use crate::{
    units,
    workers::clocks::{Comparison, Estimate, Exchange},
};

/// Exchanges that it takes to be ready.
pub(super) const ENOUGH: u32 = 8;

/// Exchanges that follow each other quickly, when a connection is new.
const QUICK: u64 = 16;

/// From one of these to the next.
const QUICK_PAUSE: Duration = Duration::from_millis(20);

/// From one exchange to the next, afterwards, at most.
const PAUSE: Duration = Duration::from_secs(1);

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);

/// What is known of the coordinator's clock. Clones are the same.
#[derive(Clone)]
pub(super) struct Compared {
    clock: WorkerClock,
    comparison: Arc<Mutex<Comparison>>,
    /// From one exchange to the next, nanoseconds.
    pause_ns: Arc<AtomicU64>,
    /// When the coordinator was heard of last.
    pub(super) contact: watch::Sender<Instant>,
}

impl Compared {
    /// Nothing yet.
    pub(super) fn new(clock: WorkerClock) -> Self {
        let (contact, _) = watch::channel(clock.clock().now());
        let pause_ns = Arc::new(AtomicU64::new(units::nanos(PAUSE)));
        Self { clock, comparison: Arc::default(), pause_ns, contact }
    }

    /// The coordinator counts as gone after this silence: it is heard of more often.
    pub(super) fn hear_within(&self, silence: Duration) {
        self.pause_ns.store(units::nanos(PAUSE.min(silence / 4)), Ordering::Relaxed);
    }

    /// What is known; absent before the first exchange.
    pub(super) fn estimate(&self) -> Option<Estimate> {
        self.with(|comparison| comparison.estimate())
    }

    /// The same as a message.
    pub(super) fn message(&self) -> Option<ClockEstimate> {
        let (estimate, worst) = self.with(|comparison| (comparison.estimate(), comparison.worst_round_trip()));
        let Estimate { offset_ns, bound_ns, exchanges } = estimate?;
        let (at_clock_ns, round_trip_ns) = (self.clock.read(), units::nanos(worst));
        Some(ClockEstimate { offset_ns, bound_ns, exchanges, at_clock_ns, round_trip_ns })
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Comparison) -> T) -> T {
        // Nothing in here panics.
        use_it(&mut self.comparison.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Compares for as long as the connection stands; returns why it does no more.
    pub(super) async fn compare(&self, mut client: Client) -> String {
        match self.exchange(&mut client).await {
            Ok(()) => "the coordinator compares no clocks any more".to_owned(),
            Err(status) => format!("comparing clocks: {}", status.message()),
        }
    }

    async fn exchange(&self, client: &mut Client) -> Result<(), tonic::Status> {
        let (probes, requests) = mpsc::channel(1);
        // The first probe goes with the call.
        let mut sent_ns = self.probe(&probes, 0).await;
        let mut answers = client.compare_clocks(ReceiverStream::new(requests)).await?.into_inner();
        for number in 0.. {
            let late = |_| tonic::Status::deadline_exceeded("no answer");
            let Some(answer) = timeout(ANSWER, answers.message()).await.map_err(late)?? else { break };
            let returned_ns = self.clock.read();
            let CompareClocksResponse { number: of, sent_clock_ns: _, received_clock_ns, answered_clock_ns } = answer;
            if of == number {
                let (received_ns, answered_ns) = (received_clock_ns, answered_clock_ns);
                self.with(|it| it.add(Exchange { sent_ns, received_ns, answered_ns, returned_ns }));
            }
            self.contact.send_replace(self.clock.clock().now());
            let pause = Duration::from_nanos(self.pause_ns.load(Ordering::Relaxed));
            sleep(if number < QUICK { QUICK_PAUSE } else { pause }).await;
            sent_ns = self.probe(&probes, number + 1).await;
        }
        Ok(())
    }

    /// Sends a probe; returns when that was, by the own clock.
    async fn probe(&self, probes: &mpsc::Sender<CompareClocksRequest>, number: u64) -> u64 {
        let sent_clock_ns = self.clock.read();
        // Where the stream has ended, no answer comes.
        let _ended = probes.send(CompareClocksRequest { number, sent_clock_ns }).await;
        sent_clock_ns
    }
}
