//! How many instances functions start with.

use crate::units::{rounded, to_u32};

/// Instances for so many invocations at a time: rounded up, so that a function that is called at all has one.
pub fn needed(concurrency: f64, of_an_instance: u32) -> u32 {
    to_u32(rounded((concurrency / f64::from(of_an_instance.max(1))).ceil()))
}

/// The outcome of fitting needs into the available room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// Instances of each function, in the plan's order.
    pub scales: Vec<u32>,
    /// Instances that were needed in all.
    pub needed: u64,
}

impl Fit {
    /// Instances of all functions.
    pub fn instances(&self) -> u64 {
        self.scales.iter().map(|scale| u64::from(*scale)).sum()
    }
}

/// Fits instances of so much weight each into `room`: when they do not fit, all scales shrink in proportion, rounded down.
pub fn fit(needs: &[u32], weights: &[u64], room: Option<u64>) -> Fit {
    let needed = needs.iter().map(|need| u64::from(*need)).sum();
    let weight: u128 = needs.iter().zip(weights).map(|(need, weight)| u128::from(*need) * u128::from(*weight)).sum();
    let scales = match room {
        Some(room) if weight > u128::from(room) => {
            let shrunk = needs.iter().map(|need| u128::from(*need) * u128::from(room) / weight);
            shrunk.map(crate::units::to_u32).collect()
        }
        Some(_) | None => needs.to_vec(),
    };
    Fit { scales, needed }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn needs_follow_littles_law_rounded_up() {
        // 2 a second of 700 ms each are 1.4 at a time.
        assert_eq!([0.0, 1e-9, 1.0, 1.4].map(|concurrency| needed(concurrency, 1)), [0, 1, 1, 2]);
        assert_eq!(needed(1.4, 4), 1);
    }

    #[test]
    fn what_does_not_fit_shrinks_in_proportion() {
        assert_eq!(fit(&[4, 2, 1], &[100, 100, 100], Some(700)).scales, [4, 2, 1]);
        let fit = fit(&[4, 2, 1], &[100, 100, 100], Some(400));
        assert_eq!((fit.scales.as_slice(), fit.needed, fit.instances()), (&[2, 1, 0][..], 7, 3));
    }

    proptest! {
        #[test]
        fn it_always_fits(
            functions in proptest::collection::vec((0_u32..1000, 1_u64..5000), 1..50),
            room in 0_u64..1_000_000,
        ) {
            let (needs, weights): (Vec<_>, Vec<_>) = functions.into_iter().unzip();
            let fit = fit(&needs, &weights, Some(room));
            let weight: u64 = fit.scales.iter().zip(&weights).map(|(scale, weight)| u64::from(*scale) * weight).sum();
            let wanted: u64 = needs.iter().zip(&weights).map(|(need, weight)| u64::from(*need) * weight).sum();
            prop_assert!(weight <= room || wanted <= room);
            prop_assert!(fit.scales.iter().zip(&needs).all(|(scale, need)| scale <= need));
            prop_assert!(wanted > room || fit.scales == needs);
        }
    }
}
