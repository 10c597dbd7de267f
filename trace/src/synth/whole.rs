//! Rounding a sequence of numbers.

/// Rounds a sequence so that every partial sum is its own, rounded: nothing is lost over many. A value of at least a whole
/// number gives at least that.
#[derive(Debug, Default)]
pub(super) struct Whole {
    sum: f64,
    given: u64,
}

impl Whole {
    /// The next of the sequence.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of positive numbers, rounded")]
    pub(super) fn next(&mut self, value: f64) -> u64 {
        self.sum += value;
        let whole = (self.sum.round() as u64).saturating_sub(self.given);
        self.given += whole;
        whole
    }
}
