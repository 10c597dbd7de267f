//! The platform as a whole, on fake instances and the paused clock.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderMap, Request};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

use self::fake::{Behaviour, Bench, function, run, scaled};
use super::{
    super::{lease, tasks::Tasks},
    *,
};
use crate::platform::{Scale, ScaleSample, Scaling, testkit};

mod disturb;
mod fake;
mod plain;

const WINDOW: Duration = Duration::from_secs(30);

/// Reads the feed until a scale is as it should be.
async fn until(scales: &mut mpsc::Receiver<ScaleSample>, wanted: impl Fn(&Scale) -> bool) -> ScaleSample {
    loop {
        let sample = scales.recv().await.expect("the feed has ended");
        if wanted(&sample.scale) {
            return sample;
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers[name].to_str().unwrap()
}

fn now() -> Instant {
    Clock.now()
}

#[tokio::test(start_paused = true)]
async fn cold_starts_get_as_many_instances_as_calls_and_one_call_each() {
    let bench = Bench::new(Behaviour::default(), 100).await;
    let names: Vec<String> = (0..32).map(|index| format!("f{index}")).collect();
    let mut deployment = bench.deploy(names.iter().map(|name| function(name)).collect()).await.unwrap();
    assert_eq!(deployment.endpoints[31].as_ref().unwrap().authority, format!("f31.{}.local", run()));
    assert_eq!(bench.fakes.alive(), 0, "instances before the first call");

    // The function's number modulo 3 plus one calls each.
    let calls = names.iter().enumerate().flat_map(|(index, name)| (0..=index % 3).map(move |_| name));
    let replies = join_all(calls.map(|name| bench.call(name, "1000", &[]))).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    for (function, (instances, most_at_once)) in bench.fakes.by_function() {
        let index: u32 = function[1..].parse().unwrap();
        assert_eq!((instances, most_at_once), (index % 3 + 1, 1), "{function}");
    }
    // Everything else has come to rest when the paused clock goes on.
    sleep(Duration::from_millis(1)).await;
    let mut last = vec![testkit::idle(); 32];
    while let Ok(sample) = deployment.scales.try_recv() {
        last[sample.function.as_usize()] = sample.scale;
    }
    for (index, scale) in (0..).zip(last) {
        let calls = index % 3 + 1;
        assert_eq!(scale, Scale { desired: calls, running: calls, started: calls.into(), ..testkit::idle() });
    }
}

#[tokio::test(start_paused = true)]
async fn a_queued_call_takes_a_released_slot() {
    let bench = Bench::new(Behaviour::default(), 100).await;
    bench.deploy(vec![scaled("f", 1, 0, Some(1))]).await.unwrap();
    let begin = now();
    let replies = join_all((0..5).map(|_| bench.call("f", "1000", &[]))).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    assert_eq!(begin.elapsed().as_secs(), 5);
    assert_eq!(bench.fakes.by_function()["f"], (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_instance_takes_as_many_calls_as_its_concurrency_allows() {
    let bench = Bench::new(Behaviour::default(), 100).await;
    let mut two = function("f");
    two.scaling.container_concurrency = 2;
    bench.deploy(vec![two]).await.unwrap();
    join_all((0..6).map(|_| bench.call("f", "1000", &[]))).await;
    assert_eq!(bench.fakes.by_function()["f"], (3, 2));
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_ends_fails_only_its_call_and_is_replaced() {
    let bench = Bench::new(Behaviour::default(), 100).await;
    let mut deployment = bench.deploy(vec![scaled("f", 2, 2, None)]).await.unwrap();
    let (lives, dies) = tokio::join!(bench.call("f", "1000", &[]), bench.call("f", "die", &[]));
    assert_eq!((dies.status, dies.body.as_str()), (502, "unexpected EOF"));
    assert_eq!(dies.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(lives.status, 200);

    let sample = until(&mut deployment.scales, |scale| scale.started == 3 && scale.running == 2).await;
    assert_eq!((sample.scale.desired, sample.scale.terminating), (2, 0));
    assert_eq!(bench.call("f", "0", &[]).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn instances_stop_when_they_were_idle_for_the_window() {
    let bench = Bench::new(Behaviour::default(), 100).await;
    let mut deployment = bench.deploy(vec![function("f")]).await.unwrap();
    let scales = &mut deployment.scales;
    let first = scales.recv().await.unwrap();
    assert!(first.scale.is_zero());
    assert_eq!(bench.call("f", "1000", &[]).await.status, 200);

    let running = until(scales, |scale| scale.running == 1).await;
    let leaving = until(scales, |scale| scale.terminating == 1).await;
    // A second of work, then the window, to the timer's millisecond.
    let kept = leaving.at.0 - running.at.0;
    let least = i64::try_from((WINDOW + Duration::from_secs(1)).as_micros()).unwrap();
    assert!((least..least + 5000).contains(&kept), "kept for {kept} µs");
    assert!(leaving.scale.is_zero());
    assert_eq!(until(scales, |scale| scale.terminating == 0).await.scale, Scale { started: 1, ..testkit::idle() });
    assert_eq!(bench.fakes.alive(), 0);
}

#[tokio::test(start_paused = true)]
async fn initial_minimum_and_maximum_are_honoured() {
    let bench = Bench::new(Behaviour::default(), 100).await;
    let (ready, readiness) = watch::channel(0);
    let functions = vec![scaled("initial", 3, 0, None), scaled("min", 0, 2, None), scaled("max", 0, 0, Some(2))];
    let deploy = Deploy { run: run(), functions, ..testkit::deploy(&[]) };
    let mut deployment = bench.local.deploy(deploy, ready, CancellationToken::new()).await.unwrap();
    assert_eq!(*readiness.borrow(), 3);
    assert_eq!(bench.fakes.alive(), 5, "three and two instances at the start");

    join_all((0..8).map(|_| bench.call("max", "1000", &[]))).await;
    assert_eq!(bench.fakes.by_function()["max"], (2, 1));

    sleep(WINDOW * 3).await;
    assert_eq!(bench.fakes.alive(), 2, "only the minimum stays");
    let mut last = [testkit::idle(); 3];
    while let Ok(sample) = deployment.scales.try_recv() {
        last[sample.function.as_usize()] = sample.scale;
    }
    assert_eq!(last.map(|scale| (scale.running, scale.started)), [(0, 3), (2, 2), (0, 2)]);
}

#[tokio::test(start_paused = true)]
async fn calls_beyond_the_capacity_wait_and_are_served_in_the_end() {
    let bench = Bench::new(Behaviour::default(), 2).await;
    let names = ["a", "b", "c", "d", "e"];
    let mut deployment = bench.deploy(names.map(function).to_vec()).await.unwrap();
    let replies = join_all(names.map(|name| bench.call(name, "1000", &[]))).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    assert_eq!(bench.fakes.observed.lock().unwrap().alive.1, 2, "most processes at once");
    let waiting = until(&mut deployment.scales, |scale| scale.pending > 0).await;
    assert_eq!((waiting.scale.queue, waiting.scale.desired, waiting.scale.unready), (Some(1), 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_deployment_above_the_capacity_is_refused() {
    let bench = Bench::new(Behaviour::default(), 2).await;
    let huge = FunctionDeployment { peak_memory_mib: 997, ..function("huge") };
    let refused = bench.deploy(vec![function("f"), huge]).await.unwrap_err();
    assert!(matches!(&refused, PlatformError::Function { function, .. } if function == "huge"), "{refused}");
    let refused = bench.deploy(vec![scaled("f", 3, 0, None)]).await.unwrap_err();
    assert!(matches!(&refused, PlatformError::Function { function, .. } if function == "f"), "{refused}");
    let refused = bench.deploy(vec![scaled("f", 1, 0, None), scaled("g", 2, 0, None)]).await.unwrap_err();
    assert!(matches!(&refused, PlatformError::Platform { .. }), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_deployment_ends_and_is_cleaned() {
    let bench = Bench::new(Behaviour { start: None, ..Behaviour::default() }, 100).await;
    let cancel = CancellationToken::new();
    let deploy = Deploy { run: run(), functions: vec![scaled("f", 2, 0, None)], ..testkit::deploy(&[]) };
    let deploying = bench.local.deploy(deploy, watch::channel(0).0, cancel.clone());
    let cancelling = async {
        sleep(Duration::from_secs(1)).await;
        cancel.cancel();
    };
    let (deployed, ()) = tokio::join!(deploying, cancelling);
    assert!(matches!(deployed, Err(PlatformError::Cancelled)));
    assert_eq!(bench.fakes.alive(), 2);
    bench.local.clean(&run()).await.unwrap();
    assert_eq!(bench.fakes.alive(), 0);
}

#[tokio::test(start_paused = true)]
async fn instances_that_keep_ending_fail_the_deployment_with_their_last_line() {
    let dies = Some("exit status: 2: no such kind");
    let bench = Bench::new(Behaviour { dies, ..Behaviour::default() }, 100).await;
    let begin = now();
    let failed = bench.deploy(vec![scaled("f", 3, 0, None)]).await.unwrap_err();
    assert_eq!(
        failed.to_string(),
        "function f: its instances exit soon after their start: exit status: 2: no such kind"
    );
    assert_eq!(begin.elapsed().as_millis() / 100, 15, "tries are spaced by 100, 200, 400 and 800 ms");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_answered_in_time_is_refused() {
    let settings = Settings { start_timeout: WINDOW, ..Settings::default() };
    let bench = Bench::with(Behaviour { start: None, ..Behaviour::default() }, settings).await;
    bench.deploy(vec![function("f")]).await.unwrap();
    let begin = now();
    let reply = bench.call("f", "0", &[]).await;
    assert_eq!((reply.status, reply.body.as_str()), (504, "activator request timeout"));
    assert_eq!(begin.elapsed().as_secs(), 300);
}

#[tokio::test(start_paused = true)]
async fn unknown_names_are_answered_as_kourier_does() {
    let bench = Bench::new(Behaviour::default(), 100).await;
    let plain = bench.call("nobody", "0", &[]).await;
    assert_eq!((plain.status, plain.body.as_str()), (404, ""));
    let grpc = bench.call("nobody", "0", &[("content-type", "application/grpc+proto")]).await;
    assert_eq!((grpc.status, grpc.body.as_str()), (200, ""));
    assert_eq!(grpc.headers["grpc-status"], "12");
    assert!(!grpc.headers.contains_key("grpc-message"));
    assert!(grpc.trailers.is_none());
}

#[tokio::test(start_paused = true)]
async fn metadata_bodies_and_trailers_pass_through() {
    let bench = Bench::new(Behaviour::default(), 100).await;
    bench.deploy(vec![function("f")]).await.unwrap();
    let headers = [("x-mine", "1"), ("grpc-status", "9"), ("grpc-message", "not now")];
    let reply = bench.call("f", "0", &headers).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "body"));
    assert_eq!((text(&reply.headers, "x-mine"), text(&reply.headers, "x-instance")), ("1", "f-1"));
    let trailers = reply.trailers.unwrap();
    assert_eq!((text(&trailers, "grpc-status"), text(&trailers, "grpc-message")), ("9", "not now"));

    let with_port = format!("http://{}:80/0", route::authority("f", &run()));
    let reply = bench.send(Request::post(with_port).body(Full::<Bytes>::default()).unwrap()).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_cancels_frees_its_slot_or_leaves_the_queue() {
    let bench = Bench::new(Behaviour::default(), 100).await;
    let mut deployment = bench.deploy(vec![scaled("f", 1, 0, Some(1))]).await.unwrap();
    let long = bench.call("f", "3600000", &[]);
    let queued = bench.call("f", "3600000", &[]);
    let mut both = Box::pin(async { tokio::join!(long, queued) });
    assert!(tokio::time::timeout(Duration::from_secs(1), &mut both).await.is_err());
    until(&mut deployment.scales, |scale| scale.queue == Some(1)).await;
    drop(both);
    until(&mut deployment.scales, |scale| scale.queue == Some(0)).await;
    assert_eq!(bench.call("f", "0", &[]).await.status, 200);
    assert_eq!(bench.fakes.observed.lock().unwrap().calls["f-1"], (0, 1), "the instance was not notified");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_frees_its_slots() {
    let bench = Bench::new(Behaviour::default(), 100).await;
    let mut deployment = bench.deploy(vec![function("f")]).await.unwrap();
    let call = bench.call("f", "3600000", &[]);
    assert!(tokio::time::timeout(Duration::from_secs(1), call).await.is_err());
    let (local, fakes) = bench.disconnect();
    until(&mut deployment.scales, |scale| scale.terminating == 1).await;
    assert_eq!(fakes.observed.lock().unwrap().calls["f-1"].0, 0);
    local.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_reached_its_instance_goes_to_another() {
    let bench = Bench::new(Behaviour::default(), 100).await;
    // The test plays the function: it grants an instance that is gone, then one that runs.
    let (calls, mut asked) = lease::calls();
    bench.local.gateway.routes.insert(route::authority("f", &run()), calls);
    let reply = bench.call("f", "0", &[]);
    let function = async {
        let gone = CancellationToken::new();
        let (dead, connection) = bench.instance("dead", &gone).await;
        gone.cancel();
        connection.await.ok();
        let first = asked.recv().await.unwrap();
        first.grant.send(dead).unwrap();
        assert!(first.over.await.is_err(), "the dead instance's slot is held");

        let (live, connection) = bench.instance("live", &CancellationToken::new()).await;
        let second = asked.recv().await.unwrap();
        // The test keeps a client, for the connection ends with the last of them.
        second.grant.send(live.clone()).unwrap();
        tokio::select! {
            over = second.over => assert!(over.is_err()),
            ended = connection => panic!("the connection ended: {ended:?}"),
        }
    };
    let (reply, ()) = tokio::join!(reply, function);
    assert_eq!((reply.status, text(&reply.headers, "x-instance")), (200, "live"));
}

#[tokio::test(start_paused = true)]
async fn clean_removes_everything_and_is_idempotent() {
    let bench = Bench::new(Behaviour::default(), 100).await;
    let mut deployment = bench.deploy(vec![scaled("f", 1, 0, Some(1))]).await.unwrap();
    let (at_work, queued) = (bench.call("f", "3600000", &[]), bench.call("f", "0", &[]));
    let cleaning = async {
        sleep(Duration::from_secs(1)).await;
        let run = run();
        tokio::join!(bench.local.clean(&run), bench.local.clean(&run))
    };
    let (at_work, queued, (first, second)) = tokio::join!(at_work, queued, cleaning);
    assert!(first.is_ok() && second.is_ok());
    assert_eq!((at_work.status, queued.status), (502, 404));
    assert_eq!(bench.fakes.alive(), 0);
    until(&mut deployment.scales, |scale| scale.terminating == 1).await;
    assert_eq!(deployment.scales.recv().await.unwrap().scale, Scale { started: 1, ..testkit::idle() });
    assert_eq!(deployment.scales.recv().await, None, "the feed goes on");

    bench.local.clean(&run()).await.unwrap();
    assert_eq!(bench.call("f", "0", &[]).await.status, 404);
    assert!(bench.deploy(vec![function("f")]).await.is_ok(), "the run's name is not free again");
    assert!(bench.deploy(vec![function("f")]).await.is_err(), "a run was deployed twice");
}

#[tokio::test(start_paused = true)]
async fn shutdown_ends_every_run_and_takes_no_more() {
    let bench = Bench::new(Behaviour::default(), 100).await;
    let mut deployment = bench.deploy(vec![scaled("f", 2, 0, None)]).await.unwrap();
    bench.local.shutdown().await;
    assert_eq!(bench.fakes.alive(), 0);
    while deployment.scales.recv().await.is_some() {}
    assert!(bench.deploy(vec![function("f")]).await.is_err());
}

#[tokio::test]
async fn a_deployment_without_the_program_is_refused() {
    let settings = Settings { trace_func: "/nowhere/trace-func".into(), ..Settings::default() };
    let local = Local::start(settings, Clock).await.unwrap();
    assert_ne!(local.address().port(), 0);
    let deploy = Deploy { run: run(), functions: vec![function("f")], ..testkit::deploy(&[]) };
    let refused = local.deploy(deploy, watch::channel(0).0, CancellationToken::new()).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "platform local: /nowhere/trace-func not found: install trace-func, or set local.trace_func"
    );
    local.shutdown().await;
}
