//! From a checked spec to a plan: the trace, the plan, the open files that it needs. Reads files, so it belongs on a blocking
//! thread.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use loader_trace::{Bytes, Directory, Fault, Report, Source, Trace};
use tokio_util::sync::CancellationToken;

use super::{confined::Confined, disturb, failure::Failure, interruptible::Interruptible, memory, open_files, workers};
use crate::{
    plan::{Outline, Plan, Request, TraceInput, TraceSource},
    platform::Platforms,
    spec::{RunSpec, Violation},
    traces::TraceStore,
    workers::OpenSource,
};

/// A spec that can be run.
pub struct Preparation {
    /// The spec, checked and with its defaults.
    pub spec: RunSpec,
    /// The plan, before its first slot.
    pub plan: Box<dyn Plan>,
    /// What the plan will do.
    pub outline: Outline,
}

/// Makes plans of specs.
pub struct Planner {
    /// The store of uploaded traces.
    pub traces: TraceStore,
    /// Directories below which specs may name traces on this machine.
    pub trace_roots: Vec<PathBuf>,
    /// Platforms by name: how many open files a run needs depends on its own.
    pub platforms: Platforms,
    /// Connections to each address, where the spec does not say.
    pub connections: usize,
    /// Most files that may be open.
    pub max_files: u64,
    /// Bytes of memory that the daemon may use.
    pub memory: u64,
}

impl Planner {
    /// Reads the trace of a spec and makes its plan. Deploys nothing. It ends soon once `left` is cancelled.
    ///
    /// # Errors
    /// Every fault, by field.
    pub fn prepare(&self, request: &Request, left: &CancellationToken) -> Result<Preparation, Vec<Violation>> {
        let (trace, report) = match request.mode.trace() {
            Some(input) => {
                let (trace, report) = self.read_trace(&input, left)?;
                (Some(Arc::new(trace)), report)
            }
            None => (None, Report::default()),
        };
        let spec = &request.run;
        if let Some(violation) = memory::check(spec, self.memory) {
            return Err(vec![violation]);
        }
        let unwanted = || vec![Violation::new("trace", "the client has left")];
        if left.is_cancelled() {
            return Err(unwanted());
        }
        let plan = request.plan(trace)?;
        let outline = plan.outline_while(&|| !left.is_cancelled()).ok_or_else(unwanted)?;
        let dropped = report.left_out.iter().map(|(reason, tally)| (reason.name().to_owned(), tally.count)).collect();
        let outline = Outline { dropped_functions: dropped, notes: report.notes(), ..outline };
        if let Some(violation) = memory::check_bound(spec.max_memory_in_flight_mib, plan.functions(), &outline) {
            return Err(vec![violation]);
        }
        let platform = self.platforms.get(spec.platform.as_str());
        let mut violations = disturb::check(spec, &outline, platform.map(|platform| &**platform));
        violations.extend(workers::check(spec, plan.functions(), platform.map(|platform| &**platform)));
        if !violations.is_empty() {
            return Err(violations);
        }
        let embedded = platform.and_then(|platform| platform.embedded());
        let platform_files = |instances, connections| embedded.map_or(0, |it| it.open_files(instances, connections));
        if let Some(violation) = open_files::check(spec, &outline, self.connections, platform_files, self.max_files) {
            return Err(vec![violation]);
        }
        Ok(Preparation { spec: spec.clone(), plan, outline })
    }

    /// Makes the plan of a run once more that has begun.
    ///
    /// # Errors
    /// What has become wrong since.
    pub(super) fn plan_again(&self, request: &Request) -> Result<Box<dyn Plan>, String> {
        let planned = || {
            let left = CancellationToken::new();
            let trace = request.mode.trace().map(|input| self.read_trace(&input, &left)).transpose()?;
            request.plan(trace.map(|(trace, _)| Arc::new(trace)))
        };
        planned().map_err(joined)
    }

    /// Opens the trace of a run, again and again; absent without one.
    pub(super) fn trace_source(self: &Arc<Self>, request: &Request) -> Option<OpenSource> {
        let (planner, input) = (Arc::clone(self), request.mode.trace()?);
        Some(Box::new(move || planner.source(&input).map(|(_, source)| source).map_err(joined)))
    }

    /// The files of a trace, and the field that names it.
    fn source(&self, input: &TraceInput) -> Result<(&'static str, Box<dyn Source>), Vec<Violation>> {
        Ok(match &input.source {
            TraceSource::Upload(id) => ("trace.upload", Box::new(Uploaded(Directory(self.uploaded(id)?)))),
            TraceSource::Path(path) => ("trace.path", Box::new(below_roots(path, &self.trace_roots)?)),
        })
    }

    fn read_trace(&self, input: &TraceInput, left: &CancellationToken) -> Result<(Trace, Report), Vec<Violation>> {
        let (field, source) = self.source(input)?;
        let source = Interruptible { source: &*source, left: left.clone() };
        let opened = loader_trace::read(&source, &input.options).map_err(|faults| {
            let mut violations: Vec<_> = faults.shown.iter().map(|fault| violation(field, fault)).collect();
            let omitted = faults.total.saturating_sub(violations.len() as u64);
            violations.extend((omitted > 0).then(|| Violation::more(usize::try_from(omitted).unwrap_or(usize::MAX))));
            violations
        })?;
        Ok(opened.into_parts())
    }

    fn uploaded(&self, id: &str) -> Result<PathBuf, Vec<Violation>> {
        self.traces.named(id).ok_or_else(|| {
            let description = format!("no trace {id} was uploaded (or it was removed): upload it again");
            vec![Violation::new("trace.upload", description)]
        })
    }
}

fn joined(violations: Vec<Violation>) -> String {
    Failure::Spec(violations).to_string()
}

/// A fault of a trace, by the field of the spec that it is a matter of: an option, or where the trace comes from.
fn violation(source: &str, fault: &Fault) -> Violation {
    match fault.problem.option() {
        Some(option) => Violation::new(format!("trace.{option}"), fault.problem.to_string()),
        None => Violation::new(source, fault.to_string()),
    }
}

/// An uploaded trace. Where it is stored says nothing to a client.
struct Uploaded(Directory);

impl Source for Uploaded {
    fn location(&self) -> String {
        "the uploaded trace".to_owned()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.0.names()
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Bytes>> {
        self.0.open(name)
    }
}

/// The trace at a path below one of the roots. What is elsewhere, and whether anything is there, is not told.
fn below_roots(path: &Path, roots: &[PathBuf]) -> Result<Confined, Vec<Violation>> {
    let refuse = |description: String| vec![Violation::new("trace.path", description)];
    if roots.is_empty() {
        return Err(refuse(
            "the daemon reads no traces from its own machine (traces.roots is empty): upload the trace".to_owned(),
        ));
    }
    let missing = || refuse(format!("there is no trace {} below a trace root", path.display()));
    Confined::open(path, roots).ok_or_else(missing)
}
