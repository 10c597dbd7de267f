//! The thread that takes the events of a share and spools them in batches. What sends never waits for a disk.

use std::{sync::Arc, time::Duration};

use tokio::{
    runtime::Builder,
    sync::mpsc,
    time::{Instant, timeout_at},
};

use super::spool::Spool;
use crate::{clock::Clock, record::Event, workers::wire::BatchEncoder};

/// How long events gather.
const GATHER: Duration = Duration::from_millis(100);

/// Events that are taken at once.
const TAKEN: usize = 256;

/// Spools events until their senders have ended.
pub(super) struct Spooler {
    pub(super) events: mpsc::Receiver<Event>,
    pub(super) spool: Arc<Spool>,
    pub(super) clock: Clock,
    pub(super) t0: Instant,
    /// Set once, when something can't be kept.
    pub(super) failure: mpsc::Sender<String>,
}

impl Spooler {
    /// Works until all events were taken. What comes after a failure is dropped: it is not claimed.
    pub(super) fn run(self) {
        match Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime.block_on(self.spool()),
            Err(error) => self.fail(&error),
        }
    }

    async fn spool(mut self) {
        if let Err(error) = self.batches().await {
            self.fail(&*error);
            // Those who send wait for nobody.
            while self.events.recv().await.is_some() {}
        }
    }

    fn fail(&self, error: &(dyn std::error::Error + 'static)) {
        // There is room for one.
        let _told = self.failure.try_send(crate::error_chain::of(error));
    }

    async fn batches(&mut self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let mut encoder = BatchEncoder::new(self.t0);
        let (mut taken, mut due) = (Vec::with_capacity(TAKEN), self.clock.now());
        loop {
            let receive = self.events.recv_many(&mut taken, TAKEN);
            let received = if encoder.is_empty() { Ok(receive.await) } else { timeout_at(due, receive).await };
            let now = self.clock.now();
            if encoder.is_empty() {
                due = now + GATHER;
            }
            for event in taken.drain(..) {
                encoder.push(&event)?;
                if encoder.is_full() {
                    self.spool.push(encoder.finish()?)?;
                    due = now + GATHER;
                }
            }
            let is_over = received == Ok(0);
            if !encoder.is_empty() && (is_over || now >= due) {
                self.spool.push(encoder.finish()?)?;
            }
            if is_over {
                return Ok(());
            }
        }
    }
}
