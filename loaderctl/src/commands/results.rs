//! `results`: the files of a run, all of them or none.

use serde_json::json;

use super::{
    fetch::{Fetched, Folder, fetch},
    session::Session,
};
use crate::{
    Ending, Failure,
    check::{Checker, Fault},
    cli::ResultsArguments,
    output::{self, Format},
    render,
};

/// The layout that is the run's directory, and has a manifest.
const NATIVE: &str = "native";

/// Fetches the files of a run into a directory.
pub(super) async fn results(session: &Session, arguments: ResultsArguments) -> Result<Ending, Failure> {
    let ResultsArguments { run, to, layout, cells, force } = arguments;
    let native = layout == NATIVE;
    // Asked for a daemon first: without one, no directory is made.
    session.daemon().await?;
    let Fetched { files, checker } = fetch(session, &run.run, &layout, Folder::open(&to, cells, force)?).await?;
    // Of another layout there is no manifest.
    let faults = if native { faults(checker) } else { Vec::new() };
    faults.iter().for_each(|fault| output::note(&format!("warning: {fault}")));
    match session.format {
        Format::Table => output::text(&render::files(&to.display().to_string(), &files))?,
        Format::Json => {
            let files: Vec<_> = files.iter().map(|(name, size)| json!({ "file": name, "bytes": size })).collect();
            output::json(&json!({ "directory": to.display().to_string(), "files": files }))?;
        }
    }
    Ok(if faults.is_empty() { Ending::Done } else { Ending::Failed })
}

/// What is wrong with what came.
fn faults(checker: Checker) -> Vec<Fault> {
    match checker.finish() {
        Ok(checked) => checked.faults,
        // A run that was cancelled before its turn has none.
        Err(fault) => {
            output::note(&format!("not checked: {fault}"));
            Vec::new()
        }
    }
}
