//! The apps of a made-up trace: how many functions each has, and how they rank by popularity.

use super::Synth;

/// Share of apps that have at most so many functions. Between two points the share grows with the logarithm of the size.
/// Source: Shahrad et al. 2020, figure 1; the largest size is a guess.
const SIZES: [(f64, f64); 4] = [(0.54, 1.0), (0.95, 10.0), (0.9996, 100.0), (1.0, 1000.0)];

/// An app.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct App {
    /// How many functions it has.
    pub(super) functions: u32,
    /// Its place among all apps, from 0 for the least popular.
    pub(super) rank: usize,
}

/// Draws apps until there are enough functions; the last one is cut off.
pub(super) fn draw(synth: &Synth) -> Vec<App> {
    let mut apps = Vec::new();
    let mut popularities = Vec::new();
    let mut left = synth.functions;
    for index in 0.. {
        if left == 0 {
            break;
        }
        let mut rng = synth.draws("app", index);
        let functions = size(rng.open01()).min(left);
        left -= functions;
        apps.push(App { functions, rank: 0 });
        // As popular as the most popular of its functions: the maximum of that many uniform draws. So an app of many
        // functions is rarely among those invoked least.
        popularities.push(rng.open01().powf(1.0 / f64::from(functions)));
    }
    let mut order: Vec<usize> = (0..apps.len()).collect();
    order.sort_by(|&a, &b| popularities[a].total_cmp(&popularities[b]));
    for (rank, app) in order.into_iter().enumerate() {
        apps[app].rank = rank;
    }
    apps
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
    fn has_exactly_the_functions_asked_for_and_each_rank_once() {
        for functions in [1, 2, 7, 500] {
            let apps = draw(&Synth { functions, minutes: 1, target_rate: 1000.0, seed: 1 });
            assert_eq!(apps.iter().map(|app| app.functions).sum::<u32>(), functions);
            let mut ranks: Vec<usize> = apps.iter().map(|app| app.rank).collect();
            ranks.sort_unstable();
            assert_eq!(ranks, (0..apps.len()).collect::<Vec<_>>());
        }
    }
}
