//! The address of the live page.

use loader_proto::v1;
use prost_types::Duration;
use tokio::time::Instant;
use tonic::{Request, Status};

use crate::{
    access::{Caller, Credentials},
    listener::Accepted,
    page::Entrance,
};

/// The address, for the caller of a request.
pub(super) fn address<T>(
    entrance: Option<&Entrance>,
    request: &Request<T>,
    now: Instant,
) -> Result<v1::CreatePageAddressResponse, Status> {
    let entrance = entrance.ok_or_else(|| {
        Status::failed_precondition(
            "there is no page: metrics_listen and [http] page in the daemon's configuration say where it is",
        )
    })?;
    let (Some(caller), Some(accepted)) = (request.extensions().get::<Caller>(), request.extensions().get::<Accepted>())
    else {
        return Err(Status::unauthenticated("the caller is unknown"));
    };
    let authorization = request.metadata().get("authorization").map(|value| value.as_encoded_bytes());
    let credentials = Credentials::of(&accepted.peer, authorization);
    let credentials = credentials.map_err(|refusal| Status::unauthenticated(refusal.to_string()))?;
    let opened = entrance.open(credentials, &caller.name, now);
    let (address, seconds) = opened.map_err(|full| Status::resource_exhausted(full.to_string()))?;
    let expires_in = seconds.map(|seconds| Duration { seconds: crate::units::to_i64(seconds), nanos: 0 });
    Ok(v1::CreatePageAddressResponse { address, expires_in })
}
