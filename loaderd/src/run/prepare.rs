//! From a spec message to a plan: validation, the trace, the plan. Reads files, so it belongs on a blocking thread.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use loader_proto::v1;
use loader_trace::{Directory, Trace};

use super::{Context, files};
use crate::{
    plan::{self, Outline, Plan, Request, TraceInput, TraceSource},
    spec::{RunSpec, Violation},
};

/// A spec that can be run.
pub struct Preparation {
    /// What was asked for, checked.
    pub spec: RunSpec,
    /// The plan, before its first slot.
    pub plan: Box<dyn Plan>,
    /// What the plan will do.
    pub outline: Outline,
}

/// Checks a spec, reads its trace and makes its plan. Deploys nothing.
///
/// # Errors
/// Every fault, by field.
pub fn prepare(message: &v1::RunSpec, context: &Context) -> Result<Preparation, Vec<Violation>> {
    let request = plan::validate(message, &context.defaults)?;
    let (trace, dropped) = match request.mode.trace() {
        Some(input) => {
            let (trace, dropped) = read_trace(&input, context)?;
            (Some(Arc::new(trace)), dropped)
        }
        None => (None, BTreeMap::new()),
    };
    let plan = request.plan(trace)?;
    let Request { run: spec, mode: _ } = request;
    let outline = Outline { dropped_functions: dropped, ..plan.outline() };
    let platform = context.platforms.get(spec.platform.as_str());
    let of_platform = |instances, connections| platform.map_or(0, |it| it.open_files(instances, connections));
    if let Some(violation) = files::check(&spec, &outline, context.connections, of_platform, context.max_files) {
        return Err(vec![violation]);
    }
    Ok(Preparation { spec, plan, outline })
}

fn read_trace(input: &TraceInput, context: &Context) -> Result<(Trace, BTreeMap<String, u64>), Vec<Violation>> {
    let (field, directory) = match &input.source {
        TraceSource::Upload(id) => ("trace.upload", uploaded(id, context)?),
        TraceSource::Path(path) => ("trace.path", below_roots(path, &context.trace_roots)?),
    };
    let (trace, report) = loader_trace::read(&Directory(directory), &input.options).map_err(|faults| {
        let mut violations: Vec<_> =
            faults.shown.iter().map(|fault| Violation::new(field, fault.to_string())).collect();
        let untold = faults.total.saturating_sub(violations.len() as u64);
        if untold > 0 {
            violations.push(Violation::new(field, format!("and {untold} more faults")));
        }
        violations
    })?;
    let dropped = report.left_out.iter().map(|(reason, tally)| (reason.name().to_owned(), tally.count)).collect();
    Ok((trace, dropped))
}

fn uploaded(id: &str, context: &Context) -> Result<PathBuf, Vec<Violation>> {
    context.traces.path_of(id).ok_or_else(|| {
        let description = format!("no trace {id} was uploaded (or it was removed): upload it again");
        vec![Violation::new("trace.upload", description)]
    })
}

/// The path with all links resolved, if it lies below one of the roots.
fn below_roots(path: &Path, roots: &[PathBuf]) -> Result<PathBuf, Vec<Violation>> {
    let refuse = |description: String| vec![Violation::new("trace.path", description)];
    if roots.is_empty() {
        return Err(refuse(
            "the daemon reads no traces from its own machine (traces.roots is empty): upload the trace".to_owned(),
        ));
    }
    let resolved =
        path.canonicalize().map_err(|error| refuse(format!("{} cannot be read: {error}", path.display())))?;
    let allowed = roots.iter().filter_map(|root| root.canonicalize().ok()).any(|root| resolved.starts_with(root));
    if allowed { Ok(resolved) } else { Err(refuse(format!("{} is not below a trace root", path.display()))) }
}
