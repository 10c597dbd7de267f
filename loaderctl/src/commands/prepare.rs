//! From the command line to a spec for the daemon, or to all of its faults.

use std::{path::PathBuf, time::Duration};

use loader_proto::{
    json::Fault,
    v1::{RunSpec, run_spec::Mode, trace_mode::Source},
};
use loader_trace::Options;
use tonic::{Code, Status};

use super::session::Session;
use crate::{
    Failure,
    client::Daemon,
    ending::violations,
    output::note,
    spec::{Draft, SpecArguments},
    upload::{Refused, TraceFiles, upload},
};

/// A spec without known faults, and the daemon to submit it to.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) daemon: Daemon,
    pub(super) spec: RunSpec,
    /// Where the spec came from.
    draft: Draft,
    /// The files that were uploaded: their names at the daemon, and on this machine.
    files: Vec<(String, PathBuf)>,
}

/// Reads the spec and uploads its trace.
///
/// All faults are reported at once: those found here, and those that the daemon finds in what could be read. The daemon also
/// checks the spec before a trace is uploaded, so that a typing error is reported before the upload.
pub(super) async fn prepare(session: &Session, arguments: &SpecArguments) -> Result<Prepared, Failure> {
    let mut draft = Draft::read(arguments)?;
    draft.notes.iter().for_each(|line| note(line));
    let files = trace_files(&mut draft);
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
    let names = files.as_ref().map(TraceFiles::names).unwrap_or_default();
    if let (Some(files), Some(Mode::Trace(trace))) = (files, &mut spec.mode) {
        trace.source = Some(Source::Upload(upload(&daemon, files).await?));
    }
    Ok(Prepared { daemon, spec, draft, files: names })
}

/// The files to upload; none and the faults where there is no trace to upload.
fn trace_files(draft: &mut Draft) -> Option<TraceFiles> {
    let path = draft.trace.clone()?;
    match TraceFiles::find(&path, &options(&draft.spec)) {
        Ok(files) => Some(files),
        Err(refused) => {
            for Refused { option, reason } in refused {
                draft.fault(&format!("trace.{}", option.unwrap_or("path")), reason);
            }
            None
        }
    }
}

/// What selects files of a trace. What is wrong with the spec itself, the daemon says.
pub(super) fn options(spec: &RunSpec) -> Options {
    let Some(Mode::Trace(trace)) = &spec.mode else { return Options::default() };
    let unit = if trace.granularity == "second" { Some(Duration::from_secs(1)) } else { None };
    Options { format: trace.format.parse().ok(), day: trace.day, size: trace.size, unit, ..Options::default() }
}

impl Prepared {
    /// Why the daemon did not take the spec; its faults by the names that the user gave.
    pub(super) fn failure(self, status: Status) -> Failure {
        let mut faults = violations(&status);
        if faults.is_empty() {
            return self.daemon.failure(status);
        }
        for fault in &mut faults {
            fault.description = TraceFiles::in_words_of_the_user(&self.files, &fault.description);
        }
        Failure::Faults(self.draft.refused(faults))
    }
}

/// What the daemon finds wrong with a spec.
async fn faults_of(daemon: &Daemon, spec: &RunSpec) -> Result<Vec<Fault>, Failure> {
    match daemon.plan(spec.clone(), false).await {
        Ok(_) => Ok(Vec::new()),
        Err(status) if status.code() == Code::InvalidArgument => Ok(violations(&status)),
        Err(status) => Err(daemon.failure(status)),
    }
}

#[cfg(test)]
mod tests;
