//! The commands on traces: each reads, makes something of it, and writes or prints that, without a daemon; but for those on
//! uploaded traces.

mod describe;
mod diff;
mod edit;
mod files;
mod fit;
mod map;
mod sample;
mod synth;

use super::{session::Session, traces};
use crate::{Ending, Failure, cli::TraceCommand};

/// Carries out a command on traces.
pub(super) async fn run(session: &Session, command: TraceCommand) -> Result<Ending, Failure> {
    let format = session.format;
    match command {
        TraceCommand::List => traces::list(session).await,
        TraceCommand::Delete(arguments) => traces::delete(session, arguments).await,
        TraceCommand::Synth(arguments) => synth::synth(*arguments),
        TraceCommand::Describe(arguments) => describe::describe(format, arguments),
        TraceCommand::Sample(arguments) => sample::sample(format, *arguments),
        TraceCommand::Slice(arguments) => edit::slice(*arguments),
        TraceCommand::Convert(arguments) => edit::convert(*arguments),
        TraceCommand::Merge(arguments) => edit::merge(arguments),
        TraceCommand::Split(arguments) => edit::split(*arguments),
        TraceCommand::Diff(arguments) => diff::diff(format, arguments),
        TraceCommand::Scale(arguments) => edit::scale(*arguments),
        TraceCommand::Fit(arguments) => fit::fit(*arguments),
        TraceCommand::Map(arguments) => map::map(format, *arguments),
    }
}
