use std::time::Duration;

use super::*;
use crate::{
    disturbance::Count,
    id::RunId,
    platform::fake::{Call, FakePlatform},
    store::{RunFile, SubmittedSpec},
};

const SECOND: Duration = Duration::from_secs(1);

fn kill(at: u32) -> Disturbance {
    Disturbance { at: at * SECOND, action: Action::KillInstances { count: Count::All } }
}

fn refuse(at: u32, lasting: Option<u32>) -> Disturbance {
    Disturbance { at: at * SECOND, action: Action::RefuseStarts { lasting: lasting.map(|it| it * SECOND) } }
}

fn run() -> RunId {
    RunId::new(0, 0)
}

fn view() -> watch::Sender<Arc<RunView>> {
    let file = RunFile::new(run(), ("demo", "rps", "fake"), UnixMicros(0), "");
    let checked = Err(Vec::new());
    let spec = Arc::new(SubmittedSpec { message: Vec::new(), identity: [0; 32], checked, upload: None });
    watch::Sender::new(Arc::new(RunView::new(file, spec)))
}

/// When an event was due and done in seconds, and what came of it.
type Told = (u32, &'static str, i64, Option<i64>, &'static str);

/// Carries disturbances out in a load of so many seconds; what is told of it, and the platform's calls in order of time.
async fn carried_out(fake: FakePlatform, list: Vec<Disturbance>, length: u32) -> (Vec<Told>, Vec<Call>) {
    let directory = tempfile::tempdir().unwrap();
    let (fake, view) = (Arc::new(fake), view());
    let platform = Arc::clone(&fake) as Arc<dyn Platform>;
    let backup = SettingsBackup::at(directory.path().join("disturbances.json"));
    let telemetry = Telemetry { metrics: Metrics::new(), tracer: None, clock: Clock };
    let schedule =
        Schedule::create((platform, run()), list, (directory.path(), backup), view.clone(), &telemetry).unwrap();
    let t0 = Anchor { unix: UnixMicros(0), ..Clock.anchor() };
    let disturbing = schedule.begin(t0);
    tokio::time::sleep(length * SECOND).await;
    disturbing.stop();
    let (events, written) = disturbing.ended().await;
    written.unwrap();
    assert_eq!(view.borrow().events, events);
    let rows = std::fs::read_to_string(directory.path().join("events.csv")).unwrap();
    assert_eq!(rows.lines().count(), 1 + events.len());
    let seconds = |at: UnixMicros| (at.0 + 500_000).div_euclid(1_000_000);
    let told = events.iter().map(|event| {
        (event.number, event.stage.as_str(), seconds(event.due), event.done.map(seconds), event.outcome.as_str())
    });
    (told.collect(), fake.calls())
}

fn disturbed() -> FakePlatform {
    FakePlatform::new("fake").disturbed(None)
}

#[tokio::test(start_paused = true)]
async fn each_is_carried_out_when_it_is_due_and_undone_when_its_time_is_over() {
    let list = vec![refuse(20, Some(15)), kill(10), kill(30)];
    let (told, calls) = carried_out(disturbed(), list, 60).await;
    let expected = [
        (1, "begin", 10, Some(10), "ok"),
        (0, "begin", 20, Some(20), "ok"),
        (2, "begin", 30, Some(30), "ok"),
        (0, "end", 35, Some(35), "ok"),
    ];
    assert_eq!(told, expected);
    assert_eq!(calls, [Call::Begin(1), Call::Begin(0), Call::Begin(2), Call::End(0)]);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_load_undoes_what_lasts_and_what_is_not_due_is_told() {
    let list = vec![refuse(10, Some(100)), refuse(20, None), kill(31)];
    let (told, calls) = carried_out(disturbed(), list, 30).await;
    let expected = [
        (0, "begin", 10, Some(10), "ok"),
        (1, "begin", 20, Some(20), "ok"),
        (0, "end", 30, Some(30), "ok"),
        (1, "end", 30, Some(30), "ok"),
        (2, "begin", 31, None, "not_due"),
    ];
    assert_eq!(told, expected);
    assert_eq!(calls, [Call::Begin(0), Call::Begin(1), Call::End(0), Call::End(1)]);
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_told_and_what_it_had_changed_is_undone() {
    let list = vec![refuse(10, Some(5)), kill(20)];
    let (told, calls) = carried_out(disturbed().failing_to_disturb(0), list, 30).await;
    assert_eq!(told, [(0, "begin", 10, None, "failed"), (1, "begin", 20, Some(20), "ok")]);
    assert_eq!(calls, [Call::Begin(0), Call::End(0), Call::Begin(1)]);
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_does_not_answer_is_not_waited_for_once_the_load_is_over() {
    let list = vec![refuse(10, None), refuse(10, Some(5))];
    let (told, _) = carried_out(disturbed().never_undoing(0), list, 30).await;
    let ended: Vec<_> = told.into_iter().filter(|told| told.1 == "end").collect();
    assert_eq!(ended, [(1, "end", 15, Some(15), "ok"), (0, "end", 30, None, "failed")]);
}
