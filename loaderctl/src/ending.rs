//! How a command ends: the one place where endings become exit codes and gRPC statuses become text.
//!
//! `loaderctl --help` lists the codes, too ([`EXIT_CODES`]).

use std::{error::Error, fmt, io};

use loader_proto::{json::Fault, v1, visible::visible};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::address::Address;

/// The exit codes, for `--help`.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    the run failed, was cancelled or was interrupted, or more than half of its invocations failed;
       the invocation failed; results are damaged; the study failed or was cancelled, or runs of it failed
  2    bad input: flags, spec, trace
  3    the run succeeded, but the loader itself was saturated; the study succeeded, but runs of it are left out
  4    the daemon cannot be reached
  5    refused by the daemon, or another error
  6    an expectation (--expect) is not met; a comparison is worse, with --fail-if worse; a plan does not fit,
       with --fail-if-no-room
  130  Ctrl-C while a run was followed (the run goes on)";

/// How a command that could be carried out has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The command succeeded.
    Done,
    /// The run or the invocation did not succeed.
    Failed,
    /// The run succeeded, but was saturated: it describes the loader rather than the platform.
    Saturated,
    /// An expectation is not met.
    Missed,
    /// A comparison found the verdict that it is to fail for.
    Worse,
    /// A plan does not fit its platform, or that is not known.
    NoRoom,
    /// The user ended the following of the run.
    Interrupted,
}

impl Ending {
    /// The ending of a command that followed `run` to its end. A run succeeds whatever its invocations come to; one of which more than
    /// half failed is a failure all the same, unless the user allows it.
    pub(crate) fn of(run: &v1::Run, allow_failed_invocations: bool) -> Self {
        if is_missed(run) {
            return Self::Missed;
        }
        let failed = run.summary.as_ref().is_some_and(|it| it.failed.saturating_mul(2) > it.requested);
        let saturated = run.summary.as_ref().and_then(|summary| summary.saturated.as_ref());
        match run.state() {
            v1::RunState::Succeeded if failed && !allow_failed_invocations => Self::Failed,
            v1::RunState::Succeeded if saturated.is_some_and(|verdict| verdict.saturated) => Self::Saturated,
            v1::RunState::Succeeded => Self::Done,
            v1::RunState::Unspecified
            | v1::RunState::Queued
            | v1::RunState::Deploying
            | v1::RunState::WarmingUp
            | v1::RunState::Running
            | v1::RunState::Draining
            | v1::RunState::Cleaning
            | v1::RunState::Failed
            | v1::RunState::Cancelled
            | v1::RunState::Interrupted => Self::Failed,
        }
    }
}

impl Ending {
    /// The ending of a command that followed a study to its end.
    pub(crate) fn of_study(study: &v1::Study) -> Self {
        let progress = study.progress.clone().unwrap_or_default();
        match study.state() {
            v1::StudyState::Succeeded if progress.failed > 0 => Self::Failed,
            v1::StudyState::Succeeded if progress.left_out > 0 => Self::Saturated,
            v1::StudyState::Succeeded => Self::Done,
            v1::StudyState::Unspecified
            | v1::StudyState::Queued
            | v1::StudyState::Running
            | v1::StudyState::Failed
            | v1::StudyState::Cancelled => Self::Failed,
        }
    }
}

/// Whether a run that was carried out, or was ended by one of its expectations, does not meet all of them. What it does not have is not
/// met either.
pub(crate) fn is_missed(run: &v1::Run) -> bool {
    let expectations = run.summary.iter().flat_map(|summary| &summary.expectations);
    let is_ended_by = expectations.clone().any(|it| it.aborted);
    let is_judged = is_ended_by || run.state() == v1::RunState::Succeeded;
    is_judged && expectations.clone().any(|it| it.met != Some(true))
}

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Faults of the input, each by its field.
    #[error("{}", Lines(.0))]
    Faults(Vec<Fault>),
    /// Unusable input: what is wrong with it.
    #[error("error: {0}")]
    Input(String),
    /// No daemon answers at the address.
    #[error(
        "error: no daemon answers at {address}: {reason}\n\
         Start it with `loaderd` or `systemctl start loaderd`, or set its address with --address or LOADERD_ADDRESS."
    )]
    Unreachable {
        /// The address that was tried.
        address: Address,
        /// The root cause of the failed connection.
        reason: String,
    },
    /// The daemon refused the request.
    #[error("error: {}", visible(.0.message()))]
    Refused(Box<Status>),
    /// The daemon's answer makes no sense.
    #[error("error: the daemon's answer cannot be used: {0}")]
    Answer(String),
    /// The operating system refused an operation.
    #[error("error: {doing}: {source}")]
    System {
        /// The operation that failed.
        doing: String,
        /// The error that the operating system returned.
        source: io::Error,
    },
    /// Standard output can't be written.
    #[error("error: cannot write the output: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// What a status of the daemon at `address` means.
    pub(crate) fn from_status(status: Status, address: &Address) -> Self {
        if is_lost(&status) {
            return Self::unreachable(&status, status.message(), address);
        }
        let faults = violations(&status);
        if status.code() == Code::InvalidArgument && !faults.is_empty() {
            return Self::Faults(faults);
        }
        if status.code() == Code::InvalidArgument {
            return Self::Input(visible(status.message()).into_owned());
        }
        Self::Refused(Box::new(status))
    }

    /// No daemon answers at `address`: the root cause of `error`, or `message` where it has none.
    pub(crate) fn unreachable(error: &dyn Error, message: &str, address: &Address) -> Self {
        let mut reason = message.to_owned();
        let mut next = error.source();
        while let Some(error) = next {
            reason = error.to_string();
            next = error.source();
        }
        Self::Unreachable { address: address.clone(), reason: visible(&reason).into_owned() }
    }

    /// Whether nothing is printed: the reader of the output has gone, as `head` does.
    pub fn is_silent(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// The exit code of an ending.
pub fn exit_code(ended: &Result<Ending, Failure>) -> u8 {
    match ended {
        Ok(Ending::Done) => 0,
        Err(failure) if failure.is_silent() => 0,
        Ok(Ending::Failed) => 1,
        Err(Failure::Faults(_) | Failure::Input(_)) => 2,
        Ok(Ending::Saturated) => 3,
        Err(Failure::Unreachable { .. }) => 4,
        Err(Failure::Refused(_) | Failure::Answer(_) | Failure::System { .. } | Failure::Output(_)) => 5,
        Ok(Ending::Missed | Ending::Worse | Ending::NoRoom) => 6,
        Ok(Ending::Interrupted) => 130,
    }
}

/// Whether a status means that the connection to the daemon failed, and is not its response to the request.
///
/// A status that came over the wire has no source; one that the transport made has.
pub(crate) fn is_lost(status: &Status) -> bool {
    status.code() == Code::Unavailable || status.source().is_some()
}

/// The field violations of a status.
pub(crate) fn violations(status: &Status) -> Vec<Fault> {
    let faults = status.get_details_bad_request().into_iter().flat_map(|details| details.field_violations);
    faults
        .map(|it| Fault { field: visible(&it.field).into_owned(), description: visible(&it.description).into_owned() })
        .collect()
}

/// Faults, one on a line.
struct Lines<'a>(&'a [Fault]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Fault { field, description }) in self.0.iter().enumerate() {
            let line_end = if index == 0 { "" } else { "\n" };
            write!(formatter, "{line_end}{field}: {description}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
