//! `study list`, `get`, `cancel` and `delete`.

use loader_proto::v1::{
    CancelStudyRequest, DeleteStudyRequest, GetStudyRequest, ListStudiesRequest, ListStudiesResponse, StudyState,
};

use super::{
    follow::{self, Following},
    plan::SHOWN,
};
use crate::{
    Ending, Failure,
    cli::{StudyCancelArguments, StudyDeleteArguments, StudyGetArguments, StudyListArguments},
    commands::session::Session,
    output::{self, Format},
    render,
};

/// Maximum number of studies in one response of the daemon.
const PAGE: usize = 1000;

/// Lists studies, page by page.
pub(in crate::commands) async fn list(session: &Session, arguments: &StudyListArguments) -> Result<Ending, Failure> {
    let daemon = session.daemon().await?;
    let mut listed = ListStudiesResponse::default();
    while listed.studies.len() < arguments.limit {
        let page_size = u32::try_from((arguments.limit - listed.studies.len()).min(PAGE)).unwrap_or_default();
        let request = ListStudiesRequest { page_size, page_token: listed.next_page_token };
        let page = daemon.api.clone().list_studies(request).await.map_err(|status| daemon.failure(status))?;
        let page = page.into_inner();
        listed.studies.extend(page.studies);
        listed.next_page_token = page.next_page_token;
        if listed.next_page_token.is_empty() {
            break;
        }
    }
    session.print(&listed, |listed| render::studies(&listed.studies))
}

/// Prints a study.
pub(in crate::commands) async fn get(session: &Session, arguments: StudyGetArguments) -> Result<Ending, Failure> {
    let StudyGetArguments { study, all } = arguments;
    let daemon = session.daemon().await?;
    let request = GetStudyRequest { study_id: study.study };
    let got = daemon.api.clone().get_study(request).await.map_err(|status| daemon.failure(status))?.into_inner();
    let shown = if all { usize::MAX } else { SHOWN };
    session.print(&got, |got| render::study(&got.study.clone().unwrap_or_default(), shown))
}

/// Ends a study early. With `--wait`, a cancelled study is a success.
pub(in crate::commands) async fn cancel(session: &Session, arguments: StudyCancelArguments) -> Result<Ending, Failure> {
    let StudyCancelArguments { study, wait } = arguments;
    let daemon = session.daemon().await?;
    let request = CancelStudyRequest { study_id: study.study };
    let answer = daemon.api.clone().cancel_study(request).await.map_err(|status| daemon.failure(status))?.into_inner();
    let study = answer.study.clone().unwrap_or_default();
    let has_ended = [StudyState::Succeeded, StudyState::Failed, StudyState::Cancelled].contains(&study.state());
    if wait && !has_ended {
        let following = Following { view: &mut follow::silent(), hooks: None, junit: None };
        let ended = follow::to_end(session, &daemon, &study.study_id, following).await?;
        return Ok(if ended == Ending::Interrupted { ended } else { Ending::Done });
    }
    session.print(&answer, |answer| render::study_line(&answer.study.clone().unwrap_or_default()))
}

/// Removes studies one after the other, up to the first that is refused.
pub(in crate::commands) async fn delete(session: &Session, arguments: StudyDeleteArguments) -> Result<Ending, Failure> {
    let daemon = session.daemon().await?;
    for study in arguments.studies {
        let study_id = if study == "latest" {
            let got = daemon.api.clone().get_study(GetStudyRequest { study_id: study }).await;
            got.map_err(|status| daemon.failure(status))?.into_inner().study.unwrap_or_default().study_id
        } else {
            study
        };
        let request = DeleteStudyRequest { study_id: study_id.clone() };
        let answer = daemon.api.clone().delete_study(request).await.map_err(|status| daemon.failure(status))?;
        match session.format {
            Format::Table => output::text(&format!("{study_id} removed"))?,
            Format::Json => output::line(answer.get_ref())?,
        }
    }
    Ok(Ending::Done)
}
