//! `trace fit`: the parameters of a trace.

use std::fs;
use std::path::Path;

use loader_trace::synth::like::{self, Model, ModelError};
use loader_trace::{Options, open};

use super::files::{read, write_file};
use crate::{Ending, Failure, cli::FitArguments, output, output::note};

/// What a file of parameters has and no trace does.
const MARK: &str = "\"hourlyRates\"";

/// Fits parameters, and writes or prints them.
pub(super) fn fit(arguments: FitArguments) -> Result<Ending, Failure> {
    let FitArguments { input, to, force } = arguments;
    let opened = read(&input.path, &input.reading)?;
    let text = like::fit(&opened.trace).and_then(|model| model.text()).map_err(failure)?;
    match to {
        None => output::text(&text)?,
        Some(path) => {
            write_file(&path, &text, force)?;
            note(&format!("the parameters are in {}", path.display()));
        }
    }
    Ok(Ending::Done)
}

/// The model in a file of parameters, or that of a trace.
pub(super) fn model(path: &Path) -> Result<Model, Failure> {
    let text = if path.is_file() { fs::read_to_string(path).unwrap_or_default() } else { String::new() };
    if text.contains(MARK) {
        return Model::parse(&text).map_err(failure);
    }
    let options = Options { skip_incomplete: true, ..Options::default() };
    let opened = open(path, &options).map_err(|faults| Failure::Input(faults.to_string()))?;
    like::fit(&opened.trace).map_err(failure)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn failure(error: ModelError) -> Failure {
    Failure::Input(error.to_string())
}
