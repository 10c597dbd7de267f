//! The schedule of a source.

use std::time::Duration;

use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    scrape::{Sample, Sampled, SourceError},
};

/// When sources are sampled, and where their samples are sent.
#[derive(Clone)]
pub(in super::super) struct Pace {
    pub(in super::super) period: Duration,
    pub(in super::super) out: mpsc::Sender<Sampled>,
    pub(in super::super) stop: CancellationToken,
    pub(in super::super) clock: Clock,
}

impl Pace {
    /// The instants at which to sample.
    pub(super) fn ticks(&self) -> tokio::time::Interval {
        let mut ticks = interval(self.period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        ticks
    }

    /// Samples within the period, and sends the result; false when the receiver is closed.
    pub(super) async fn send_sample(
        &self,
        source: &'static str,
        asked: impl Future<Output = Result<Sample, SourceError>>,
    ) -> bool {
        let (at, begun) = (self.clock.unix(), self.clock.now());
        let outcome = timeout(self.period, asked).await.unwrap_or_else(|_| {
            let within = humantime::format_duration(self.period);
            Err(SourceError::Failed(format!("no answer within {within}")))
        });
        let took = self.clock.now().saturating_duration_since(begun);
        self.out.send(Sampled { source, at, took, outcome }).await.is_ok()
    }
}
