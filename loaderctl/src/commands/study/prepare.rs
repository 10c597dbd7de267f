//! A study file, read and completed with the uploads of its traces.

use loader_proto::{json::Fault, v1::StudySpec};

use crate::{
    Failure,
    cli::StudyFileArguments,
    client::Daemon,
    commands::{prepare::options, session::Session},
    output::note,
    study::StudyDraft,
    upload::{Refused, TraceFiles, upload},
};

/// Reads a study file and uploads its traces.
pub(super) async fn prepare(session: &Session, file: &StudyFileArguments) -> Result<(Daemon, StudySpec), Failure> {
    let draft = StudyDraft::read(file)?;
    let traces = trace_files(&draft)?;
    let daemon = session.daemon().await?;
    let mut ids = Vec::with_capacity(traces.len());
    for (name, files) in traces {
        let id = upload(&daemon, files).await?;
        note(&format!("{name} is uploaded as {id}"));
        ids.push(id);
    }
    Ok((daemon, draft.with_uploads(&ids)))
}

/// The files of each trace, with the name that the study has for it.
fn trace_files(draft: &StudyDraft) -> Result<Vec<(String, TraceFiles)>, Failure> {
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    let options = options(&draft.base());
    for trace in draft.traces.all() {
        match TraceFiles::find(&trace.path, &options) {
            Ok(files) => found.push((trace.name.clone(), files)),
            Err(refused) => faults.extend(refused.into_iter().map(|Refused { option, reason }| Fault {
                field: option.map_or_else(|| trace.place.clone(), |option| format!("base.trace.{option}")),
                description: reason,
            })),
        }
    }
    if faults.is_empty() { Ok(found) } else { Err(Failure::Faults(faults)) }
}
