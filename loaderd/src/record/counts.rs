//! Counts of invocations.

use std::collections::BTreeMap;

use super::Row;

/// Counts of invocations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Invocations that came due.
    pub requested: u64,
    /// Invocations that were sent.
    pub issued: u64,
    /// Invocations that were answered, well or not.
    pub returned: u64,
    /// Invocations with any status but ok.
    pub failed: u64,
    /// Invocations by status, as in invocations.csv.
    pub by_status: BTreeMap<String, u64>,
}

impl Counts {
    pub(super) fn add(&mut self, row: &Row) {
        self.requested += 1;
        self.issued += u64::from(row.outcome.sent.is_some());
        self.returned += u64::from(row.outcome.response.is_some());
        self.failed += u64::from(!row.succeeded());
        let status = row.outcome.status.as_str();
        match self.by_status.get_mut(&*status) {
            Some(count) => *count += 1,
            None => drop(self.by_status.insert(status.into_owned(), 1)),
        }
    }
}
