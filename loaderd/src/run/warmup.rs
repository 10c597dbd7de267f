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
    steady::{FEWEST, Finding, LEAST, Looks},
    store::RunDirectory,
    units,
    warmup::{Fit, fit, needed},
};

/// How often it is checked whether a look at the latencies is due.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

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
    /// Whether a steady state was found.
    pub(super) steady: bool,
    /// Latencies that the last look had; without any look, those that there were.
    pub(super) latencies: usize,
    /// What the last look found.
    pub(super) last: Option<Finding>,
    /// How long it could have settled.
    pub(super) settle: Duration,
}

impl WarmupOutcome {
    /// How the warm-up ended, as text.
    pub(super) fn ended(&self) -> String {
        let settle = humantime::format_duration(self.settle);
        match self.last {
            Some(Finding::Steady { .. }) => "steady state".to_owned(),
            None if self.latencies < FEWEST => {
                format!("too few responses to tell: {} of {FEWEST} within {settle}", self.latencies)
            }
            None => {
                let least = humantime::format_duration(LEAST);
                format!("no steady state within {settle}: a window that can be judged lasts at least {least}")
            }
            Some(last) => format!("no steady state within {settle}: {last}"),
        }
    }
}

impl WarmupController<'_> {
    /// Holds the autoscaler, releases it, and ends the warm-up when the latencies are steady, or its time is over.
    ///
    /// # Errors
    /// Settings that could not be restored. The load goes on, but it is not the one that was asked for.
    pub(super) async fn run(self, t0: Instant) -> Result<WarmupOutcome, PlatformError> {
        sleep_until(t0 + self.warmup.hold).await;
        let end = t0 + self.warmup.longest();
        self.release(end).await?;
        log::info!(RUN_ID = self.run.as_str(); "warm-up: the autoscaler is released");
        let released = self.clock.now();
        self.latencies.begin(released);
        let settle = self.warmup.settle;
        let mut looks = Looks::over(settle);
        let mut outcome = WarmupOutcome { settle, ..WarmupOutcome::default() };
        while !outcome.steady {
            let now = self.clock.now();
            if now >= end {
                break;
            }
            sleep_until(end.min(now + CHECK_INTERVAL)).await;
            let elapsed = self.clock.now().saturating_duration_since(released);
            if looks.is_due(elapsed, self.latencies.count()) {
                outcome = self.look(&mut looks, elapsed).await;
                if looks.window() == elapsed {
                    self.latencies.begin(self.clock.now());
                }
            }
        }
        if outcome.last.is_none() {
            outcome.latencies = self.latencies.count();
        }
        self.phases.measure_from(self.clock.now().saturating_duration_since(t0));
        let ended = outcome.ended();
        log::info!(RUN_ID = self.run.as_str(); "warm-up: {ended}; the next slot is measured");
        Ok(outcome)
    }

    /// Restores the autoscaler's settings. A platform that is away is tried again until `end`.
    async fn release(&self, end: Instant) -> Result<(), PlatformError> {
        let Some(warm_up) = self.platform.warm_up() else { return Ok(()) };
        loop {
            match warm_up.restore_settings(self.run, &self.backup).await {
                Err(error) if error.may_pass() && self.clock.now() + CHECK_INTERVAL < end => {
                    log::warn!(RUN_ID = self.run.as_str(); "warm-up: the autoscaler is still held: {error}");
                    tokio::time::sleep(CHECK_INTERVAL).await;
                }
                restored => return restored,
            }
        }
    }

    /// One look at the latencies of the window under way.
    async fn look(&self, looks: &mut Looks, elapsed: Duration) -> WarmupOutcome {
        let latencies = self.latencies.seconds();
        let (count, mut moved) = (latencies.len(), *looks);
        // On a thread of its own: with many latencies it takes longer than anything here may.
        let judged = tokio::task::spawn_blocking(move || (moved.look(elapsed, &latencies), moved)).await;
        let last = judged.ok().map(|(finding, after)| {
            *looks = after;
            finding
        });
        WarmupOutcome {
            steady: last.is_some_and(|finding| finding.is_steady()),
            latencies: count,
            last,
            settle: self.warmup.settle,
        }
    }
}

/// What the summary says of a warm-up.
pub(super) fn findings(outcome: Option<(WarmupOutcome, Duration)>, fitted: &Fit) -> WarmupFindings {
    let (outcome, measured_from) = outcome.unzip();
    let ended = outcome.map(|outcome| outcome.ended()).unwrap_or_default();
    let WarmupOutcome { steady, latencies, last, settle: _ } = outcome.unwrap_or_default();
    let test = last.and_then(|finding| finding.test());
    WarmupFindings {
        measured_from_us: measured_from.map_or(0, units::micros),
        stationary: steady,
        ended,
        points: latencies as u64,
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

    /// Runs a warm-up of 10 s and `settle`, with ten latencies a second; when it ended, and when settings were restored.
    async fn run_warm_up(settle: u64, latency_us: fn(u64) -> Option<u64>) -> (WarmupOutcome, Duration, Vec<Duration>) {
        let platform = FakePlatform::new("local").with_room(Room::Instances(1));
        let (run, t0) = (RunId::new(0, 0), Clock.now());
        let warmup = Warmup { profile: seconds(10), hold: seconds(10), settle: seconds(settle) };
        let (phases, latencies) = (Phases::after(warmup.longest()), Latencies::default());
        let controller = WarmupController {
            warmup,
            platform: &platform,
            run: &run,
            backup: SettingsBackup::at(PathBuf::new()),
            phases: phases.clone(),
            latencies: latencies.clone(),
            clock: Clock,
        };
        let feed = async {
            for at in 0.. {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let Some(latency) = latency_us(at) else { continue };
                latencies.record(Clock.now(), Duration::from_micros(latency));
            }
        };
        let outcome = tokio::select! {
            outcome = controller.run(t0) => outcome.unwrap(),
            () = feed => unreachable!("it has no end"),
        };
        let restored = platform.instants_of(&Call::RestoreSettings(run));
        (outcome, phases.measured_from(), restored.iter().map(|at| at.duration_since(t0)).collect())
    }

    /// Without order from one to the next.
    fn noise(at: u64) -> u64 {
        at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48
    }

    #[tokio::test(start_paused = true)]
    async fn without_enough_latencies_its_time_passes() {
        let (outcome, measured_from, restored) =
            run_warm_up(90, |at| at.is_multiple_of(10).then(|| 1000 + noise(at))).await;
        assert!(!outcome.steady && outcome.last.is_none(), "{outcome:?}");
        assert_eq!(outcome.ended(), format!("too few responses to tell: {} of 200 within 1m 30s", 90));
        assert_eq!(measured_from, seconds(100));
        assert_eq!(restored, [seconds(10)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_steady_state_ends_it_after_a_window() {
        let (outcome, measured_from, _) = run_warm_up(600, |at| Some(1_000_000 + noise(at))).await;
        assert!(outcome.steady, "{outcome:?}");
        assert_eq!(outcome.ended(), "steady state");
        // The window lies wholly behind the release, and lasts a minute.
        assert!((70..=72).contains(&measured_from.as_secs()), "{measured_from:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_settling_time_below_a_window_says_so() {
        let (outcome, measured_from, _) = run_warm_up(40, |at| Some(1000 + noise(at))).await;
        assert!(!outcome.steady && outcome.latencies >= FEWEST, "{outcome:?}");
        let ended = outcome.ended();
        assert_eq!(ended, "no steady state within 40s: a window that can be judged lasts at least 1m");
        assert_eq!(measured_from, seconds(50));
    }

    #[tokio::test(start_paused = true)]
    async fn what_grows_is_not_steady() {
        let (outcome, measured_from, _) = run_warm_up(180, |at| Some(100_000 + 1000 * at + noise(at) / 100)).await;
        assert!(!outcome.steady, "{outcome:?}");
        let ended = outcome.ended();
        assert!(ended.starts_with("no steady state within 3m: the level "), "{ended}");
        assert_eq!(measured_from, seconds(190));
    }

    #[tokio::test(start_paused = true)]
    async fn an_autoscaler_that_cannot_be_released_is_tried_again_until_the_warm_up_ends() {
        for (away, expected) in [(20, Ok(30)), (500, Err(99))] {
            let platform = FakePlatform::new("local").with_room(Room::Instances(1));
            platform.set_away(Some("forbidden"));
            let (run, t0) = (RunId::new(0, 0), Clock.now());
            let warmup = Warmup { profile: seconds(10), hold: seconds(10), settle: seconds(90) };
            let controller = WarmupController {
                warmup,
                platform: &platform,
                run: &run,
                backup: SettingsBackup::at(PathBuf::new()),
                phases: Phases::after(warmup.longest()),
                latencies: Latencies::default(),
                clock: Clock,
            };
            let back = async {
                tokio::time::sleep(seconds(10 + away)).await;
                platform.set_away(None);
            };
            let (ended, ()) = tokio::join!(controller.run(t0), back);
            let tries = platform.instants_of(&Call::RestoreSettings(run.clone()));
            let last = tries.last().unwrap().duration_since(t0).as_secs();
            assert_eq!(ended.map(|_| last).map_err(|_| last), expected);
        }
    }

    #[test]
    fn instances_are_weighed_by_the_requests_of_their_pods() {
        let deploy = testkit::deploy(&["a", "b"]);
        assert_eq!(weigh(Some(Room::Millicores { free: 900, overhead: 25 }), &deploy), (Some(900), vec![125; 2]));
        assert_eq!(weigh(Some(Room::Instances(3)), &deploy), (Some(3), vec![1; 2]));
        assert_eq!(weigh(None, &deploy), (None, vec![1; 2]));
    }
}
