//! From the command line to a spec for the daemon, or to all of its faults.

use loader_proto::{
    json::Fault,
    v1::{RunSpec, run_spec::Mode, trace_mode::Source},
};
use tonic::{Code, Status};

use super::session::Session;
use crate::{
    Failure,
    client::Daemon,
    ending::violations,
    output::note,
    spec::{Draft, SpecArguments},
    upload::{TraceFiles, upload},
};

/// A spec without known faults, and the daemon to submit it to.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) daemon: Daemon,
    pub(super) spec: RunSpec,
    /// Where the spec came from.
    draft: Draft,
}

/// Reads the spec and uploads its trace.
///
/// All faults are reported at once: those found here, and those that the daemon finds in what could be read. The daemon also
/// checks the spec before a trace is uploaded, so that a typing error is reported before the upload.
pub(super) async fn prepare(session: &Session, arguments: &SpecArguments) -> Result<Prepared, Failure> {
    let mut draft = Draft::read(arguments)?;
    draft.notes.iter().for_each(|line| note(line));
    let files = match draft.trace.as_deref().map(TraceFiles::find) {
        Some(Ok(files)) => Some(files),
        Some(Err(description)) => {
            draft.fault("trace.path", description);
            None
        }
        None => None,
    };
    let daemon = match session.daemon().await {
        Err(Failure::Unreachable { .. }) if !draft.faults.is_empty() => {
            return Err(Failure::Faults(draft.into_faults()));
        }
        connected => connected?,
    };
    if !draft.unreadable && (files.is_some() || !draft.faults.is_empty()) {
        draft.add(faults_of(&daemon, &draft.spec).await?);
    }
    if !draft.faults.is_empty() {
        return Err(Failure::Faults(draft.into_faults()));
    }
    let mut spec = draft.spec.clone();
    if let (Some(files), Some(Mode::Trace(trace))) = (files, &mut spec.mode) {
        trace.source = Some(Source::Upload(upload(&daemon, files).await?));
    }
    Ok(Prepared { daemon, spec, draft })
}

impl Prepared {
    /// Why the daemon did not take the spec; its faults by the names that the user gave.
    pub(super) fn failure(self, status: Status) -> Failure {
        let faults = violations(&status);
        if faults.is_empty() {
            return self.daemon.failure(status);
        }
        Failure::Faults(self.draft.refused(faults))
    }
}

/// What the daemon finds wrong with a spec.
async fn faults_of(daemon: &Daemon, spec: &RunSpec) -> Result<Vec<Fault>, Failure> {
    match daemon.plan(spec.clone()).await {
        Ok(_) => Ok(Vec::new()),
        Err(status) if status.code() == Code::InvalidArgument => Ok(violations(&status)),
        Err(status) => Err(daemon.failure(status)),
    }
}

#[cfg(test)]
mod tests;
