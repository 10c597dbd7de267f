//! `check`: verifies results against the manifest of their run.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

use loader_proto::v1::DownloadResultsRequest;
use serde_json::json;

use super::session::Session;
use crate::{
    Ending, Failure,
    check::{Checked, Checker, Fault},
    cli::CheckArguments,
    output::{self, Format},
    render,
};

/// Bytes read at once.
const PIECE: usize = 1 << 18;

/// Checks a directory of results, or the files of a run on the daemon.
pub(super) async fn check(session: &Session, arguments: CheckArguments) -> Result<Ending, Failure> {
    let target = arguments.target;
    let path = Path::new(&target);
    let checker = if path.is_dir() { directory(path)? } else { run(session, target.clone()).await? };
    let checked = checker.finish();
    match session.format {
        Format::Table => output::text(&render::checked(&checked))?,
        Format::Json => output::json(&json(&target, &checked))?,
    }
    Ok(match checked {
        Ok(checked) if checked.faults.is_empty() => Ending::Done,
        Ok(_) | Err(_) => Ending::Failed,
    })
}

fn directory(path: &Path) -> Result<Checker, Failure> {
    let mut checker = Checker::of_directory();
    for entry in fs::read_dir(path).map_err(unreadable(path))? {
        let entry = entry.map_err(unreadable(path))?;
        let path = entry.path();
        if path.is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            take(&mut checker, &name, &path).map_err(unreadable(&path))?;
        }
    }
    Ok(checker)
}

fn take(checker: &mut Checker, name: &str, path: &Path) -> io::Result<()> {
    let mut file = File::open(path)?;
    checker.take(name, &[]);
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece)?;
        match piece.get(..read) {
            Some(data) if !data.is_empty() => checker.take(name, data),
            _ => return Ok(()),
        }
    }
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Failure {
    move |source| Failure::System { doing: format!("cannot read {}", path.display()), source }
}

async fn run(session: &Session, run_id: String) -> Result<Checker, Failure> {
    let daemon = session.daemon().await?;
    let request = DownloadResultsRequest { run_id, layout: String::new() };
    let opened = daemon.api.clone().download_results(request).await.map_err(|status| daemon.failure(status))?;
    let (mut stream, mut checker) = (opened.into_inner(), Checker::default());
    while let Some(piece) = stream.message().await.map_err(|status| daemon.failure(status))? {
        checker.take(&piece.file, &piece.data);
    }
    Ok(checker)
}

fn json(target: &str, checked: &Result<Checked, Fault>) -> serde_json::Value {
    let object = |fault: &Fault| json!({ "file": fault.file, "fault": fault.description });
    match checked {
        Ok(Checked { manifest, faults, extra }) => json!({
            "target": target,
            "runId": manifest.run_id,
            "state": manifest.state().as_str_name(),
            "files": manifest.files.len(),
            "faults": faults.iter().map(object).collect::<Vec<_>>(),
            "extra": extra,
        }),
        Err(fault) => json!({ "target": target, "faults": [object(fault)] }),
    }
}
