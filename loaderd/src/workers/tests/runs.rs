//! Runs whose workers stay.

use std::time::Duration;

use loader_proto::worker::{work_request::Message as Says, work_response::Message as Told};
use serde_json::json;

use super::fake::{Fake, Run, batches, next_slot, workers};
use crate::{
    clock::Anchor,
    invoke::Status,
    plan::{Offset, Shared, SlotOutcome},
    record::WorkerState,
    workers::wire,
};

#[tokio::test(start_paused = true)]
async fn a_run_by_workers_has_the_rows_of_one_without() {
    for count in [1, 2, 4, 8] {
        let mut run = Run::new(&workers(count));
        let mut fakes = run.all_ready().await;
        let t0 = run.start(1 << 10).await;
        for (index, fake) in (0..).zip(&mut fakes) {
            fake.started().await;
            let sent = batches(&run.share(index, t0), 7, t0);
            fake.send(&sent, 0).await;
            fake.report(1, true).await;
            fake.done(sent.len()).await;
        }
        let recorded = run.drained().await;
        recorded.is_whole();
        assert_eq!(recorded.count(Status::Ok), recorded.rows.len(), "{count} workers");
        let facts = run.coordination.facts();
        assert!(facts.iter().all(|facts| facts.state == WorkerState::Ok && facts.batches > 0 && facts.bytes > 0));
        assert_eq!(facts[0].clock.expect("was compared").exchanges, 8);
        for fake in &mut fakes {
            assert_eq!(fake.dismissed().await, "");
        }
        run.coordination.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_broke_goes_on_where_it_was() {
    let mut run = Run::new(&workers(2));
    let mut fakes = run.all_ready().await;
    let t0 = run.start(1 << 10).await;
    let sent = [0, 1].map(|index| batches(&run.share(index, t0), 3, t0));
    // The first one's stream breaks after two batches, of which it knows that one was taken.
    fakes[0].started().await;
    fakes[0].send(&sent[0][..2], 0).await;
    fakes[0].acknowledged(2).await;
    drop(fakes.remove(0));
    fakes[0].send(&sent[1], 0).await;
    fakes[0].done(sent[1].len()).await;
    let mut back = run.hello(0, "p0", true).await.expect("is taken");
    back.acknowledged(2).await;
    back.started().await;
    back.send(&sent[0], 1).await;
    back.done(sent[0].len()).await;
    let recorded = run.drained().await;
    recorded.is_whole();
    assert_eq!(recorded.count(Status::Ok), recorded.rows.len());
    assert_eq!(run.coordination.facts()[0].batches, sent[0].len() as u64);
}

#[tokio::test(start_paused = true)]
async fn a_slow_recorder_stops_workers_and_loses_nothing() {
    let mut run = Run::new(&workers(2));
    let mut fakes = run.all_ready().await;
    let t0 = run.start(1).await;
    let mut recorded = run.recorded();
    let sent: Vec<_> = (0..2).map(|index| batches(&run.share(index, t0), 1, t0)).collect();
    let mut sending = tokio::task::JoinSet::new();
    for (mut fake, sent) in fakes.drain(..).zip(sent) {
        sending.spawn(async move {
            fake.started().await;
            fake.send(&sent, 0).await;
            fake.done(sent.len()).await;
            fake
        });
    }
    let mut all = super::fake::Recorded::default();
    // A recorder that takes an event a second is slower than a worker's silence may last.
    while let Some(event) = recorded.recv().await {
        all.take(event);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    all.is_whole();
    assert_eq!(all.count(Status::Ok), all.rows.len(), "nobody was lost meanwhile");
}

#[tokio::test(start_paused = true)]
async fn a_load_that_is_stopped_ends_with_what_came_due() {
    let mut run = Run::new(&workers(2));
    let mut fakes = run.all_ready().await;
    let t0 = run.start(1 << 10).await;
    let mut sent = Vec::new();
    for index in 0..2 {
        // The first slot, and the begin of the second.
        sent.push(batches(&run.share(index, t0)[..3], 8, t0));
    }
    run.coordination.stop();
    for (fake, sent) in fakes.iter_mut().zip(&sent) {
        fake.until(|told| matches!(told, loader_proto::worker::work_response::Message::Stop(_)).then_some(())).await;
        fake.send(sent, 0).await;
        fake.report(1, true).await;
        fake.done(sent.len()).await;
    }
    run.coordination.paced().await.expect("lives");
    let recorded = run.drained().await;
    let rows = recorded.rows.len() as u64;
    assert_eq!(recorded.closed.iter().map(|(_, dispatched, _)| dispatched).sum::<u64>(), rows);
    assert_eq!(recorded.opened.len(), recorded.closed.len());
}

/// Sends a share slot by slot, each when the outcome of the one before is known; gives these outcomes.
async fn slot_by_slot(mut fake: Fake, mut share: Shared, t0: Anchor) -> Vec<SlotOutcome> {
    let (mut sums, mut events) = (Vec::<SlotOutcome>::new(), Vec::new());
    fake.started().await;
    while let Some((slot, own)) = next_slot(&mut share, sums.last(), t0) {
        events.push(slot);
        fake.say(Says::Outcome(wire::from_outcome(&own))).await;
        let sum =
            |told| if let Told::Outcome(message) = told { Some(wire::outcome(message).expect("is one")) } else { None };
        sums.push(fake.until(sum).await);
    }
    let events: Vec<_> = events.into_iter().flatten().collect();
    let sent = batches(&events, 9, t0);
    fake.send(&sent, 0).await;
    fake.done(sent.len()).await;
    // Until it is dismissed.
    fake.dismissed().await;
    sums
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_needs_outcomes_goes_on_by_their_sums() {
    let spec = json!({"rps": {"start": 10, "end": 30, "step": 10, "slot": "1s", "functions": 4}, "seed": 7});
    let mut run = Run::of(&workers(3), spec);
    let fakes = run.all_ready().await;
    let t0 = run.start(1 << 10).await;
    let mut sending = tokio::task::JoinSet::new();
    for (index, fake) in (0..).zip(fakes) {
        sending.spawn(slot_by_slot(fake, run.plan(index), t0));
    }
    let recorded = run.drained().await;
    let sums = sending.join_all().await;
    assert!(sums.iter().all(|of| *of == sums[0]), "all are told the same");
    let evidence: Vec<_> = sums[0].iter().filter_map(|sum| sum.evidence.as_deref()).collect();
    assert_eq!(evidence.len(), recorded.closed.len());
    for (evidence, (slot, _, complete)) in evidence.iter().zip(&recorded.closed) {
        assert_eq!((evidence.slot, evidence.in_time, evidence.late.loader), (*slot, evidence.planned, 0));
        assert!(*complete);
    }
    assert!(sums[0].iter().all(|sum| sum.next_start > Offset::default()));
    let dispatched: u64 = recorded.closed.iter().map(|(_, dispatched, _)| dispatched).sum();
    assert_eq!(dispatched, recorded.rows.len() as u64);
}
