//! A plan, invocation by invocation.

use std::convert::Infallible;

use futures_util::Stream;
use loader_proto::v1;
use tonic::Status;

use super::pieces::pieces;
use crate::{
    control::{convert, permits::Permit, status},
    plan::{Plan, SlotOutcome},
    run::Preparation,
};

/// Most invocations in one response.
const BATCH: usize = 1000;

/// The invocations of a plan.
///
/// # Errors
/// INVALID_ARGUMENT for a plan that depends on the outcomes of its slots.
pub(in crate::control) fn plan(
    preparation: Preparation,
    permit: Permit,
) -> Result<impl Stream<Item = Result<v1::StreamPlanResponse, Status>> + Send, Status> {
    let Preparation { spec: _, mut plan, outline: _ } = preparation;
    if let Some(violation) = plan.undetermined() {
        return Err(status::invalid(&[violation]));
    }
    Ok(pieces(permit, move |sink| {
        write(&mut *plan, sink);
        Ok::<_, Infallible>(())
    }))
}

fn write(plan: &mut dyn Plan, sink: &mut dyn FnMut(v1::StreamPlanResponse) -> std::ops::ControlFlow<()>) {
    let names: Vec<_> = plan.functions().iter().map(|function| function.name.clone()).collect();
    // A determined plan has the same slots whatever their outcomes.
    let mut previous = None;
    while let Some(slot) = plan.next_slot(previous.as_ref()) {
        previous = Some(SlotOutcome::default());
        let index = slot.index;
        let mut invocations =
            slot.invocations.map(|invocation| convert::planned(&invocation, index, &names)).peekable();
        while invocations.peek().is_some() {
            let batch = invocations.by_ref().take(BATCH).collect();
            if sink(v1::StreamPlanResponse { invocations: batch }).is_break() {
                return;
            }
        }
    }
}
