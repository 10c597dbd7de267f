//! A run as spans: itself, and each of its stages.

use crate::{
    clock::UnixMicros,
    spans::{RunTrace, Span, SpanStatus, Tracer},
    store::{RunFile, State},
};

/// Exports a run's stages as spans.
#[derive(Debug, Default)]
pub(super) struct StageSpans {
    target: Option<(Tracer, RunTrace)>,
    stages: u64,
    since: UnixMicros,
}

impl StageSpans {
    /// The spans of a run; without a tracer nothing is exported.
    pub(super) fn new(tracer: Option<&Tracer>, run: &crate::id::RunId) -> Self {
        let target = tracer.map(|tracer| (tracer.clone(), tracer.run(run)));
        Self { target, ..Self::default() }
    }

    /// The run's trace; absent when spans are not exported.
    pub(super) fn trace(&self) -> Option<RunTrace> {
        self.target.as_ref().map(|(_, trace)| *trace)
    }

    /// Exports the stage `from`, which the run has left for the state in its file; after the last one also the run's span.
    pub(super) fn state_changed(&mut self, from: State, file: &RunFile, now: UnixMicros) {
        let Some((tracer, trace)) = &self.target else { return };
        let status = match file.state {
            State::Failed | State::Interrupted => SpanStatus::Error(file.reason.clone()),
            State::Queued
            | State::Deploying
            | State::WarmingUp
            | State::Running
            | State::Draining
            | State::Cleaning
            | State::Succeeded
            | State::Cancelled => SpanStatus::Ok,
        };
        let start = if from == State::Queued { UnixMicros(file.submitted_unix_us) } else { self.since };
        tracer.take(Span {
            trace: trace.trace(),
            id: trace.stage(self.stages),
            parent: Some(trace.root()),
            name: from.as_str(),
            is_call: false,
            start,
            end: now,
            attributes: Vec::new(),
            status: SpanStatus::Ok,
        });
        self.stages += 1;
        self.since = now;
        if file.state.is_terminal() {
            let RunFile { run_id, name, mode, platform, state, .. } = file;
            tracer.take(Span {
                trace: trace.trace(),
                id: trace.root(),
                parent: None,
                name: "run",
                is_call: false,
                start: UnixMicros(file.submitted_unix_us),
                end: now,
                attributes: vec![
                    ("loader.run.id", run_id.to_string()),
                    ("loader.run.name", name.clone()),
                    ("loader.run.mode", mode.clone()),
                    ("loader.run.platform", platform.clone()),
                    ("loader.run.state", state.as_str().to_owned()),
                ],
                status,
            });
        }
    }
}
