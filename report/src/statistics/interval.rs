//! An interval.

/// From one value to another, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its lower bound.
    pub low: f64,
    /// Its upper bound.
    pub high: f64,
}

impl Interval {
    /// Whether a value lies in it.
    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Whether all of it lies between one factor and its inverse: what it is the interval of differs by less than `margin`, a share.
    pub fn is_within(&self, margin: f64) -> bool {
        self.low >= 1.0 / (1.0 + margin) && self.high <= 1.0 + margin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_needs_all_of_the_interval_within_the_margin() {
        for (low, high, expected) in
            [(0.96, 1.04, true), (0.953, 1.05, true), (0.95, 1.04, false), (0.96, 1.06, false), (1.01, 1.02, true)]
        {
            assert_eq!(Interval { low, high }.is_within(0.05), expected, "{low} {high}");
        }
    }
}
