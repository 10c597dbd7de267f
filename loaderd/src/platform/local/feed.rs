//! The scale feed: takes the functions' scales without ever making them wait, and forwards them to the run in order.
//!
//! Of a function whose scale changes faster than the run reads, the newest sample is kept; `started` counts from the
//! beginning, so nothing is lost with the others. The last sample of each function always gets through: its room in the
//! channel is reserved at the start.

use std::{
    collections::VecDeque,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, mpsc};

use crate::{id::FunctionIndex, platform::ScaleSample};

/// Capacity of the run's channel, in addition to one last sample for each function.
const SLACK: usize = 256;

/// Takes the scales of one run's functions.
#[derive(Debug, Default)]
pub(super) struct Feed {
    unsent: Mutex<Unsent>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Unsent {
    /// By function: the newest sample that was not forwarded.
    newest: Vec<Option<ScaleSample>>,
    /// Functions that have one, in the order in which they changed.
    order: VecDeque<FunctionIndex>,
}

impl Feed {
    /// Publishes a function's scale.
    pub(super) fn publish(&self, sample: ScaleSample) {
        {
            let mut unsent = self.unsent();
            let index = sample.function.as_usize();
            if unsent.newest.len() <= index {
                unsent.newest.resize(index + 1, None);
            }
            if unsent.newest[index].replace(sample).is_none() {
                unsent.order.push_back(sample.function);
            }
        }
        self.changed.notify_one();
    }

    fn take(&self) -> Option<ScaleSample> {
        let mut unsent = self.unsent();
        let function = unsent.order.pop_front()?;
        unsent.newest[function.as_usize()].take()
    }

    fn unsent(&self) -> MutexGuard<'_, Unsent> {
        self.unsent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the feed of a run with `functions` functions, the channel that the run reads, and the task that forwards. The
/// task ends when `published` does, that is when no function publishes any more, or when the run stops to read.
pub(super) fn feed(
    functions: usize,
    published: impl Future<Output = ()> + Send,
) -> (Arc<Feed>, mpsc::Receiver<ScaleSample>, impl Future<Output = ()> + Send) {
    let feed = Arc::new(Feed::default());
    let (sender, receiver) = mpsc::channel(functions + SLACK);
    let task = forward(Arc::clone(&feed), sender, functions, published);
    (feed, receiver, task)
}

async fn forward(
    feed: Arc<Feed>,
    sender: mpsc::Sender<ScaleSample>,
    functions: usize,
    published: impl Future<Output = ()>,
) {
    let Ok(mut last) = sender.reserve_many(functions).await else { return };
    let live = async {
        loop {
            // Room first: a sample that is taken is a sample that is sent, whenever this future is dropped.
            let Ok(room) = sender.reserve().await else { return };
            match feed.take() {
                Some(sample) => room.send(sample),
                None => {
                    drop(room);
                    feed.changed.notified().await;
                }
            }
        }
    };
    tokio::select! {
        () = live => return,
        () = published => {}
    }
    while let (Some(sample), Some(room)) = (feed.take(), last.next()) {
        room.send(sample);
    }
}

#[cfg(test)]
mod tests {
    use tokio::{sync::oneshot, task::JoinSet};

    use super::*;
    use crate::{clock::UnixMicros, platform::Scale};

    fn sample(function: u32, started: u64) -> ScaleSample {
        ScaleSample {
            at: UnixMicros::default(),
            function: FunctionIndex(function),
            scale: Scale { started, ..Scale::default() },
            source: None,
        }
    }

    fn key(sample: ScaleSample) -> (u32, u64) {
        (sample.function.0, sample.scale.started)
    }

    #[tokio::test]
    async fn changes_come_in_order_and_the_feed_ends() {
        let (end, ended) = oneshot::channel::<()>();
        let (feed, mut scales, task) = feed(2, async { drop(ended.await) });
        let mut tasks = JoinSet::new();
        tasks.spawn(task);
        for change in [(1, 1), (0, 1), (1, 2)] {
            feed.publish(sample(change.0, change.1));
            assert_eq!(scales.recv().await.map(key), Some(change));
        }
        end.send(()).unwrap();
        assert_eq!(scales.recv().await, None);
    }

    #[tokio::test]
    async fn a_reader_that_lags_gets_the_newest_of_each_function_in_the_end() {
        let (end, ended) = oneshot::channel::<()>();
        let (feed, mut scales, task) = feed(2, async { drop(ended.await) });
        let mut tasks = JoinSet::new();
        tasks.spawn(task);
        for round in 1..=2000 {
            feed.publish(sample(0, round));
            feed.publish(sample(1, round));
            tokio::task::yield_now().await;
        }
        end.send(()).unwrap();
        tasks.join_next().await.unwrap().unwrap();
        let mut last = [0; 2];
        let mut count = 0;
        while let Some(sample) = scales.recv().await {
            let (function, started) = key(sample);
            assert!(started > last[function as usize], "samples went backwards");
            last[function as usize] = started;
            count += 1;
        }
        assert_eq!(last, [2000, 2000]);
        assert!(count <= SLACK + 2, "{count} samples were kept");
    }

    #[tokio::test]
    async fn a_run_that_stops_reading_ends_the_task() {
        let (feed, scales, task) = feed(1, std::future::pending());
        drop(scales);
        feed.publish(sample(0, 1));
        task.await;
    }
}
