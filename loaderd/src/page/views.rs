//! The answers: the page, a run's report, a comparison.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, State},
    response::{Html, IntoResponse as _, Response},
};
use bytes::Bytes;
use http::{StatusCode, Uri};
use loader_report::live;

use super::{
    gate::Viewer,
    handles::Inner,
    headers,
    list::{self, Question},
    reports::{Compared, Unmade},
};
use crate::{
    id::{InvalidRunId, RunId},
    registry::{RegistryError, Selector},
};

/// Most runs of a comparison.
const MOST_COMPARED: usize = 64;

/// The page.
pub(super) async fn index(State(page): State<Arc<Inner>>, Extension(viewer): Extension<Viewer>, uri: Uri) -> Response {
    let (snapshot, _) = page.live.fresh().await;
    match list::list(&page, Question::of(uri.query().unwrap_or_default())).await {
        Ok((runs, search)) => {
            let runs = live::runs(&runs, &search);
            let version = env!("CARGO_PKG_VERSION");
            Html(live::page(&page.host, version, &snapshot.parts, &runs, viewer.session.is_some())).into_response()
        }
        Err(error) => unknown(&error),
    }
}

/// The report of a run.
pub(super) async fn report(
    State(page): State<Arc<Inner>>,
    Extension(viewer): Extension<Viewer>,
    Path(run): Path<String>,
) -> Response {
    let run = match find(&page, &run).await {
        Ok(run) => run,
        Err(refused) => return refused,
    };
    if !run.has_ended {
        let text = "Its report is there when it has. Until then the page shows its figures.";
        return said(StatusCode::CONFLICT, &format!("{} has not ended", run.label), text);
    }
    made(page.reports.report(&viewer.caller.name, run.id, run.directory).await)
}

/// The comparison of the runs that were ticked.
pub(super) async fn comparison(
    State(page): State<Arc<Inner>>,
    Extension(viewer): Extension<Viewer>,
    uri: Uri,
) -> Response {
    const TITLE: &str = "Nothing is compared";
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for (name, run) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        let group = match &*name {
            "a" => &mut a,
            "b" => &mut b,
            _ => continue,
        };
        match find(&page, &run).await {
            Ok(run) => group.push(run),
            Err(refused) => return refused,
        }
        if a.len() + b.len() > MOST_COMPARED {
            let text = format!("At most {MOST_COMPARED} runs are compared here; loaderctl compare takes more.");
            return said(StatusCode::BAD_REQUEST, TITLE, &text);
        }
    }
    if a.is_empty() || b.is_empty() {
        return said(StatusCode::BAD_REQUEST, TITLE, "Tick at least one run as A and one as B.");
    }
    let both: Vec<_> = b.iter().filter(|run| a.iter().any(|other| other.id == run.id)).collect();
    if let Some(run) = both.first() {
        return said(StatusCode::BAD_REQUEST, TITLE, &format!("Run {} is in both groups.", run.id));
    }
    made(page.reports.comparison(&viewer.caller.name, a, b).await)
}

/// A run by its id.
async fn find(page: &Inner, run: &str) -> Result<Compared, Response> {
    let id: RunId = run
        .parse()
        .map_err(|error: InvalidRunId| said(StatusCode::NOT_FOUND, "There is no such run", &format!("{error}.")))?;
    let view = page.registry.watch(Selector::Id(id.clone())).await.map_err(|error| unknown(&error))?.borrow().clone();
    let file = &view.file;
    let label = if file.name.is_empty() { id.to_string() } else { file.name.clone() };
    let directory = page.store.directory(&id).path().to_owned();
    Ok(Compared { id, label, directory, has_ended: file.state.is_terminal() })
}

fn made(page: Result<Bytes, Unmade>) -> Response {
    match page {
        Ok(page) => {
            let mut response = Html(page).into_response();
            headers::sandbox(&mut response);
            response
        }
        Err(unmade) => {
            let status = match &unmade {
                Unmade::Busy => StatusCode::SERVICE_UNAVAILABLE,
                Unmade::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
                Unmade::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
            };
            said(status, "There is no report", &unmade.to_string())
        }
    }
}

fn unknown(error: &RegistryError) -> Response {
    let (status, title) = match error {
        RegistryError::ShuttingDown => (StatusCode::SERVICE_UNAVAILABLE, "The daemon ends"),
        RegistryError::NotFound(_) => (StatusCode::NOT_FOUND, "There is no such run"),
        RegistryError::Empty
        | RegistryError::KeyTaken(_)
        | RegistryError::QueueFull
        | RegistryError::NotEnded { .. }
        | RegistryError::NotOwner { .. }
        | RegistryError::Pinned(_)
        | RegistryError::Store(_) => (StatusCode::INTERNAL_SERVER_ERROR, "That did not work"),
    };
    said(status, title, &format!("{error}."))
}

fn said(status: StatusCode, title: &str, text: &str) -> Response {
    (status, Html(live::message(title, text))).into_response()
}
