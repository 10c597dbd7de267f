//! `trace synth`: makes up a trace, without a daemon.

use std::path::Path;
use std::time::Duration;

use loader_trace::synth::like::{Like, Model};
use loader_trace::{Arrivals, Synth, SynthError, Trace, edit};

use super::files::{Writing, failure};
use super::fit::model;
use crate::cli::{Granularity, OutputFormat, SynthArguments};
use crate::{Ending, Failure, output::note};

/// Generates a trace into a directory.
pub(super) fn synth(arguments: SynthArguments) -> Result<Ending, Failure> {
    match arguments.like.clone() {
        Some(path) => like(arguments, &path),
        None => published(arguments),
    }
}

/// By the published statistics.
fn published(arguments: SynthArguments) -> Result<Ending, Failure> {
    let SynthArguments { functions, minutes, rate, like: _, granularity, seed, to, force, format } = arguments;
    // The flags are required where there is nothing to follow.
    let (functions, minutes) = (functions.unwrap_or_default(), minutes.unwrap_or_default());
    let synth = Synth { functions, minutes, target_rate: rate.unwrap_or_default(), seed };
    let is_plain = granularity == Granularity::Minute && format == OutputFormat::Azure2019Preprocessed;
    if is_plain {
        // Function by function, so that any size fits into memory.
        synth.write(&to, force).map_err(refused)?;
        note(&format!("a trace of {functions} functions and {minutes} minutes is in {}", to.display()));
        return Ok(Ending::Done);
    }
    let trace = synth.trace().map_err(refused)?;
    let trace = match granularity {
        Granularity::Minute => trace,
        Granularity::Second => edit::refine(&trace, Duration::from_secs(1), Arrivals::Poisson, seed)
            .map_err(|error| Failure::Input(error.to_string()))?,
    };
    written(&Writing::to_files(to, force, format, seed), trace)
}

/// By a model.
fn like(arguments: SynthArguments, path: &Path) -> Result<Ending, Failure> {
    let SynthArguments { functions, minutes, rate, like: _, granularity, seed, to, force, format } = arguments;
    let model: Model = model(path)?;
    let unit = match granularity {
        Granularity::Minute => Duration::from_mins(1),
        Granularity::Second => Duration::from_secs(1),
    };
    let functions = functions.unwrap_or(model.functions);
    let minutes = minutes.unwrap_or(model.minutes);
    let each = model.mean_rate / f64::from(model.functions.max(1));
    let like = Like {
        functions,
        units: minutes.saturating_mul(if granularity == Granularity::Second { 60 } else { 1 }),
        unit,
        rate: rate.unwrap_or(each * f64::from(functions)),
        model,
        exact: format == OutputFormat::Azure2021,
        seed,
    };
    let trace = like.make().map_err(|error| Failure::Input(error.to_string()))?;
    written(&Writing::to_files(to, force, format, seed), trace)
}

fn written(writing: &Writing, trace: Trace) -> Result<Ending, Failure> {
    writing.write_one(trace)?;
    Ok(Ending::Done)
}

fn refused(error: SynthError) -> Failure {
    let text = error.to_string();
    match error {
        SynthError::Empty | SynthError::Rate(_) | SynthError::RateTooLow { .. } => Failure::Input(text),
        SynthError::Write(error) => failure(error),
    }
}
