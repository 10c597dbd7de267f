//! Whether a plan fits its platform.

use loader_proto::v1;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{convert, status};
use crate::{
    platform::Platforms,
    run::{Preparation, RoomQuestion},
};

/// Whether a plan fits its platform. What a platform does not know, or can't be asked for now, is said in the answer.
///
/// # Errors
/// A client that has left meanwhile.
pub(super) async fn of(
    preparation: Preparation,
    platforms: &Platforms,
    left: CancellationToken,
) -> Result<v1::PlanRoom, Status> {
    let name = preparation.spec.platform.as_str();
    let Some(allocate) = platforms.get(name).and_then(|platform| platform.allocate()) else {
        return Ok(convert::unknown_room(format!("the platform {name} does not know its room")));
    };
    let allocatable = tokio::select! {
        allocatable = allocate.allocatable() => allocatable,
        () = left.cancelled() => return Err(gone()),
    };
    let question = RoomQuestion::new(preparation);
    let known = allocatable.and_then(|room| Ok((room, allocate.requests(question.functions())?)));
    let (allocatable, requests) = match known {
        Ok(known) => known,
        Err(error) => return Ok(convert::unknown_room(error.to_string())),
    };
    let answered = tokio::task::spawn_blocking(move || {
        let fitting = question.answer(&allocatable, &requests, &|| !left.is_cancelled())?;
        Some(convert::known_room(&allocatable, &fitting))
    });
    answered.await.map_err(|error| status::broken(&error))?.ok_or_else(gone)
}

fn gone() -> Status {
    Status::cancelled("the client has left")
}
