//! The load of a run: from the first due invocation to the last answer, with records, progress and the loader's own host
//! watched meanwhile.

mod settings;
mod under_way;

use std::time::Duration;

use tokio::sync::{mpsc, watch};

use self::{settings::Watched, under_way::UnderWay};
use super::{
    DrainLimits, Interrupts, LoadSettings, RunProgress, Telemetry,
    deploy::Deployed,
    failure::{Failure, LoadError, Verdict},
    progress::ProgressFacts,
    warmup::{Conducted, Conductor, settings_backup},
};
use crate::{
    clock::{Anchor, ClockChanges, Clocks},
    dispatch::{Dispatch, Phases, Running, Settings},
    id::RunId,
    plan::{Phase, Plan, Warmup},
    platform::Platform,
    record::{HostRecorder, Latencies, Progress, RecordError, Recorded, Recorder, RowSpans},
    spans::RunTrace,
    spec::RunSpec,
    store::RunDirectory,
};

/// From everything being ready to the first due time: enough for the threads to have settled in.
const LEAD: Duration = Duration::from_millis(100);

/// Events that may wait for the recorder.
const EVENTS: usize = 1 << 16;

/// How the load ended.
#[derive(Debug)]
enum Ended {
    /// It was carried out.
    Complete,
    /// It could not be carried out.
    Failed(Failure),
    /// A record could not be written, as the recorder's result says.
    RecordsLost,
    /// A user cancelled it.
    Cancelled,
    /// The daemon ends.
    Shutdown,
}

impl Ended {
    /// What it is to the run, of whose records `lost` could not be written.
    fn verdict(self, lost: Option<RecordError>) -> Option<Verdict> {
        match (self, lost) {
            (Self::Complete | Self::RecordsLost, lost) => lost.map(Verdict::from),
            (Self::Failed(failure), _) => Some(failure.into()),
            (Self::Cancelled, _) => Some(Verdict::Cancelled),
            (Self::Shutdown, _) => Some(Verdict::Interrupted),
        }
    }
}

/// What the load left.
pub(super) struct Outcome {
    /// How the run ends, where the load was not carried out.
    pub(super) verdict: Option<Verdict>,
    pub(super) t0: Anchor,
    /// What happened to the clocks until all answers were there.
    pub(super) clock_changes: Option<ClockChanges>,
    pub(super) recorded: Recorded,
    pub(super) clamped: u64,
    /// What the warm-up came to, and when the measured part began, from t0.
    pub(super) warmed_up: Option<(Conducted, Duration)>,
}

/// Where the load's stages and figures are shown.
pub(super) trait Show {
    /// The first invocation is about to be due; of a warm-up, or of what is measured.
    fn began(&mut self, phase: Phase);
    /// What is measured has begun, after a warm-up.
    fn measuring(&mut self);
    /// The last invocation was handed out.
    fn paced(&mut self);
    /// New figures.
    fn progress(&mut self, progress: RunProgress);
}

/// A load that is ready to go.
pub(super) struct Load<'a> {
    pub(super) settings: &'a LoadSettings,
    pub(super) drain: &'a DrainLimits,
    pub(super) telemetry: &'a Telemetry,
    pub(super) run: &'a RunId,
    /// Its trace, where spans are exported.
    pub(super) trace: Option<RunTrace>,
    pub(super) spec: &'a RunSpec,
    pub(super) directory: &'a RunDirectory,
    pub(super) plan: Box<dyn Plan>,
    pub(super) facts: ProgressFacts,
    pub(super) deployed: Deployed,
    pub(super) warmup: Option<WarmingUp<'a>>,
}

/// A warm-up that the load begins with.
pub(super) struct WarmingUp<'a> {
    pub(super) warmup: Warmup,
    pub(super) platform: &'a dyn Platform,
}

/// A load that has begun.
struct Begun<'a> {
    under_way: UnderWay<'a>,
    recorder: Running<Recorded>,
    conductor: Option<Conductor<'a>>,
    phases: Phases,
    t0: Anchor,
    /// The clocks as they stood then.
    clocks: Clocks,
}

impl<'a> Load<'a> {
    /// Sends the load and awaits its answers.
    ///
    /// # Errors
    /// Why it could not begin, or broke. What was recorded until then stays.
    pub(super) async fn run(self, interrupts: &Interrupts, show: &mut impl Show) -> Result<Outcome, LoadError> {
        let (run, Telemetry { metrics, clock, tracer: _ }) = (self.run, self.telemetry);
        let Begun { mut under_way, mut recorder, conductor, phases, t0, clocks } = self.begin(show).await?;
        let mut conducted = None;
        let conducting = conductor.map(|it| it.conduct(t0.instant));
        let mut ended = under_way.pace(interrupts, conducting, &mut conducted, show).await?;
        show.paced();
        under_way.drain(interrupts, &mut ended, show).await?;
        under_way.export_scheduled();
        let clock_changes = clocks.changes(&Clocks::now(*clock));
        if let Some(changes) = clock_changes {
            log::warn!(RUN_ID = run.as_str(); "while the load went, {changes}");
        }
        let (mut recorded, dispatching, host) = under_way.recorded(&mut recorder, show).await?;
        metrics.in_flight(0);
        metrics.connections(0, 0);
        let lost = recorded.error.take().or(host.finish().err());
        let plan = dispatching.into_plan().await?;
        Ok(Outcome {
            verdict: ended.verdict(lost),
            t0,
            clock_changes,
            recorded,
            clamped: plan.clamped(),
            warmed_up: conducted.map(|conducted| (conducted, phases.measured_from())),
        })
    }

    /// Starts all threads of the load. The first invocation is due [`LEAD`] later.
    async fn begin(self, show: &mut impl Show) -> Result<Begun<'a>, LoadError> {
        let Self { settings, drain, telemetry, run, trace, spec, directory, plan, facts, deployed, warmup } = self;
        let Telemetry { metrics, tracer, clock } = telemetry;
        let phases = warmup.as_ref().map_or_else(Phases::default, |it| Phases::after(it.warmup.longest()));
        let latencies = Latencies::default();
        let Deployed { deploy: _, names, routes, board } = deployed;
        let (events, receive_events) = mpsc::channel(EVENTS);
        let dispatch = settings::of_dispatch(settings, *clock, run, spec, phases.clone());
        let dispatch = Dispatch::prepare(Settings { trace, ..dispatch }, routes, board, events.clone()).await;
        let dispatch = dispatch.map_err(LoadError::Workers)?;
        let (now, clocks) = (clock.anchor(), Clocks::now(*clock));
        let t0 = Anchor { instant: now.instant + LEAD, unix: now.unix.plus(LEAD) };

        let (show_progress, progress) = watch::channel(Progress::default());
        let (tell_failure, failure) = watch::channel(None);
        let spans = tracer.clone().zip(trace).map(|(tracer, trace)| RowSpans { tracer, trace });
        let collector = plan.collector();
        let watched = Watched { collector, latencies: latencies.clone(), progress: show_progress, spans };
        let settings = settings::of_recorder(telemetry, run, spec, (names, t0), watched);
        let recorder = Recorder::create(directory.path(), settings, tell_failure)?;
        let recorder = Running::start("recorder", move || recorder.run(receive_events));
        let recorder = recorder.map_err(LoadError::Recorder)?;

        let (counters, connections) = (dispatch.counters(), dispatch.connections());
        let host = HostRecorder::create(directory.path(), run.clone(), metrics.clone(), *clock)?;
        let warming = warmup.is_some();
        show.began(if warming { Phase::Warmup } else { Phase::Measure });
        let dispatching = dispatch.start(plan, t0).map_err(LoadError::Pacing)?;
        let facts = ProgressFacts { t0: Some(t0.instant), ..facts };
        let under_way = UnderWay {
            drain,
            telemetry,
            spec,
            facts,
            dispatching,
            events,
            counters,
            connections,
            progress,
            failure,
            host,
            scheduled: 0,
            warming,
        };
        let (backup, clock) = (settings_backup(directory), *clock);
        let conduct = |WarmingUp { warmup, platform }| {
            let phases = phases.clone();
            Conductor { warmup, platform, run, backup, phases, latencies, clock }
        };
        let conductor = warmup.map(conduct);
        Ok(Begun { under_way, recorder, conductor, phases, t0, clocks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost() -> Option<RecordError> {
        let source = std::io::Error::other("no space");
        Some(RecordError::Write { path: "slots.csv".into(), source })
    }

    #[test]
    fn records_that_are_lost_fail_a_load_unless_it_ended_otherwise() {
        let verdicts =
            [Ended::Complete, Ended::RecordsLost, Ended::Cancelled, Ended::Shutdown].map(|ended| ended.verdict(lost()));
        assert!(
            matches!(
                &verdicts,
                [
                    Some(Verdict::Failed(complete)),
                    Some(Verdict::Failed(told)),
                    Some(Verdict::Cancelled),
                    Some(Verdict::Interrupted)
                ] if [complete, told].iter().all(|it| it.to_string() == "cannot write slots.csv: no space")
            ),
            "{verdicts:?}"
        );
        assert!(Ended::Complete.verdict(None).is_none());
        let saturated = Ended::Failed(Failure::Saturated).verdict(lost());
        assert!(matches!(&saturated, Some(Verdict::Failed(it)) if matches!(**it, Failure::Saturated)), "{saturated:?}");
    }
}
