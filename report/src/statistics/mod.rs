//! Statistics of few values, one of each run: how certain a median is, and whether two groups differ.
//!
//! Pure and deterministic: resampling draws from a generator with a fixed seed. The formulas, and from where they are, stand at
//! each function and in docs/reports.md. Where values are too few there is no number: functions return nothing then.
//!
//! ```text
//! values of A, values of B ──median──▶ median of each, its interval by order statistics
//!                          ──bootstrap──▶ ratio of the medians, its interval
//!                          ──rank_sum──▶ p, effect size ──holm──▶ p of several figures
//!                          ──shift──▶ difference in the unit of the figure, its interval
//! values in cells and rounds ──two_way──▶ variance between rounds against that within, its p
//!                            ──correlation──▶ a trend over the order of the runs, its p by all orders within cells
//! values of one cell ──clusters──▶ whether they fall into two groups
//!                    ──looks──▶ whether enough of them are there
//! ```

mod blocks;
mod bootstrap;
mod clusters;
mod correlation;
mod effect;
mod holm;
mod interval;
mod level;
mod looks;
mod median;
mod orders;
mod random;
mod rank_sum;
mod ranks;
mod shift;
#[cfg(test)]
mod simulation;
mod tied;
mod two_way;

pub use blocks::{Span, block_length, moving_blocks};
pub use bootstrap::{
    DRAWS, FEWEST as FEWEST_FOR_INTERVAL, mean_ratio, range_of_ratios, ratio_of_medians, ratio_of_medians_drawn,
};
pub use clusters::{Clusters, Split};
pub use correlation::{Paired, spearman};
pub use effect::{Size, cliffs_delta, size};
pub use holm::holm;
pub use interval::Interval;
pub use level::ALPHA;
pub use looks::{Decision, Until};
pub use median::{median, median_interval, median_interval_at};
pub use random::Random;
pub use rank_sum::{least_p, p_value};
pub use ranks::{Ranks, rank, ranks, tells, told_rank};
pub use shift::{hodges_lehmann, shift_interval};
pub use two_way::{Rounds, Variances, residuals, variances};
