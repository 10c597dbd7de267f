//! How many invocations each app of a made-up trace gets.
//!
//! Apps get fixed points of the published distribution by rank rather than random ones: its tail is so heavy that with
//! random draws a handful of apps would decide the rate of the whole trace.

use super::apps::App;

/// Share of apps that are invoked at most once an hour, on average. Source: Shahrad et al. 2020, section 3.3.
const HOURLY_SHARE: f64 = 0.45;
/// Share of apps that are not popular: those invoked at most once a minute. Source: ibid.; the remaining 18.6 % make
/// 99.6 % of the invocations.
const UNPOPULAR_SHARE: f64 = 0.814;
/// Invocations a day of the least popular app.
const LEAST_DAILY: f64 = 1.0;
const HOURLY_DAILY: f64 = 24.0;
const MINUTELY_DAILY: f64 = 1440.0;
/// Bound of the search for the skew: e^60 spans every possible rate.
const MAX_SKEW: f64 = 60.0;

/// Invocations of each of `apps` in `minutes`, in their order: at least one for each function, `invocations` in sum.
pub(super) fn invocations(apps: &[App], minutes: u32, invocations: f64) -> Vec<f64> {
    let popularity = Popularity::of(apps.len());
    let days = f64::from(minutes) / 1440.0;
    let at =
        |skew: f64| apps.iter().map(move |app| (popularity.daily(app.rank, skew) * days).max(f64::from(app.functions)));
    // The sum grows with the skew, without bound, from one invocation for each function.
    let (mut low, mut high) = (-MAX_SKEW, MAX_SKEW);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if at(middle).sum::<f64>() < invocations { low = middle } else { high = middle }
    }
    at(high).collect()
}

/// Rates by rank.
#[derive(Debug, Clone, Copy)]
struct Popularity {
    unpopular: usize,
    popular: usize,
}

impl Popularity {
    /// At least the first of all apps is popular.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the number of apps")]
    fn of(apps: usize) -> Self {
        let unpopular = ((apps as f64 * UNPOPULAR_SHARE).round() as usize).min(apps.saturating_sub(1));
        Self { unpopular, popular: apps - unpopular }
    }

    /// Invocations a day of the app at `rank`. The rate of popular ones grows from once a minute by e^skew; with a skew
    /// below 0 all shrink by it.
    fn daily(self, rank: usize, skew: f64) -> f64 {
        let shrink = skew.min(0.0).exp();
        if rank >= self.unpopular {
            let part = ((rank - self.unpopular) as f64 + 0.5) / self.popular as f64;
            return MINUTELY_DAILY * shrink * (skew.max(0.0) * part).exp();
        }
        let q = (rank as f64 + 0.5) / self.unpopular as f64 * UNPOPULAR_SHARE;
        let daily = if q <= HOURLY_SHARE {
            between(LEAST_DAILY, HOURLY_DAILY, q / HOURLY_SHARE)
        } else {
            between(HOURLY_DAILY, MINUTELY_DAILY, (q - HOURLY_SHARE) / (UNPOPULAR_SHARE - HOURLY_SHARE))
        };
        daily * shrink
    }
}

/// From `low` to `high`, even in the logarithm.
fn between(low: f64, high: f64, part: f64) -> f64 {
    low * (high / low).powf(part)
}
