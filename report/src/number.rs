//! Conversions of numbers that never fail.

/// A number that is not negative, as a whole one.
pub(crate) fn whole(number: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
    let whole = number.round() as u64;
    whole
}

/// The same, as a place in a list.
pub(crate) fn place(number: f64) -> usize {
    usize::try_from(whole(number)).unwrap_or(usize::MAX)
}
