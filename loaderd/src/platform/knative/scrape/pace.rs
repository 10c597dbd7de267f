//! The clock of a source.

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

/// When sources are asked, and where their samples go.
#[derive(Clone)]
pub(in super::super) struct Pace {
    pub(in super::super) period: Duration,
    pub(in super::super) out: mpsc::Sender<Sampled>,
    pub(in super::super) stop: CancellationToken,
    pub(in super::super) clock: Clock,
}

impl Pace {
    /// When to ask.
    pub(super) fn ticks(&self) -> tokio::time::Interval {
        let mut ticks = interval(self.period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        ticks
    }

    /// Asks within the period, and tells what came of it; false when nobody listens.
    pub(super) async fn tell(
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
