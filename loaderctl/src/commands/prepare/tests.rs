use std::fs;

use clap::Parser as _;

use super::*;
use crate::{
    Arguments,
    cli::Command,
    testkit::{Fake, Script},
};
use crate::{credentials::Credentials, output::Format};

fn arguments(line: &[&str]) -> SpecArguments {
    let parsed = Arguments::try_parse_from([&["loaderctl", "plan"], line].concat()).expect("arguments");
    let Command::Plan(plan) = parsed.command else { panic!("not plan: {parsed:?}") };
    plan.spec
}

async fn prepared(fake: &Fake, line: &[&str]) -> Result<Prepared, Failure> {
    let (_, address, _tasks) = fake.serve().await;
    prepare(&Session { address, credentials: Credentials::default(), format: Format::Table }, &arguments(line)).await
}

#[tokio::test]
async fn faults_of_both_sides_are_told_at_once() {
    let faults = vec![("trace", "has no source"), ("trace.duration", "is 61s"), ("name", "is too long")];
    let fake = Fake::new(Script { faults, ..Script::default() });
    let line = ["--mode=trace", "--trace=/nowhere", "--duration=61s", "--seed=x", "--hold=4s"];
    let message = prepared(&fake, &line).await.expect_err("faults").to_string();
    assert_eq!(
        message.lines().collect::<Vec<_>>(),
        [
            "--hold: belongs to mode burst; the run's mode is trace",
            "spec: seed: must be a whole number, not \"x\" (--seed)",
            "spec: trace.path: cannot read /nowhere: No such file or directory (os error 2) (--trace)",
            "spec: trace.duration: is 61s (--duration)",
            "spec: name: is too long",
        ]
    );
    assert_eq!(fake.script().planned.len(), 1);
}

#[tokio::test]
async fn a_trace_is_not_uploaded_for_a_spec_with_faults() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("a.csv"), "due_ns,function,runtime_us,memory_mib\n").expect("written");
    let path = format!("--trace={}", directory.path().display());
    let fake = Fake::new(Script { faults: vec![("trace", "has no source"), ("name", "is bad")], ..Script::default() });
    let message = prepared(&fake, &["--mode=trace", &path]).await.expect_err("faults").to_string();
    assert_eq!(message, "spec: name: is bad");
    assert_eq!(fake.script().manifest.files, []);

    fake.script().faults.pop();
    let spec = prepared(&fake, &["--mode=trace", &path]).await.expect("a spec").spec;
    let Some(Mode::Trace(trace)) = spec.mode else { panic!("not a trace: {spec:?}") };
    assert_eq!(trace.source, Some(Source::Upload("stored-id".to_owned())));
}

#[tokio::test]
async fn faults_are_told_even_when_no_daemon_answers() {
    let address = "unix:/nowhere/loaderd.sock".parse().expect("an address");
    let session = Session { address, credentials: Credentials::default(), format: Format::Table };
    let faulty = prepare(&session, &arguments(&["--mode=rps", "--slot=4"])).await;
    let message = faulty.expect_err("faults").to_string();
    assert_eq!(message, "spec: rps.slot: \"4\" is not a duration: write it as 90s, 4m or 500ms (--slot)");
    let good = prepare(&session, &arguments(&["--mode=rps"])).await;
    assert!(matches!(good, Err(Failure::Unreachable { .. })));
}
