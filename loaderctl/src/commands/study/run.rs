//! `study run` and `study watch`: queues a study, and follows it.

use loader_proto::v1::{GetStudyRequest, SubmitStudyRequest};

use super::{
    follow::{self, Following},
    hooks::Hooks,
    prepare::prepare,
};
use crate::{
    Ending, Failure,
    cli::{StudyArgument, StudyRunArguments, StudyWatchArguments},
    commands::session::Session,
    output::{self, Format, note},
};

/// Queues a study, and optionally follows it. With commands of this machine it is followed in any case.
pub(in crate::commands) async fn run(session: &Session, arguments: StudyRunArguments) -> Result<Ending, Failure> {
    let StudyRunArguments { study, watch, wait, reuse, junit, hooks } = arguments;
    let hooks = Hooks::of(hooks);
    if junit.is_some() && !watch && !wait && hooks.is_none() {
        return Err(Failure::Input(
            "--junit needs --watch or --wait: expectations are judged at the end of each run".to_owned(),
        ));
    }
    let (daemon, study) = prepare(session, &study).await?;
    let request = SubmitStudyRequest {
        study: Some(study),
        reuse,
        client_before_run: hooks.as_ref().is_some_and(|hooks| hooks.before.is_some()),
        client_after_run: hooks.as_ref().is_some_and(|hooks| hooks.after.is_some()),
    };
    let answer = daemon.api.clone().submit_study(request).await.map_err(|status| daemon.failure(status))?.into_inner();
    let study = answer.study.clone().unwrap_or_default();
    if !watch && !wait && hooks.is_none() {
        match session.format {
            // For scripts: STUDY=$(loaderctl study run ...)
            Format::Table => output::text(&study.study_id)?,
            Format::Json => output::message(&answer)?,
        }
        return Ok(Ending::Done);
    }
    if session.format == Format::Table {
        note(&format!("study {}", study.study_id));
    }
    let mut view = if watch { follow::view(session) } else { follow::silent() };
    let following = Following { view: &mut view, hooks, junit: junit.as_deref() };
    follow::to_end(session, &daemon, &study.study_id, following).await
}

/// Follows a study to its end.
pub(in crate::commands) async fn watch(session: &Session, arguments: StudyWatchArguments) -> Result<Ending, Failure> {
    let StudyWatchArguments { study: StudyArgument { study }, junit, hooks } = arguments;
    let daemon = session.daemon().await?;
    // "latest" may mean another study later.
    let got = daemon.api.clone().get_study(GetStudyRequest { study_id: study }).await;
    let study = got.map_err(|status| daemon.failure(status))?.into_inner().study.unwrap_or_default();
    let view = &mut follow::view(session);
    let following = Following { view, hooks: Hooks::of(hooks), junit: junit.as_deref() };
    follow::to_end(session, &daemon, &study.study_id, following).await
}
