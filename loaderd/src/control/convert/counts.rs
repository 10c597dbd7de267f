//! Counts of invocations.

use loader_proto::v1;

use crate::record::Counts;

pub(super) fn counts(counts: &Counts) -> v1::Counts {
    let Counts { requested, issued, returned, failed, by_status } = counts;
    let (requested, issued, returned, failed) = (*requested, *issued, *returned, *failed);
    v1::Counts { requested, issued, returned, failed, by_status: by_status.clone() }
}
