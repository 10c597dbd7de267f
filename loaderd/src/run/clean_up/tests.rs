use std::{path::PathBuf, sync::Mutex};

use super::*;
use crate::platform::{
    Room,
    fake::{Call, FakePlatform},
};

/// A clean-up that is being carried out on a platform that comes and goes.
struct Case {
    platform: FakePlatform,
    run: RunId,
    stops: Stops,
    waited: Mutex<Vec<String>>,
}

impl Case {
    fn new(platform: FakePlatform) -> Self {
        let (run, stops) = (RunId::new(0, 0), Stops::default());
        Self { platform: platform.with_room(Room::Instances(1)), run, stops, waited: Mutex::default() }
    }

    /// Carries the clean-up out while `meanwhile` goes on.
    async fn carry_out(&self, meanwhile: impl Future<Output = ()>) -> (CleanedUp, String) {
        let backup = || SettingsBackup::at(PathBuf::new());
        let undo = self.platform.disturb().map(|_| Step::Undo(backup()));
        let steps = undo.into_iter().chain([Step::Restore(backup()), Step::Remove]).collect();
        let clean_up = CleanUp { platform: &self.platform, run: &self.run, clock: Clock, stops: self.stops.clone() };
        let waiting = |what| self.waited.lock().expect("whole").push(what);
        let meanwhile = async {
            meanwhile.await;
            std::future::pending().await
        };
        let (ended, failures) = tokio::select! {
            ended = clean_up.carry_out(steps, waiting) => ended,
            () = meanwhile => unreachable!("it is pending"),
        };
        (ended, joined(&failures))
    }

    fn waited(&self) -> Vec<String> {
        self.waited.lock().expect("whole").clone()
    }

    /// When each attempt was made, in seconds.
    fn attempts(&self) -> Vec<u64> {
        let cleaned = self.platform.instants_of(&Call::Clean(self.run.clone()));
        cleaned.iter().map(|at| at.duration_since(cleaned[0]).as_secs()).collect()
    }
}

const AWAY: &str =
    "cannot restore the autoscaler's settings: platform local: forbidden; cannot clean up: platform local: forbidden";

#[tokio::test(start_paused = true)]
async fn a_platform_that_is_there_is_cleaned_at_once() {
    let case = Case::new(FakePlatform::new("local"));
    assert_eq!(case.carry_out(async {}).await, (CleanedUp::Completed, String::new()));
    assert_eq!(case.platform.calls(), [Call::RestoreSettings(case.run.clone()), Call::Clean(case.run.clone())]);
    assert_eq!(case.waited(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_not_tried_again() {
    let case = Case::new(FakePlatform::new("local").failing_to_clean("stuck"));
    let (ended, left) = case.carry_out(async {}).await;
    assert_eq!((ended, left.as_str()), (CleanedUp::Completed, "cannot clean up: platform local: stuck"));
    assert_eq!(case.attempts(), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_comes_back_is_cleaned_and_says_meanwhile_what_is_wrong() {
    let case = Case::new(FakePlatform::new("local"));
    case.platform.set_away(Some("forbidden"));
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(2500)).await;
        case.platform.set_away(Some("refused"));
        tokio::time::sleep(Duration::from_secs(100)).await;
        case.platform.set_away(None);
    };
    assert_eq!(case.carry_out(meanwhile).await, (CleanedUp::Completed, String::new()));
    // Backoff up to half a minute.
    assert_eq!(case.attempts(), [0, 1, 3, 7, 15, 31, 61, 91, 121]);
    let waited = case.waited();
    assert_eq!((waited[0].as_str(), waited.len()), (AWAY, 8));
    assert!(waited[2].ends_with("cannot clean up: platform local: refused"), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_long_outage_is_met_with_patience() {
    let case = Case::new(FakePlatform::new("local"));
    case.platform.set_away(Some("forbidden"));
    let meanwhile = async {
        tokio::time::sleep(Duration::from_hours(24)).await;
        case.platform.set_away(None);
    };
    assert_eq!(case.carry_out(meanwhile).await.0, CleanedUp::Completed);
    let attempts = case.attempts();
    let pauses: Vec<_> = attempts.windows(2).map(|pair| (pair[0], pair[1] - pair[0])).collect();
    let (short, long): (Vec<_>, Vec<_>) = pauses.into_iter().partition(|(at, _)| *at < 600);
    assert!(short.iter().all(|(_, pause)| *pause <= 30), "{short:?}");
    assert!(long.iter().all(|(_, pause)| *pause == 120) && long.len() > 700, "{long:?}");
}

#[tokio::test(start_paused = true)]
async fn disturbances_are_undone_first_and_as_patiently() {
    let case = Case::new(FakePlatform::new("local").disturbed(None));
    case.platform.set_away(Some("forbidden"));
    let meanwhile = async {
        tokio::time::sleep(Duration::from_secs(400)).await;
        case.platform.set_away(None);
    };
    assert_eq!(case.carry_out(meanwhile).await, (CleanedUp::Completed, String::new()));
    let undo = "cannot undo the disturbances: platform local: forbidden; ";
    assert!(case.waited().iter().all(|waited| *waited == format!("{undo}{AWAY}")), "{:?}", case.waited());
    let run = || case.run.clone();
    let order = [Call::RestoreDisturbances(run()), Call::RestoreSettings(run()), Call::Clean(run())];
    let calls = case.platform.calls();
    assert!(calls.starts_with(&order) && calls.ends_with(&order), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_user_gives_up_a_clean_up_that_waits() {
    let case = Case::new(FakePlatform::new("local"));
    case.platform.set_away(Some("forbidden"));
    let meanwhile = async {
        tokio::time::sleep(Duration::from_secs(40)).await;
        case.stops.give_up.cancel();
    };
    assert_eq!(case.carry_out(meanwhile).await, (CleanedUp::GivenUp, AWAY.to_owned()));
    // Its feeds end.
    assert_eq!(case.platform.calls().last(), Some(&Call::Release(case.run.clone())));
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_ends_tries_for_a_while_and_leaves_the_rest_to_its_next_start() {
    let begun = Clock.now();
    for (hurried, expected) in [(false, 30), (true, 10)] {
        let case = Case::new(FakePlatform::new("local"));
        case.platform.set_away(Some("forbidden"));
        case.stops.shutdown.cancel();
        let before = Clock.now();
        let meanwhile = async {
            tokio::time::sleep(Duration::from_secs(10)).await;
            if hurried {
                case.stops.hurry.cancel();
            }
        };
        assert_eq!(case.carry_out(meanwhile).await.0, CleanedUp::Stopped);
        assert_eq!(before.elapsed().as_secs(), expected);
        assert!(case.attempts().len() > 3);
    }
    assert_eq!(begun.elapsed().as_secs(), 40);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_was_done_is_not_done_again() {
    let case = Case::new(FakePlatform::new("local").failing_to_clean("stuck"));
    case.platform.set_away(Some("forbidden"));
    let meanwhile = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        case.platform.set_away(None);
    };
    let (ended, left) = case.carry_out(meanwhile).await;
    assert_eq!((ended, left.as_str()), (CleanedUp::Completed, "cannot clean up: platform local: stuck"));
    assert_eq!(case.attempts(), [0, 1, 3]);
}
