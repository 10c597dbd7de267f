//! `plan`: the summary of a run's plan, and optionally a file with its invocations.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use loader_proto::v1::{PlannedInvocation, StreamPlanResponse};
use tonic::Streaming;

use super::{prepare::prepare, session::Session};
use crate::{
    Ending, Failure,
    cli::{PlanArguments, RoomArguments},
    client::Daemon,
    output::note,
    render,
};

/// Maximum number of slots and of functions shown.
const SHOWN: usize = 20;

/// The columns of the file.
const COLUMNS: [&str; 6] = ["due_ns", "function", "runtime_us", "memory_mib", "mark", "slot"];

/// Prints a plan's summary, and writes its invocations to a file where one is named.
pub(super) async fn plan(session: &Session, arguments: &PlanArguments) -> Result<Ending, Failure> {
    let PlanArguments { spec, all, write, force, room: RoomArguments { room, fail_if_no_room } } = arguments;
    if let Some(path) = write {
        refuse_existing(path, *force)?;
    }
    let prepared = prepare(session, spec).await?;
    if let Some(path) = write {
        let opened = prepared.daemon.stream_plan(prepared.spec.clone()).await;
        match opened {
            Ok(stream) => self::write(&prepared.daemon, stream, path, *force).await?,
            Err(status) => return Err(prepared.failure(status)),
        }
    }
    let planned =
        prepared.daemon.plan(prepared.spec.clone(), *room).await.map_err(|status| prepared.failure(status))?;
    let shown = if *all { usize::MAX } else { SHOWN };
    session.print(&planned, |planned| {
        let plan = planned.plan.clone().unwrap_or_default();
        let room = planned.room.as_ref().map(|room| render::room(room, &plan, shown));
        render::plan(&plan, shown) + &room.unwrap_or_default()
    })?;
    let fits = planned.room.is_some_and(|room| room.fits == Some(true));
    Ok(if *fail_if_no_room && !fits { Ending::NoRoom } else { Ending::Done })
}

/// Refuses a file that is there, before anything is planned.
fn refuse_existing(path: &Path, force: bool) -> Result<(), Failure> {
    if !force && path.symlink_metadata().is_ok() {
        return Err(Failure::Input(format!("{} exists; use --force to replace it", path.display())));
    }
    Ok(())
}

/// Writes the invocations as they arrive. The file gets its name after the last one.
async fn write(
    daemon: &Daemon,
    mut stream: Streaming<StreamPlanResponse>,
    path: &Path,
    force: bool,
) -> Result<(), Failure> {
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
    let kept = if force { file.persist(path) } else { file.persist_noclobber(path) };
    kept.map_err(|error| failed(error.error))?;
    note(&format!("{count} invocations written to {}", path.display()));
    Ok(())
}

fn cells(invocation: PlannedInvocation) -> [String; COLUMNS.len()] {
    let PlannedInvocation { due_ns, function, runtime_us, memory_mib, mark, slot } = invocation;
    [due_ns.to_string(), function, runtime_us.to_string(), memory_mib.to_string(), mark, slot.to_string()]
}
