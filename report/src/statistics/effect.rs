//! How far two groups lie apart, whatever the unit.

use super::rank_sum::pairs;

/// Cliff's δ: the share of pairs in which the value of `y` is the greater one, less the share in which it is the smaller one; 1 where
/// all of `y` is above all of `x`, −1 where it is below. Absent where a group has no value.
pub fn cliffs_delta(x: &[f64], y: &[f64]) -> Option<f64> {
    let all = (x.len() * y.len()) as f64;
    (all > 0.0).then(|| 2.0 * pairs(x, y) / all - 1.0)
}

/// An effect in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// |δ| below 0.147.
    Negligible,
    /// Below 0.33.
    Small,
    /// Below 0.474.
    Medium,
    /// From there on.
    Large,
}

impl Size {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Negligible => "negligible",
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }
}

/// The size of an effect by Cliff's δ, with the bounds of Romano et al. (2006).
pub fn size(delta: f64) -> Size {
    match delta.abs() {
        ..0.147 => Size::Negligible,
        ..0.33 => Size::Small,
        ..0.474 => Size::Medium,
        _ => Size::Large,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_have_a_direction_and_a_size() {
        let x = [101.0, 103.0, 99.0, 105.0, 102.0, 98.0, 100.0];
        let y = [104.0, 100.5, 107.0, 103.5, 106.0, 101.5, 108.0];
        let delta = cliffs_delta(&x, &y).expect("values");
        assert!((delta - 0.6327).abs() < 5e-5, "{delta}");
        assert!((cliffs_delta(&y, &x).expect("values") + delta).abs() < 1e-12);
        assert_eq!(cliffs_delta(&x, &[]), None);
        assert_eq!([0.1, -0.2, 0.4, -0.5].map(size), [Size::Negligible, Size::Small, Size::Medium, Size::Large]);
    }
}
