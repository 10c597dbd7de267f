//! Following a study to its end: how its progress is shown, and what is done when the connection is lost.

use std::{
    io::{IsTerminal as _, stderr},
    path::Path,
};

use indicatif::{ProgressBar, ProgressStyle};
use loader_proto::{
    json::visible,
    v1::{Study, StudyState, WatchStudyRequest, WatchStudyResponse},
};
use tokio_stream::StreamExt as _;

use super::{
    hooks::Hooks,
    plan::SHOWN,
    results::{self, AtEnd},
};
use crate::{
    Ending, Failure,
    client::Daemon,
    commands::{run_files, session::Session},
    ending::is_lost,
    output::{self, Format, note},
    render,
    watch::PAUSES,
};

/// What is drawn on a terminal.
const TEMPLATE: &str = "{prefix} [{bar:20}] {wide_msg}";

/// How the progress of a study is shown.
#[derive(Debug)]
pub(super) enum View {
    /// Not at all.
    Silent,
    /// Each message on standard output, for programs.
    JsonLines,
    /// A line on standard error for each change, for logs.
    Lines { last: String },
    /// A bar on a terminal.
    Live(ProgressBar),
}

/// A view that shows nothing.
pub(super) fn silent() -> View {
    View::Silent
}

/// How progress is shown: live to people, as lines to logs, as messages to programs.
pub(super) fn view(session: &Session) -> View {
    match session.format {
        Format::Json => View::JsonLines,
        Format::Table if stderr().is_terminal() => View::Live(ProgressBar::no_length()),
        Format::Table => View::Lines { last: String::new() },
    }
}

impl View {
    fn show(&mut self, message: &WatchStudyResponse) -> Result<(), Failure> {
        let Some(study) = &message.study else { return Ok(()) };
        match self {
            Self::Silent => {}
            Self::JsonLines => output::line(message)?,
            Self::Lines { last } => {
                let line = render::study_line(&visible(study));
                if *last != line {
                    note(&line);
                    *last = line;
                }
            }
            Self::Live(bar) => {
                let progress = study.progress.clone().unwrap_or_default();
                let style = ProgressStyle::with_template(TEMPLATE).map_err(std::io::Error::other)?;
                bar.set_style(style.progress_chars("=> "));
                bar.set_length(progress.runs.into());
                bar.set_position((progress.samples + progress.failed + progress.left_out + progress.not_made).into());
                bar.set_prefix(study.state().as_str_name().trim_start_matches("STUDY_STATE_").to_owned());
                bar.set_message(render::study_stage(&visible(study)));
                bar.tick();
            }
        }
        Ok(())
    }

    fn clear(&self) {
        if let Self::Live(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// What is done while a study is followed, and at its end.
pub(super) struct Following<'a> {
    /// How its progress is shown.
    pub(super) view: &'a mut View,
    /// The commands of this machine that it waits for.
    pub(super) hooks: Option<Hooks>,
    /// Where its expectations go as JUnit XML.
    pub(super) junit: Option<&'a Path>,
}

/// Follows a study to its end and prints it. Ctrl-C ends the following, not the study.
pub(super) async fn to_end(
    session: &Session,
    daemon: &Daemon,
    study: &str,
    following: Following<'_>,
) -> Result<Ending, Failure> {
    let Following { view, mut hooks, junit } = following;
    let followed = tokio::select! {
        followed = follow(daemon, study, view, hooks.as_mut()) => Some(followed),
        pressed = tokio::signal::ctrl_c() => {
            pressed.map_err(|source| Failure::System { doing: "cannot wait for Ctrl-C".to_owned(), source })?;
            None
        }
    };
    view.clear();
    let Some(followed) = followed else {
        let waiting = if hooks.is_some() { ", and waits for its commands: follow it with study watch" } else { "" };
        note(&format!("the study continues{waiting}; cancel it with: loaderctl study cancel {study}"));
        return Ok(Ending::Interrupted);
    };
    let ended = followed?;
    let AtEnd { shown: results, missed, xml } = Box::pin(results::at_end(daemon, ended.clone())).await?;
    if let Some(file) = junit {
        run_files::write(file, xml.as_bytes())?;
    }
    match session.format {
        Format::Table => {
            output::text(&render::study(&visible(&ended), SHOWN))?;
            output::text(&format!("\n{results}"))?;
        }
        Format::Json if matches!(view, View::JsonLines) => {}
        Format::Json => output::message(&WatchStudyResponse { study: Some(ended.clone()) })?,
    }
    if missed > 0 {
        note(&format!("{missed} of the runs do not meet their expectations"));
        return Ok(Ending::Missed);
    }
    Ok(Ending::of_study(&ended))
}

/// Shows a study until it has ended, and gives its last state. When the stream is cut off, it is opened anew a few times.
async fn follow(
    daemon: &Daemon,
    study: &str,
    view: &mut View,
    mut hooks: Option<&mut Hooks>,
) -> Result<Study, Failure> {
    let mut pauses = PAUSES.iter();
    loop {
        let opened = daemon.api.clone().watch_study(WatchStudyRequest { study_id: study.to_owned() }).await;
        let cut = match opened {
            Ok(answer) => {
                let mut states = answer.into_inner();
                loop {
                    match states.next().await {
                        Some(Ok(message)) => {
                            pauses = PAUSES.iter();
                            view.show(&message)?;
                            let study = message.study.unwrap_or_default();
                            if has_ended(&study) {
                                return Ok(study);
                            }
                            if let Some(hooks) = hooks.as_deref_mut() {
                                hooks.answer(daemon, &study).await?;
                            }
                        }
                        Some(Err(status)) => break status,
                        None => break tonic::Status::unavailable("the stream ended"),
                    }
                }
            }
            Err(status) => status,
        };
        match pauses.next() {
            Some(pause) if is_lost(&cut) => {
                if !matches!(view, View::Silent | View::JsonLines) {
                    note(&format!("connection lost; trying again in {} s", pause.as_secs()));
                }
                tokio::time::sleep(*pause).await;
            }
            _ => return Err(daemon.failure(cut)),
        }
    }
}

fn has_ended(study: &Study) -> bool {
    [StudyState::Succeeded, StudyState::Failed, StudyState::Cancelled].contains(&study.state())
}
