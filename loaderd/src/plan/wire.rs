//! Conversions to the API's messages that the findings of several modes share. A mode's own stand in its folder.

use loader_proto::v1;

use crate::histogram::Distribution;

/// A distribution as the API has it.
pub(crate) fn distribution(distribution: &Distribution) -> v1::Distribution {
    let &Distribution { count, mean, p50, p90, p95, p99, p999, max } = distribution;
    v1::Distribution { count, mean, p50, p90, p95, p99, p999, max }
}
