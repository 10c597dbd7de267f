//! Runs that lose workers.

use std::time::Duration;

use loader_proto::worker::{WorkerDone, WorkerFailed, work_request::Message as Says};
use proptest::prelude::*;

use super::fake::{Recorded, Run, batches, workers};
use crate::{
    clock::Clock,
    invoke::Status,
    plan::SlotOutcome,
    platform::{WorkerNews, WorkerState as Seen},
    record::{Event, WorkerState},
    spec::{OnWorkerLoss, Workers},
};

/// A run of `count` workers, of which the first is killed once it has sent so many events; the others send all of theirs.
async fn killed_after(count: u32, events: usize) -> (Recorded, String) {
    let mut run = Run::new(&workers(count));
    let mut fakes = run.all_ready().await;
    let t0 = run.start(1 << 10).await;
    let mut killed = fakes.remove(0);
    let share = run.share(0, t0);
    killed.started().await;
    let sent = batches(&share[..events.min(share.len())], 5, t0);
    killed.send(&sent, 0).await;
    drop(killed);
    tokio::time::sleep_until(t0.instant + Duration::from_secs(3)).await;
    run.gone(0, "killed by signal 9").await;
    for (index, fake) in (1..).zip(&mut fakes) {
        let sent = batches(&run.share(index, t0), 7, t0);
        fake.send(&sent, 0).await;
        fake.done(sent.len()).await;
    }
    let recorded = run.drained().await;
    let facts = run.coordination.facts().remove(0);
    assert_eq!(facts.state, WorkerState::Lost);
    (recorded, facts.reason)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn each_invocation_has_one_row_whenever_a_worker_is_killed(count in 1_u32..4, events in 0_usize..120) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let (recorded, reason) = runtime.block_on(killed_after(count, events));
        recorded.is_whole();
        prop_assert_eq!(reason, "killed by signal 9");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_worker_may_have_sent_is_unknown_and_the_rest_is_not_sent() {
    let (recorded, _) = killed_after(1, 3).await;
    recorded.is_whole();
    for ((_, _, due, ..), (status, worker, error)) in &recorded.rows {
        let lost = "worker 0 was lost: killed by signal 9";
        let (expected, why) = if *status == Status::Ok {
            (Status::Ok, String::new())
        } else if *due < 3_000_000_000 {
            (Status::Unfinished, format!("{lost}; whether it was sent is not known"))
        } else {
            (Status::NotSent, lost.to_owned())
        };
        assert_eq!((*status, error), (expected, &why), "due at {due} ns");
        assert_eq!(worker.map(|it| it.0), Some(0));
    }
    assert!(recorded.count(Status::Ok) > 0 && recorded.count(Status::Unfinished) > 0);
    assert!(recorded.count(Status::NotSent) > 0);
}

#[tokio::test(start_paused = true)]
async fn a_silent_worker_is_suspect_then_lost_and_resumed_when_it_comes_back() {
    let mut run = Run::new(&workers(2));
    let mut fakes = run.all_ready().await;
    let t0 = run.start(1 << 10).await;
    let sent = [0, 1].map(|index| batches(&run.share(index, t0), 4, t0));
    fakes[1].send(&sent[1], 0).await;
    fakes[1].done(sent[1].len()).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(run.state(0).await.0, WorkerState::Suspect);
    drop(fakes.remove(0));
    tokio::time::sleep(Duration::from_secs(25)).await;
    let (state, reason) = run.state(0).await;
    assert_eq!((state, reason.as_str()), (WorkerState::Lost, "nothing was heard of it for 30s"));
    let back = run.hello(0, "p0", true).await.expect("is taken");
    assert_eq!(run.state(0).await.0, WorkerState::Resumed);
    back.send(&sent[0], 0).await;
    back.done(sent[0].len()).await;
    let recorded = run.drained().await;
    recorded.is_whole();
    assert_eq!(recorded.count(Status::Ok), recorded.rows.len());
    assert_eq!(run.coordination.facts()[0].state, WorkerState::Resumed);
}

#[tokio::test(start_paused = true)]
async fn a_silent_worker_that_stays_away_is_filled_in_and_dismissed_afterwards() {
    let mut run = Run::new(&workers(2));
    let mut fakes = run.all_ready().await;
    let t0 = run.start(1 << 10).await;
    let sent = batches(&run.share(1, t0), 4, t0);
    fakes[1].send(&sent, 0).await;
    fakes[1].done(sent.len()).await;
    drop(fakes.remove(0));
    let recorded = run.drained().await;
    recorded.is_whole();
    assert_eq!(recorded.count(Status::Unfinished) + recorded.count(Status::Ok), recorded.rows.len());
    let mut back = run.hello(0, "p0", true).await.expect("is told");
    assert_eq!(back.dismissed().await, "");
}

#[tokio::test(start_paused = true)]
async fn the_loss_of_a_worker_ends_the_run_where_the_spec_says_so_and_of_all_in_any_case() {
    let aborting = Workers { on_loss: OnWorkerLoss::Abort, ..workers(2) };
    for (workers, gone, expected) in [
        (aborting, 1, "worker 0 was lost: OOMKilled (workers.onWorkerLoss is abort)"),
        (workers(2), 2, "all workers were lost, worker 1 last: OOMKilled"),
    ] {
        let mut run = Run::new(&workers);
        let fakes = run.all_ready().await;
        run.start(1 << 10).await;
        for index in 0..gone {
            run.gone(index, "OOMKilled").await;
        }
        let failed = run.coordination.paced_or_failed().await.expect("lives");
        assert_eq!(failed.expect_err("is lost"), expected);
        run.coordination.stop();
        run.coordination.end_calls(Status::Unfinished);
        drop(fakes);
        run.drained().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_cannot_go_on_hands_over_what_it_has_and_the_rest_is_filled_in() {
    let mut run = Run::new(&workers(2));
    let fakes = run.all_ready().await;
    let t0 = run.start(1 << 10).await;
    let [failing, whole] = [0, 1].map(|index| batches(&run.share(index, t0), 4, t0));
    tokio::time::sleep_until(t0.instant + Duration::from_secs(4)).await;
    fakes[0].send(&failing[..2], 0).await;
    fakes[0].say(Says::Failed(WorkerFailed { reason: "no space left on device".to_owned() })).await;
    fakes[1].send(&whole, 0).await;
    fakes[1].done(whole.len()).await;
    let recorded = run.drained().await;
    recorded.is_whole();
    let facts = run.coordination.facts().remove(0);
    assert_eq!((facts.state, facts.reason.as_str(), facts.batches), (WorkerState::Lost, "no space left on device", 2));
    assert!(recorded.count(Status::NotSent) > 0 && recorded.count(Status::Unfinished) > 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_handed_over_soon_is_given_up_when_a_run_is_ended_early() {
    let mut run = Run::new(&workers(2));
    let fakes = run.all_ready().await;
    let t0 = run.start(1 << 10).await;
    let [slow, whole] = [0, 1].map(|index| batches(&run.share(index, t0), 4, t0));
    fakes[0].send(&slow[..2], 0).await;
    fakes[1].send(&whole, 0).await;
    fakes[1].done(whole.len()).await;
    tokio::time::sleep_until(t0.instant + Duration::from_secs(3)).await;
    fakes[0].report(20, false).await;
    tokio::time::sleep_until(t0.instant + Duration::from_secs(4)).await;
    run.coordination.stop();
    run.coordination.end_calls(Status::Cancelled);
    run.coordination.hurry();
    let begun = Clock.now();
    // It is heard of, and hands nothing over.
    let reports = async {
        loop {
            fakes[0].report(20, true).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let recorded = tokio::select! {
        recorded = run.drained() => recorded,
        () = reports => unreachable!("it goes on"),
    };
    assert_eq!(begun.elapsed().as_secs(), 10);
    let facts = run.coordination.facts().remove(0);
    let reason = "the run was ended before all that it had recorded was handed over";
    assert_eq!((facts.state, facts.reason.as_str(), facts.batches), (WorkerState::Lost, reason, 2));
    // Nothing of its share comes due after the stop, and what had come due has a row.
    assert_eq!(recorded.count(Status::NotSent), 0);
    let of_slow = |due: &dyn Fn(u64) -> bool| {
        recorded
            .rows
            .iter()
            .filter(|((_, _, at, ..), (_, worker, _))| due(*at) && worker.is_some_and(|it| it.0 == 0))
            .count()
    };
    assert!(of_slow(&|at| at < 4_000_000_000) > 7, "{recorded:?}");
    assert_eq!((of_slow(&|at| at > 4_100_000_000), recorded.count(Status::Unfinished) > 0), (0, true));
}

/// It knows what it has sent, and so does the coordinator.
#[tokio::test(start_paused = true)]
async fn of_a_worker_that_was_told_to_end_nothing_is_unknown() {
    let mut run = Run::new(&workers(2));
    let fakes = run.all_ready().await;
    let t0 = run.start(1 << 10).await;
    let [mut told, whole] = [0, 1].map(|index| run.share(index, t0));
    tokio::time::sleep_until(t0.instant + Duration::from_secs(2)).await;
    // In the middle of a slot: behind its first row, and before its second.
    let is_row = |event: &Event| matches!(event, Event::Row(_));
    let first = told.windows(2).position(|pair| pair.iter().all(is_row)).expect("a slot has two");
    told.truncate(first + 1);
    let Some(Event::Row(row)) = told.last() else { panic!("it is a row") };
    let head = row.planned.slot;
    let outcome = SlotOutcome { slot: head.index, ..SlotOutcome::default() };
    told.push(Event::Closed { head, dispatched: 1, outcome, complete: false, memory_peak_mib: 0 });
    let (told, whole) = (batches(&told, 10, t0), batches(&whole, 10, t0));
    let evicted = Seen::Ending { reason: "EvictionByEvictionAPI: evicting".to_owned() };
    run.coordination.news().send(WorkerNews { index: 0, state: evicted }).await.expect("is heard");
    tokio::time::sleep(Duration::from_millis(10)).await;
    fakes[0].send(&told, 0).await;
    let reason = "it was told to end".to_owned();
    fakes[0].say(Says::Done(WorkerDone { batches: told.len() as u64, reason })).await;
    fakes[1].send(&whole, 0).await;
    fakes[1].done(whole.len()).await;
    let recorded = run.drained().await;
    recorded.is_whole();
    let facts = run.coordination.facts().remove(0);
    let reason = "EvictionByEvictionAPI: evicting; it was told to end";
    assert_eq!((facts.state, facts.reason.as_str()), (WorkerState::Lost, reason));
    assert!(recorded.count(Status::NotSent) > 0 && recorded.count(Status::Unfinished) == 0, "{recorded:?}");
}
