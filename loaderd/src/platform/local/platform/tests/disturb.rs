//! Disturbances of the platform's instances.

use std::path::PathBuf;

use super::*;
use crate::{
    disturbance::{Action, Count},
    platform::{Disturb, SettingsBackup},
};

fn nowhere() -> SettingsBackup {
    SettingsBackup::at(PathBuf::new())
}

async fn begin(bench: &Bench, number: u32, action: Action) -> Result<String, String> {
    let begun = Disturb::begin(&*bench.local, &run(), number, &action, &nowhere()).await;
    begun.map_err(|error| error.to_string())
}

async fn end(bench: &Bench, number: u32) -> String {
    bench.local.end(&run(), number, &nowhere()).await.expect("is undone")
}

#[tokio::test(start_paused = true)]
async fn killed_instances_fail_their_calls_and_are_replaced() {
    let bench = Bench::new(Behaviour::default(), 100).await;
    let mut deployment = bench.deploy(vec![scaled("f", 2, 2, None), scaled("g", 1, 1, None)]).await.unwrap();
    let calls = [("f", 1), ("f", 1), ("g", 1)].map(|(function, _)| bench.call(function, "1000", &[]));
    let (replies, killed) = tokio::join!(join_all(calls), async {
        sleep(Duration::from_millis(100)).await;
        begin(&bench, 0, Action::KillInstances { count: Count::Number(1) }).await
    });
    let failed = replies.iter().filter(|reply| reply.status == 502).count();
    assert_eq!((killed.expect("is killed").split(", ").count(), failed), (1, 1));
    until(&mut deployment.scales, |scale| scale.started == 3 && scale.running == 2).await;
    let all = begin(&bench, 1, Action::KillInstances { count: Count::All }).await.expect("are killed");
    assert_eq!(all.split(", ").count(), 3, "{all}");
}

#[tokio::test(start_paused = true)]
async fn no_instance_is_started_while_starts_are_refused() {
    let bench = Bench::new(Behaviour::default(), 100).await;
    let mut deployment = bench.deploy(vec![function("f")]).await.unwrap();
    let begun = now();
    assert_eq!(begin(&bench, 0, Action::RefuseStarts { lasting: None }).await.as_deref(), Ok("no instance is started"));
    let (reply, ended) = tokio::join!(bench.call("f", "0", &[]), async {
        until(&mut deployment.scales, |scale| scale.pending == 1 && scale.queue == Some(1)).await;
        sleep(Duration::from_secs(20)).await;
        assert_eq!(bench.fakes.alive(), 0);
        end(&bench, 0).await
    });
    assert_eq!((reply.status, begun.elapsed().as_secs(), ended.as_str()), (200, 20, "instances are started again"));
}

#[tokio::test(start_paused = true)]
async fn what_there_is_nothing_for_is_refused_and_everything_is_restored() {
    let bench = Bench::new(Behaviour::default(), 100).await;
    let kill = Action::KillInstances { count: Count::All };
    assert!(begin(&bench, 0, kill.clone()).await.unwrap_err().ends_with("is not deployed"));
    bench.deploy(vec![function("f")]).await.unwrap();
    assert_eq!(begin(&bench, 0, kill).await.unwrap_err(), "platform local: no instance runs");
    let cordon = Action::Cordon { node: "n".to_owned(), lasting: None };
    assert_eq!(begin(&bench, 0, cordon).await.unwrap_err(), "platform local: cannot cordon");
    begin(&bench, 1, Action::RefuseStarts { lasting: None }).await.expect("is begun");
    Disturb::restore(&*bench.local, &run(), &nowhere()).await.expect("restores");
    assert_eq!(bench.call("f", "0", &[]).await.status, 200);
    let paused = begin(&bench, 2, Action::PauseInstances { count: Count::All, lasting: None }).await;
    assert_eq!(
        (paused.as_deref(), end(&bench, 2).await.as_str(), end(&bench, 2).await.as_str()),
        (Ok("f-1"), "f-1", "")
    );
}
