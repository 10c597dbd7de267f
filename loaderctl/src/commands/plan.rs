//! `plan`: what a run would do, and, if that is wished, each invocation of it in a file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use loader_proto::v1::{PlannedInvocation, StreamPlanResponse};
use tonic::Streaming;

use super::{prepare::prepare, session::Session};
use crate::{Ending, Failure, cli::PlanArguments, client::Daemon, output::note, render};

/// Slots and functions that are shown.
const SHOWN: usize = 20;

/// The columns of the file.
const COLUMNS: [&str; 6] = ["due_ns", "function", "runtime_us", "memory_mib", "mark", "slot"];

/// Says what a run would do, and writes its plan to a file.
pub(super) async fn plan(session: &Session, arguments: &PlanArguments) -> Result<Ending, Failure> {
    let PlanArguments { spec, all, write } = arguments;
    let prepared = prepare(session, spec).await?;
    if let Some(path) = write {
        let opened = prepared.daemon.stream_plan(prepared.spec.clone()).await;
        match opened {
            Ok(stream) => self::write(&prepared.daemon, stream, path).await?,
            Err(status) => return Err(prepared.failure(status)),
        }
    }
    let planned = prepared.daemon.plan(prepared.spec.clone()).await.map_err(|status| prepared.failure(status))?;
    let shown = if *all { usize::MAX } else { SHOWN };
    session.print(&planned, |planned| render::plan(&planned.plan.clone().unwrap_or_default(), shown))
}

/// Writes each invocation as it comes. The file gets its name when the last one has come.
async fn write(daemon: &Daemon, mut stream: Streaming<StreamPlanResponse>, path: &Path) -> Result<(), Failure> {
    let failed = |source: io::Error| Failure::System { doing: format!("cannot write {}", path.display()), source };
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(PathBuf::from("."), Path::to_owned);
    fs::create_dir_all(&folder).map_err(failed)?;
    let file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let mut writer = csv::Writer::from_writer(file);
    writer.write_record(COLUMNS).map_err(|error| failed(error.into()))?;
    let mut count = 0_u64;
    while let Some(message) = stream.message().await.map_err(|status| daemon.failure(status))? {
        for invocation in message.invocations {
            count += 1;
            writer.write_record(cells(invocation)).map_err(|error| failed(error.into()))?;
        }
    }
    let file = writer.into_inner().map_err(|error| failed(error.into_error()))?;
    file.persist(path).map_err(|error| failed(error.error))?;
    note(&format!("{count} invocations are in {}", path.display()));
    Ok(())
}

fn cells(invocation: PlannedInvocation) -> [String; COLUMNS.len()] {
    let PlannedInvocation { due_ns, function, runtime_us, memory_mib, mark, slot } = invocation;
    [due_ns.to_string(), function, runtime_us.to_string(), memory_mib.to_string(), mark, slot.to_string()]
}
