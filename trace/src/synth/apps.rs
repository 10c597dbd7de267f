//! The apps of a made-up trace: how many functions each has.
//!
//! Sizes are fixed points of the published distribution in random order, not random draws: of a few thousand apps, random
//! shares would miss the published ones by up to two points.

use super::{Synth, draws};

/// Share of apps that have at most so many functions. Between two points the share grows with the logarithm of the size.
/// Source: Shahrad et al. 2020, figure 1, the points from 2 to 5 by the summary of M. Shilkov (mikhail.io, May 2020); the
/// largest size is a guess.
const SIZES: [(f64, f64); 7] =
    [(0.54, 1.0), (0.70, 2.0), (0.80, 3.0), (0.88, 5.0), (0.95, 10.0), (0.9996, 100.0), (1.0, 1000.0)];

/// The number of functions of each app: `synth.functions` in sum.
pub(super) fn sizes(synth: &Synth) -> Vec<u32> {
    let mut sizes = fixed_points(fewest_apps(synth.functions));
    let mut surplus = sizes.iter().sum::<u32>() - synth.functions;
    // The largest are last; they differ most from one number of apps to the next.
    for size in sizes.iter_mut().rev() {
        let less = surplus.min(*size - 1);
        *size -= less;
        surplus -= less;
    }
    draws::shuffle(&mut sizes, &mut synth.draws("app sizes", 0));
    sizes
}

/// The least number of apps that have `functions` functions together.
fn fewest_apps(functions: u32) -> u32 {
    let (mut low, mut high) = (0, functions);
    while high - low > 1 {
        let middle = u32::midpoint(low, high);
        if fixed_points(middle).iter().sum::<u32>() < functions { low = middle } else { high = middle }
    }
    high
}

/// Sizes at the middles of `apps` equal parts of the distribution, ascending.
fn fixed_points(apps: u32) -> Vec<u32> {
    (0..apps).map(|app| size((f64::from(app) + 0.5) / f64::from(apps))).collect()
}

/// The size that a share `q` of apps does not exceed.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the largest size")]
fn size(q: f64) -> u32 {
    let above = SIZES.partition_point(|&(share, _)| share < q);
    let (Some(&(high_share, high)), Some(&(low_share, low))) = (SIZES.get(above), SIZES.get(above.wrapping_sub(1)))
    else {
        return 1;
    };
    let part = (q - low_share) / (high_share - low_share);
    (low * (high / low).powf(part)).ceil() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_the_published_shares() {
        for (q, functions) in [(0.01, 1), (0.54, 1), (0.541, 2), (0.95, 10), (0.951, 11), (0.9996, 100), (1.0, 1000)] {
            assert_eq!(size(q), functions, "at {q}");
        }
    }

    #[test]
    fn apps_have_exactly_the_functions_asked_for() {
        for functions in [1, 2, 3, 7, 10, 100, 500, 10_000] {
            let sizes = sizes(&Synth { functions, minutes: 1, target_rate: 1000.0, seed: 1 });
            assert_eq!(sizes.iter().sum::<u32>(), functions);
            assert!(sizes.iter().all(|&size| size > 0));
        }
    }
}
