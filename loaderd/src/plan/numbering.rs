//! Numbers invocations in the order in which they come due.

use super::{InvocationId, Offset, Unit};

/// Gives each invocation of a plan its id.
#[derive(Debug)]
pub struct Numbering {
    last: InvocationId,
    fresh: bool,
}

impl Numbering {
    /// Of a plan that has given none yet.
    pub fn new(of: Unit) -> Self {
        Self { last: InvocationId { of, unit: 0, number: 0 }, fresh: true }
    }

    /// The id of the next invocation, which is due then.
    pub fn next(&mut self, due: Offset) -> InvocationId {
        let unit = InvocationId::unit_of(self.last.of, due);
        let number = if self.fresh || unit != self.last.unit { 0 } else { self.last.number + 1 };
        self.fresh = false;
        self.last = InvocationId { unit, number, ..self.last };
        self.last
    }
}
