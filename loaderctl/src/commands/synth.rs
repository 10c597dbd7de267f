//! `trace synth`: makes up a trace, without a daemon.

use std::io;

use loader_trace::{Synth, SynthError};

use crate::{Ending, Failure, cli::SynthArguments, output::note};

/// Generates a trace into a directory.
pub(super) fn synth(arguments: SynthArguments) -> Result<Ending, Failure> {
    let SynthArguments { functions, minutes, rate, seed, to, force } = arguments;
    let synth = Synth { functions, minutes, target_rate: rate, seed };
    synth.write(&to, force).map_err(failure)?;
    note(&format!("a trace of {functions} functions and {minutes} minutes is in {}", to.display()));
    Ok(Ending::Done)
}

fn failure(error: SynthError) -> Failure {
    let doing = error.to_string();
    match error {
        SynthError::Empty | SynthError::Rate(_) | SynthError::RateTooLow { .. } => Failure::Input(doing),
        SynthError::Exists { .. } => Failure::Input(format!("{doing}; use --force to replace it")),
        SynthError::Create { source, .. } => Failure::System { doing, source },
        SynthError::Write { source, .. } => Failure::System { doing, source: io::Error::from(source) },
    }
}
