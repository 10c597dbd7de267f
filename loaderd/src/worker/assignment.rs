//! An assignment made into what is sent: the plan of the share, the functions as they are called, the settings of the dispatch.

use std::{path::Path, sync::Arc, time::Duration};

use loader_proto::worker::Assignment;

use super::Settings;
use crate::{
    dispatch::{self, Heartbeat, Isolation, Phases},
    endpoint::Tls,
    invoke::{Policy, Protocol, Route},
    plan::{self, Plan, Request, Shared, Shares, TraceInput, fingerprint},
    spec::{Defaults, RunSpec, RuntimeClock, Violation},
    workers::wire,
};

/// What a worker is to send.
pub(super) struct Work {
    /// Its share of the plan.
    pub(super) plan: Box<dyn Plan>,
    /// By function.
    pub(super) routes: Arc<[Option<Route>]>,
    pub(super) dispatch: dispatch::Settings,
    /// SHA-256 over the plan.
    pub(super) plan_hash: Vec<u8>,
}

/// The run that the assignment asks for.
///
/// # Errors
/// A spec that is wrong.
pub(super) fn request(assignment: &Assignment) -> Result<Request, String> {
    let defaults = Defaults { platform: assignment.default_platform.clone() };
    plan::validate_encoded(&assignment.spec, &defaults).map_err(|violations| all(&violations))
}

/// Makes the plan and what it takes to send it. Reads the trace, which is in a directory, and takes its time: it belongs on a thread of
/// its own.
///
/// # Errors
/// What is wrong with it, or another plan than the coordinator's.
pub(super) fn work(
    settings: &Settings,
    assignment: &Assignment,
    request: &Request,
    trace: Option<&Path>,
) -> Result<Work, String> {
    let trace = match (request.mode.trace(), trace) {
        (Some(input), Some(directory)) => Some(Arc::new(read(&input, directory)?)),
        (Some(_), None) => return Err("the assignment has no trace, which the run's mode needs".to_owned()),
        (None, _) => None,
    };
    let made = || request.plan(trace.clone()).map_err(|violations| all(&violations));
    let plan_hash = fingerprint(made()?).to_vec();
    if plan_hash != assignment.plan_hash {
        return Err("the plan made here is another than the coordinator's: both must be of one version".to_owned());
    }
    let plan = made()?;
    let owners = assignment.shares.as_ref().map(|shares| shares.owners.clone()).unwrap_or_default();
    let shares = Shares::from_owners(owners, assignment.workers, plan.functions().len(), plan.cold_pool());
    let shares = shares.map_err(|error| error.to_string())?;
    let routes = routes(assignment, &request.run, &*plan)?;
    let plan = Box::new(Shared::new(plan, shares, settings.index, request.run.seed));
    Ok(Work { plan, routes, dispatch: dispatch_settings(settings, assignment, &request.run), plan_hash })
}

/// How long a worker goes on without a coordinator.
pub(super) fn orphan_timeout(assignment: &Assignment, otherwise: Duration) -> Duration {
    assignment.orphan_timeout.and_then(|timeout| timeout.try_into().ok()).unwrap_or(otherwise)
}

fn read(input: &TraceInput, directory: &Path) -> Result<loader_trace::Trace, String> {
    let source = loader_trace::Directory(directory.to_owned());
    let opened = loader_trace::read(&source, &input.options);
    let opened = opened.map_err(|faults| match faults.shown.first() {
        Some(fault) => format!("the trace that was sent: {fault}"),
        None => "the trace that was sent cannot be read".to_owned(),
    });
    Ok(opened?.into_parts().0)
}

fn routes(assignment: &Assignment, spec: &RunSpec, plan: &dyn Plan) -> Result<Arc<[Option<Route>]>, String> {
    let functions = &assignment.functions;
    let (found, planned) = (functions.iter().map(|it| &it.name), plan.functions().iter().map(|it| &it.name));
    if !found.eq(planned) {
        return Err("the functions of the assignment are not those of the plan".to_owned());
    }
    let tls = match functions.iter().any(|function| function.tls) {
        true => Some(roots(&assignment.function_roots_pem).map_err(|error| error.to_string())?),
        false => None,
    };
    let route = |function| match wire::endpoint(function, tls.as_ref()) {
        Some(endpoint) => {
            let protocol = Protocol::of(spec.kind, &spec.protocol, &function.name);
            Route::new(&endpoint, protocol).map(Some).map_err(|error| error.to_string())
        }
        None => Ok(None),
    };
    functions.iter().map(route).collect()
}

/// What functions' certificates are verified by.
fn roots(pem: &[u8]) -> std::io::Result<Tls> {
    if pem.is_empty() {
        return Tls::trusting(None);
    }
    let mut file = tempfile::NamedTempFile::new()?;
    std::io::Write::write_all(&mut file, pem)?;
    Tls::trusting(Some(file.path()))
}

fn dispatch_settings(settings: &Settings, assignment: &Assignment, spec: &RunSpec) -> dispatch::Settings {
    let clock = settings.clock.clock();
    let workers = assignment.workers.max(1) as usize;
    let pooled = assignment.connections.max(1) as usize;
    dispatch::Settings {
        workers: assignment.sending_threads.max(1) as usize,
        policy: match Policy::of(&spec.connections, pooled) {
            Policy::Pooled(connections) => Policy::Pooled(connections.div_ceil(workers)),
            policy @ (Policy::PerFunction | Policy::PerInvocation) => policy,
        },
        max_in_flight: assignment.max_in_flight.max(1),
        max_memory_in_flight_mib: assignment.max_memory_in_flight_mib,
        connect_timeout: spec.timeouts.connect,
        function_timeout: spec.timeouts.function,
        runtime_clock: spec.runtime_clock.map(RuntimeClock::as_str),
        seed: spec.seed,
        run: settings.run.clone(),
        trace: None,
        // What a slot counts for is the coordinator's to say.
        phases: Phases::default(),
        isolation: Isolation::default(),
        heartbeat: Heartbeat::new(clock),
        clock,
    }
}

fn all(violations: &[Violation]) -> String {
    let shown: Vec<_> = violations.iter().map(|it| format!("{} {}", it.field, it.description)).collect();
    shown.join("; ")
}
