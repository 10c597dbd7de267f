//! `report`: runs as one HTML file.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use loader_report::page;
use serde_json::json;

use super::{run_files, session::Session};
use crate::{
    Ending, Failure,
    cli::ReportArguments,
    output::{self, Format, note},
};

/// Writes the report.
pub(super) async fn report(session: &Session, arguments: ReportArguments) -> Result<Ending, Failure> {
    let ReportArguments { runs, to, open } = arguments;
    let runs = run_files::read(session, &runs).await?;
    let html = page::html(&runs);
    run_files::write(&to, html.as_bytes())?;
    let verdicts: Vec<_> = runs.iter().map(|run| (run.label(), page::judged(run))).collect();
    match session.format {
        Format::Table => {
            for (label, (_, verdict)) in &verdicts {
                note(&if runs.len() == 1 { verdict.clone() } else { format!("{label}: {verdict}") });
            }
            output::text(&to.display().to_string())?;
        }
        Format::Json => {
            let verdicts = verdicts
                .iter()
                .map(|(label, (is_good, verdict))| json!({ "run": label, "good": is_good, "verdict": verdict }));
            let verdicts: Vec<_> = verdicts.collect();
            let file = json!({ "file": to.display().to_string(), "bytes": html.len(), "runs": verdicts });
            output::json(&file)?;
        }
    }
    if open {
        show(&to);
    }
    Ok(Ending::Done)
}

/// Shows a file in the browser. That there is none is no failure: the file is there.
pub(super) fn show(path: &Path) {
    let opened =
        Command::new("xdg-open").arg(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !opened.is_ok_and(|status| status.success()) {
        note(&format!("no browser could be started; open {} in one", path.display()));
    }
}
