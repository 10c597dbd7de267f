//! `invoke`: a single invocation.

use loader_proto::v1::InvokeRequest;

use super::session::Session;
use crate::{Ending, Failure, cli::InvokeArguments, render};

/// The status of a successful invocation.
const OK: &str = "ok";

/// Makes an invocation. A failed one is printed as well, and shows in the exit code.
pub(super) async fn invoke(session: &Session, arguments: InvokeArguments) -> Result<Ending, Failure> {
    let InvokeArguments { target, authority, runtime, memory, timeout } = arguments;
    let request = InvokeRequest {
        address: target,
        authority: authority.unwrap_or_default(),
        runtime,
        memory_mib: memory.unwrap_or_default(),
        timeout,
    };
    let daemon = session.daemon().await?;
    let answer = daemon.api.clone().invoke(request).await.map_err(|status| daemon.failure(status))?.into_inner();
    let record = answer.record.clone().unwrap_or_default();
    session.print(&answer, |answer| render::record(&answer.record.clone().unwrap_or_default()))?;
    Ok(if record.status == OK { Ending::Done } else { Ending::Failed })
}
