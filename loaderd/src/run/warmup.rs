//! The warm-up of a run: scales by need, the autoscaler held and released, steady state awaited.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::{
    clock::Clock,
    dispatch::Phases,
    id::RunId,
    plan::Warmup,
    platform::{Deploy, Platform, PlatformError, Room, SettingsBackup},
    record::{Latencies, WarmupFindings},
    spec::RunSpec,
    store::RunDirectory,
    units,
    warmup::{Adf, Fit, MOST_POINTS, fit, judge, needed},
};

/// The interval between tests of the latencies.
const TEST_INTERVAL: Duration = Duration::from_secs(1);

/// The backup of the cluster settings that a run's warm-up changes.
pub(crate) fn settings_backup(directory: &RunDirectory) -> SettingsBackup {
    SettingsBackup::at(directory.settings_backup())
}

/// Sets the initial scales of a deployment to what the functions need for their expected concurrency, within the platform's
/// capacity.
pub(super) async fn scale(expected: Vec<f64>, spec: &RunSpec, platform: &dyn Platform, deploy: &mut Deploy) -> Fit {
    let concurrency = |index: usize| deploy.functions[index].scaling.container_concurrency;
    let needs: Vec<_> =
        expected.iter().enumerate().map(|(index, expected)| needed(*expected, concurrency(index))).collect();
    let room = match platform.warm_up() {
        None => None,
        Some(warm_up) => match warm_up.room().await {
            Ok(room) => Some(room),
            Err(error) => {
                log::warn!(RUN_ID = deploy.run.as_str(); "cannot fit the warm-up's scales to the platform's capacity: {error}");
                None
            }
        },
    };
    let (room, weights) = weigh(room, deploy);
    let fitted = fit(&needs, &weights, room);
    if spec.scaling.initial_scale.is_none() {
        for (function, scale) in deploy.functions.iter_mut().zip(&fitted.scales) {
            let most = function.scaling.max.unwrap_or(u32::MAX);
            function.scaling.initial = (*scale).max(function.scaling.min).min(most);
        }
    }
    if fitted.instances() < fitted.needed {
        let (started, needed) = (fitted.instances(), fitted.needed);
        log::warn!(RUN_ID = deploy.run.as_str(); "the platform has capacity for {started} of the {needed} instances that the functions need");
    }
    fitted
}

/// The platform's capacity, and the part of it that an instance of each function takes.
fn weigh(room: Option<Room>, deploy: &Deploy) -> (Option<u64>, Vec<u64>) {
    match room {
        None => (None, vec![1; deploy.functions.len()]),
        Some(Room::Instances(instances)) => (Some(instances), vec![1; deploy.functions.len()]),
        Some(Room::Millicores { free, overhead }) => {
            let weights = deploy.functions.iter().map(|it| u64::from(it.resources.cpu_request_millicores) + overhead);
            (Some(free), weights.collect())
        }
    }
}

/// Controls the warm-up of a load that is under way.
pub(super) struct WarmupController<'a> {
    pub(super) warmup: Warmup,
    pub(super) platform: &'a dyn Platform,
    pub(super) run: &'a RunId,
    pub(super) backup: SettingsBackup,
    pub(super) phases: Phases,
    pub(super) latencies: Latencies,
    pub(super) clock: Clock,
}

/// The result of a warm-up.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct WarmupOutcome {
    pub(super) stationary: bool,
    pub(super) points: usize,
    pub(super) test: Option<Adf>,
}

impl WarmupController<'_> {
    /// Releases the autoscaler after its hold, and ends the warm-up when the latencies are stationary or its time is over.
    ///
    /// # Errors
    /// Settings that could not be restored. The load goes on, but it is not the requested one.
    pub(super) async fn run(self, t0: Instant) -> Result<WarmupOutcome, PlatformError> {
        sleep_until(t0 + self.warmup.hold).await;
        if let Some(warm_up) = self.platform.warm_up() {
            warm_up.restore_settings(self.run, &self.backup).await?;
        }
        log::info!(RUN_ID = self.run.as_str(); "warm-up: released the autoscaler");
        let end = t0 + self.warmup.longest();
        let mut outcome = WarmupOutcome::default();
        while !outcome.stationary {
            let now = self.clock.now();
            if now >= end {
                break;
            }
            sleep_until(end.min(now + TEST_INTERVAL)).await;
            let latencies = self.latencies.last_minute(self.clock.now(), MOST_POINTS);
            outcome.points = latencies.len();
            // On a thread of its own: with many points it would block the runtime for too long.
            let judged = tokio::task::spawn_blocking(move || judge(&latencies)).await;
            outcome.test = judged.ok().flatten();
            outcome.stationary = outcome.test.is_some_and(|test| test.is_stationary());
        }
        self.phases.measure_from(self.clock.now().saturating_duration_since(t0));
        let why = if outcome.stationary {
            "the scheduling latencies are stationary"
        } else {
            "the maximum settling time is over"
        };
        log::info!(RUN_ID = self.run.as_str(); "warm-up: {why}; measuring from the next slot on");
        Ok(outcome)
    }
}

/// The summary's figures of a warm-up.
pub(super) fn findings(outcome: WarmupOutcome, fitted: &Fit, measured_from: Option<Duration>) -> WarmupFindings {
    let WarmupOutcome { stationary, points, test } = outcome;
    WarmupFindings {
        measured_from_us: measured_from.map_or(0, units::micros),
        stationary,
        points: points as u64,
        statistic: test.map(|test| test.statistic),
        p_value: test.map(|test| test.p_value),
        instances_needed: units::to_u32(fitted.needed),
        instances_started: units::to_u32(fitted.instances()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::platform::{
        fake::{Call, FakePlatform},
        testkit,
    };

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    async fn conduct(latencies: Latencies) -> (WarmupOutcome, Duration, Vec<Duration>) {
        let platform = FakePlatform::new("local").with_room(Room::Instances(1));
        let (run, t0) = (RunId::new(0, 0), Clock.now());
        let warmup = Warmup { profile: seconds(10), hold: seconds(10), settle: seconds(30) };
        let phases = Phases::after(warmup.longest());
        let controller = WarmupController {
            warmup,
            platform: &platform,
            run: &run,
            backup: SettingsBackup::at(PathBuf::new()),
            phases: phases.clone(),
            latencies,
            clock: Clock,
        };
        let outcome = controller.run(t0).await.unwrap();
        let restored = platform.instants_of(&Call::RestoreSettings(run));
        (outcome, phases.measured_from(), restored.iter().map(|at| at.duration_since(t0)).collect())
    }

    #[tokio::test(start_paused = true)]
    async fn without_enough_latencies_it_lasts_for_the_maximum_settling_time() {
        let (outcome, measured_from, restored) = conduct(Latencies::default()).await;
        assert_eq!(outcome, WarmupOutcome::default());
        assert_eq!(measured_from, seconds(40));
        assert_eq!(restored, [seconds(10)]);
    }

    #[tokio::test(start_paused = true)]
    async fn stationary_latencies_end_it_early() {
        let latencies = Latencies::default();
        for at in 0..200_u64 {
            latencies.note(Clock.now(), Duration::from_micros(at.wrapping_mul(2_654_435_761) % 10_000));
        }
        let (outcome, measured_from, _) = conduct(latencies).await;
        assert!(outcome.stationary && outcome.points == 200, "{outcome:?}");
        // One test after the release.
        assert_eq!(measured_from.as_secs(), 11);
    }

    #[test]
    fn instances_are_weighed_by_the_requests_of_their_pods() {
        let deploy = testkit::deploy(&["a", "b"]);
        assert_eq!(weigh(Some(Room::Millicores { free: 900, overhead: 25 }), &deploy), (Some(900), vec![125; 2]));
        assert_eq!(weigh(Some(Room::Instances(3)), &deploy), (Some(3), vec![1; 2]));
        assert_eq!(weigh(None, &deploy), (None, vec![1; 2]));
    }
}
