//! Workers that come, and those that are none.

use std::time::Duration;

use loader_proto::worker::WorkerHello;
use tonic::Code;

use super::fake::{Run, workers};
use crate::{
    id::RunId,
    platform::{WorkerNews, WorkerState},
};

#[tokio::test(start_paused = true)]
async fn a_run_does_not_begin_without_all_and_names_those_that_are_missing() {
    let mut run = Run::new(&workers(3));
    let mut fake = run.hello(0, "p0", false).await.expect("is taken");
    assert_eq!(fake.assignment().await.workers, 3);
    fake.ready().await;
    let reason = "0/3 nodes are available: 3 Insufficient cpu".to_owned();
    let pending = WorkerNews { index: 1, state: WorkerState::Pending(reason) };
    run.coordination.news().send(pending).await.expect("is heard");
    let late = run.coordination.ready(3, Duration::from_secs(60), |_, _| {}).await;
    assert_eq!(
        late.expect_err("two are missing").to_string(),
        "workers are not ready within 1m: worker 1 (0/3 nodes are available: 3 Insufficient cpu), \
         worker 2 (nothing was heard of it)"
    );
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_gone_before_the_start_ends_the_wait() {
    let mut run = Run::new(&workers(2));
    run.gone(1, "exited with code 1: no such file").await;
    let error = run.coordination.ready(2, Duration::from_secs(60), |_, _| {}).await.expect_err("one is gone");
    assert_eq!(error.to_string(), "worker 1 cannot start: exited with code 1: no such file");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_worker_of_the_run_is_refused() {
    let run = Run::new(&workers(2));
    let hello = || WorkerHello {
        run_id: RunId::new(0, 1).to_string(),
        index: 0,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        process: "p".to_owned(),
        ..WorkerHello::default()
    };
    for (wrong, part) in [
        (WorkerHello { run_id: RunId::new(0, 2).to_string(), ..hello() }, "this is the coordinator of run"),
        (WorkerHello { index: 2, ..hello() }, "there is no worker 2"),
        (WorkerHello { process: String::new(), ..hello() }, "has a name"),
        (WorkerHello { version: "0.0.1".to_owned(), ..hello() }, "its program is of version 0.0.1"),
    ] {
        let refused = run.say_hello(wrong).await.err().expect("is refused");
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert!(refused.message().contains(part), "{refused}");
    }
    let mut run = run;
    let error = run.coordination.ready(2, Duration::from_secs(60), |_, _| {}).await.expect_err("one can't start");
    assert!(error.to_string().starts_with("worker 0 cannot start: its program is of version 0.0.1"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_second_process_of_an_index_is_dismissed() {
    let mut run = Run::new(&workers(1));
    let mut first = run.all_ready().await.remove(0);
    let mut second = run.hello(0, "another", false).await.expect("is told");
    assert_eq!(second.dismissed().await, "another process has this worker's share");
    assert!(second.told().await.is_none());
    run.start(8).await;
    first.started().await;
}
