//! What workers are told of functions that go to zero and come up.

use std::time::Duration;

use loader_proto::worker::{Scales, work_response::Message as Told};
use serde_json::json;

use super::fake::{Fake, Run, workers};
use crate::{
    clock::UnixMicros,
    id::FunctionIndex,
    platform::{Scale, ScaleSample},
};

/// The platform has found that a function runs so many instances.
fn scaled(run: &Run, function: u32, running: u32) {
    let scale = Scale { running, ..Scale::default() };
    let sample = ScaleSample { at: UnixMicros::default(), function: FunctionIndex(function), scale, source: None };
    run.scales.update(&sample);
}

/// What it is told next: which are at zero, and which are up.
async fn told(fake: &mut Fake) -> (Vec<u32>, Vec<u32>) {
    let scales = |told| if let Told::Scales(Scales { zero, up }) = told { Some((zero, up)) } else { None };
    fake.until(scales).await
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_was_cut_off_is_told_of_all_that_came_up_meanwhile() {
    let spec = json!({"coldstart": {"start": 2, "coldStarts": [1, 1], "functions": 3, "slot": "60s"}, "seed": 7});
    let mut run = Run::of(&workers(2), spec);
    let mut fakes = run.all_ready().await;
    [1, 2].into_iter().for_each(|function| scaled(&run, function, 0));
    run.start(1 << 10).await;
    for fake in &mut fakes {
        assert_eq!(told(fake).await, (vec![1, 2], vec![]), "what has changed");
    }
    drop(fakes.remove(0));
    // It comes up while the first worker hears nothing.
    scaled(&run, 1, 1);
    assert_eq!(told(&mut fakes[0]).await, (vec![], vec![1]));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut back = run.hello(0, "p0", true).await.expect("is taken");
    assert_eq!(told(&mut back).await, (vec![2], vec![0, 1]), "the whole state");
    scaled(&run, 1, 0);
    assert_eq!(told(&mut back).await, (vec![1], vec![]));
}
