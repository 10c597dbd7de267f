//! The feeds of a deployment: scales, and instances as they come up.

use std::{path::Path, sync::Arc};

use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    dispatch::ScaleState,
    metrics::Metrics,
    platform::{InstanceStart, ScaleSample},
    record::{RecordError, ScaleHistory, Scales, Starts},
};

/// The result of a feed: how many instances were started, and what could not be recorded.
type FeedOutcome = (u64, Result<(), RecordError>);

/// The feeds of a deployment, each followed by a task of its own.
#[derive(Default)]
pub(in crate::run) struct Feeds(JoinSet<FeedOutcome>);

impl Feeds {
    /// Follows the scales: into scales.csv, the scale state and the history.
    ///
    /// # Errors
    /// A file that can't be created.
    pub(super) fn follow_scales(
        &mut self,
        directory: &Path,
        names: &Arc<[String]>,
        (state, history): (&Arc<ScaleState>, &Arc<ScaleHistory>),
        metrics: Metrics,
        scales: mpsc::Receiver<ScaleSample>,
    ) -> Result<(), RecordError> {
        let (state, history) = (Arc::clone(state), Arc::clone(history));
        let observe = move |sample: &ScaleSample| {
            state.update(sample);
            history.add(sample);
        };
        let follower = Scales::create(directory, Arc::clone(names), observe, metrics)?;
        self.0.spawn(follower.follow(scales));
        Ok(())
    }

    /// Follows the instances: into cold_starts.csv.
    ///
    /// # Errors
    /// A file that can't be created.
    pub(super) fn follow_starts(
        &mut self,
        directory: &Path,
        names: &Arc<[String]>,
        starts: mpsc::Receiver<InstanceStart>,
    ) -> Result<(), RecordError> {
        self.0.spawn(Starts::create(directory, Arc::clone(names))?.follow(starts));
        Ok(())
    }

    /// Waits until the feeds have ended, which they do when the run is cleaned: how many instances were started, and what could
    /// not be recorded.
    pub(in crate::run) async fn ended(mut self) -> (u64, Vec<RecordError>) {
        let (mut instances, mut errors) = (0, Vec::new());
        while let Some(followed) = self.0.join_next().await {
            // A panic was logged.
            let Ok((started, written)) = followed else { continue };
            instances += started;
            errors.extend(written.err());
        }
        (instances, errors)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{clock::UnixMicros, id::FunctionIndex, plan::ColdPool, platform::Scale};

    #[tokio::test]
    async fn scales_reach_the_scale_state_and_are_counted_to_the_feeds_end() {
        let directory = tempfile::tempdir().unwrap();
        let (names, scale_state) = (Arc::from(["f".to_owned()]), Arc::new(ScaleState::new(1)));
        let scale_history = Arc::new(ScaleHistory::new(1, Duration::ZERO));
        let (send, scales) = mpsc::channel(2);
        let mut feeds = Feeds::default();
        let known = (&scale_state, &scale_history);
        feeds.follow_scales(directory.path(), &names, known, Metrics::new(), scales).unwrap();
        let at = UnixMicros(1);
        for scale in [Scale { running: 2, started: 2, ..Scale::default() }, Scale { started: 2, ..Scale::default() }] {
            send.send(ScaleSample { at, function: FunctionIndex(0), scale, source: None }).await.unwrap();
        }
        drop(send);
        let (instances, errors) = feeds.ended().await;
        assert_eq!((instances, errors.len()), (2, 0));
        assert_eq!(scale_state.claim(&ColdPool::all(0..1)), Some(FunctionIndex(0)), "it stands at zero");
        assert_eq!(scale_history.at(FunctionIndex(0), at).map(|it| it.ready), Some(0));
    }
}
