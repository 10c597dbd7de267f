//! `trace list` and `trace delete`: what was uploaded to the daemon.

use loader_proto::v1::{DeleteTraceRequest, ListTracesRequest, ListTracesResponse};

use super::session::Session;
use crate::{
    Ending, Failure,
    cli::DeleteTracesArguments,
    client::Daemon,
    output::{self, Format},
    render,
};

/// Traces in one response of the daemon.
const PAGE: u32 = 1000;

/// Letters of a whole id.
const WHOLE: usize = 64;

/// Lists all traces.
pub(super) async fn list(session: &Session) -> Result<Ending, Failure> {
    let listed = all(&session.daemon().await?).await?;
    session.print(&listed, |listed| render::traces(&listed.traces))
}

/// Removes traces one after the other, up to the first that is refused.
pub(super) async fn delete(session: &Session, arguments: DeleteTracesArguments) -> Result<Ending, Failure> {
    let daemon = session.daemon().await?;
    for trace in arguments.traces {
        let trace_id = if trace.len() < WHOLE { resolve(&all(&daemon).await?, &trace)? } else { trace };
        let request = DeleteTraceRequest { trace_id: trace_id.clone() };
        let answer = daemon.api.clone().delete_trace(request).await.map_err(|status| daemon.failure(status))?;
        match session.format {
            Format::Table => output::text(&format!("{trace_id} removed"))?,
            Format::Json => output::line(answer.get_ref())?,
        }
    }
    Ok(Ending::Done)
}

async fn all(daemon: &Daemon) -> Result<ListTracesResponse, Failure> {
    let mut listed = ListTracesResponse::default();
    loop {
        let request = ListTracesRequest { page_size: PAGE, page_token: listed.next_page_token };
        let page = daemon.api.clone().list_traces(request).await.map_err(|status| daemon.failure(status))?.into_inner();
        listed.traces.extend(page.traces);
        listed.next_page_token = page.next_page_token;
        if listed.next_page_token.is_empty() {
            return Ok(listed);
        }
    }
}

/// The id that begins so.
fn resolve(listed: &ListTracesResponse, beginning: &str) -> Result<String, Failure> {
    let mut ids: Vec<_> = listed.traces.iter().map(|trace| &trace.trace_id).collect();
    ids.retain(|id| id.starts_with(beginning));
    ids.dedup();
    match ids.as_slice() {
        [id] => Ok((*id).clone()),
        [] => Err(Failure::Input(format!("no uploaded trace begins with {beginning:?}: see loaderctl trace list"))),
        ids => {
            Err(Failure::Input(format!("{} uploaded traces begin with {beginning:?}: give more of the id", ids.len())))
        }
    }
}

#[cfg(test)]
mod tests {
    use loader_proto::v1::UploadedTrace;

    use super::*;

    #[test]
    fn the_beginning_of_an_id_is_enough_where_no_other_shares_it() {
        let trace = |id: &str| UploadedTrace { trace_id: id.to_owned(), ..UploadedTrace::default() };
        // Two uploads of the same trace are one id.
        let traces = ["ab1", "ab2", "ab2", "c"].map(trace).into();
        let listed = ListTracesResponse { traces, next_page_token: String::new() };
        assert_eq!(resolve(&listed, "ab2").unwrap(), "ab2");
        assert_eq!(resolve(&listed, "c").unwrap(), "c");
        for (beginning, message) in [("a", "2 uploaded traces begin with"), ("d", "no uploaded trace begins with")] {
            let refused = resolve(&listed, beginning).unwrap_err().to_string();
            assert!(refused.contains(message), "{refused}");
        }
    }
}
