//! How fast a trace is read and its plan generated on one core, and in how much memory. For `scripts/bench`.
//!
//! usage: plan_rate TRACE_DIRECTORY    prints figures as JSON
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use loader_proto::v1;
use loader_trace::Options;
use loaderd::{
    clock::Clock,
    plan,
    spec::{Defaults, Violation},
};

/// Memory of this process at its highest, in KiB.
fn peak_kib() -> anyhow::Result<u64> {
    procfs::process::Process::myself()?.status()?.vmhwm.context("the kernel does not report it")
}

fn main() -> anyhow::Result<()> {
    let directory = PathBuf::from(std::env::args().nth(1).context("usage: plan_rate TRACE_DIRECTORY")?);
    let clock = Clock;
    let begun = clock.now();
    let trace = loader_trace::open(&directory, &Options::default())?.trace;
    let read_seconds = begun.elapsed().as_secs_f64();
    let (functions, read_kib) = (trace.functions.len(), peak_kib()?);
    let source = v1::trace_mode::Source::Path(directory.display().to_string());
    let mode = v1::TraceMode { source: Some(source), ..v1::TraceMode::default() };
    let message = v1::RunSpec { mode: Some(v1::run_spec::Mode::Trace(mode)), ..v1::RunSpec::default() };
    let failed = |violations: Vec<Violation>| anyhow::anyhow!("{violations:?}");
    let request = plan::validate(&message, &Defaults { platform: "local".to_owned() }).map_err(failed)?;
    let mut plan = request.plan(Some(Arc::new(trace))).map_err(failed)?;
    let begun = clock.now();
    let (mut invocations, mut check) = (0_u64, 0_u64);
    while let Some(slot) = plan.next_slot(None) {
        for invocation in slot.invocations {
            invocations += 1;
            // So that nothing of it can be left out.
            check ^= invocation.due.as_nanos() ^ u64::from(invocation.runtime_us) ^ u64::from(invocation.memory_mib);
        }
    }
    let plan_seconds = begun.elapsed().as_secs_f64();
    println!(
        "{{\"functions\": {functions}, \"invocations\": {invocations}, \"read_seconds\": {read_seconds}, \
         \"plan_seconds\": {plan_seconds}, \"read_kib\": {read_kib}, \"peak_kib\": {}, \"check\": {check}}}",
        peak_kib()?
    );
    Ok(())
}
