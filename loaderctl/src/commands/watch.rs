//! `watch`: follows a run to its end, then prints its summary.

use std::{
    io::{IsTerminal as _, stderr},
    path::{Path, PathBuf},
};

use loader_proto::{
    json::visible,
    v1::{Run, WatchRunRequest, WatchRunResponse},
};

use super::{run_files, session::Session};
use crate::{
    Ending, Failure,
    cli::{RunArgument, WatchArguments},
    client::Daemon,
    junit,
    output::{self, Format, note},
    render,
    watch::{JsonLines, Lines, Live, View, follow},
};

/// What is done once a run that was followed has ended.
#[derive(Debug, Clone, Default)]
pub(super) struct AtEnd {
    /// Whether failed invocations, however many, are a success.
    pub(super) allow_failed: bool,
    /// Whether intervals of percentiles are printed in any case.
    pub(super) intervals: bool,
    /// Where it is written whether expectations are met.
    pub(super) junit: Option<PathBuf>,
}

/// `watch`: follows a run to its end.
pub(super) async fn watch(session: &Session, arguments: WatchArguments) -> Result<Ending, Failure> {
    let WatchArguments { run: RunArgument { run }, printing, judging, allow_failed_invocations: allow_failed } =
        arguments;
    let at_end = AtEnd { allow_failed, intervals: printing.intervals, junit: judging.junit };
    let daemon = session.daemon().await?;
    let run = daemon.run_id(&run).await?;
    to_end(session, &daemon, &run, view(session).as_mut(), at_end).await
}

/// Writes whether the expectations of a run are met, if it is asked for.
pub(super) fn write_junit(file: Option<&Path>, run: &Run) -> Result<(), Failure> {
    match file {
        Some(file) => run_files::write(file, junit::of_run(run).as_bytes()),
        None => Ok(()),
    }
}

/// How progress is shown: live to people, as lines to logs, as messages to programs.
pub(super) fn view(session: &Session) -> Box<dyn View> {
    match session.format {
        Format::Json => Box::new(JsonLines),
        Format::Table if stderr().is_terminal() => Box::new(Live::new()),
        Format::Table => Box::new(Lines::default()),
    }
}

/// Follows a run to its end and prints its summary. Ctrl-C ends the following, not the run.
pub(super) async fn to_end(
    session: &Session,
    daemon: &Daemon,
    run: &str,
    view: &mut dyn View,
    at_end: AtEnd,
) -> Result<Ending, Failure> {
    let streams_json = view.prints_messages();
    let open = async |run_id: String| {
        let stream = daemon.api.clone().watch_run(WatchRunRequest { run_id }).await;
        stream.map(tonic::Response::into_inner)
    };
    let followed = tokio::select! {
        followed = follow(run, open, view) => Ok(followed),
        pressed = tokio::signal::ctrl_c() => Err(pressed),
    };
    view.clear();
    let run = match followed {
        Ok(followed) => followed.map_err(|lost| lost.failure(daemon))?,
        Err(pressed) => {
            pressed.map_err(|source| Failure::System { doing: "cannot wait for Ctrl-C".to_owned(), source })?;
            note(&format!("the run continues; cancel it with: loaderctl cancel {run}"));
            return Ok(Ending::Interrupted);
        }
    };
    write_junit(at_end.junit.as_deref(), &run)?;
    match session.format {
        Format::Table => shown(&run, at_end.intervals)?,
        Format::Json if streams_json => {}
        Format::Json => output::message(&WatchRunResponse { run: Some(Run::clone(&run)) })?,
    }
    Ok(Ending::of(&run, at_end.allow_failed))
}

/// Prints a run: its verdicts first, on terminals in colours.
pub(super) fn shown(run: &Run, intervals: bool) -> std::io::Result<()> {
    let run = visible(run);
    output::weighted(&render::run(&run, output::intervals(intervals)), &render::emphasis(&run))
}
