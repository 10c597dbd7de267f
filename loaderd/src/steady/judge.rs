//! The judgement of a window, and of a sequence of windows.

use std::{fmt, time::Duration};

use super::{Adf, Trend, adf, trend};

/// Minimum length of a window.
pub const LEAST: Duration = Duration::from_secs(60);

/// Fewest values of a window.
pub const FEWEST: usize = 200;

/// Most looks of one sequence.
pub const LOOKS: u32 = 10;

/// Most values that are tested for a unit root: a longer series is thinned. It keeps a look below a second.
const MOST: usize = 5000;

/// The error that all looks share: the chance that a series with a unit root is found steady in any of them.
const ERROR: f64 = 0.05;

/// The level of significance of a trend.
const TREND: f64 = 0.05;

/// A value above so many times the median is a spike.
const SPIKE: f64 = 3.0;

/// By so many standard deviations the numbers of spikes in two halves differ in one of twenty steady series.
const DIFFERENCE: f64 = 1.96;

/// By how much a level may change, as a share of the lower one.
const LEVEL: f64 = 0.2;

/// The same in a window that no other precedes, so that its own halves are all that tells.
const FIRST_LEVEL: f64 = LEVEL / 2.0;

/// What a look at a window found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Finding {
    /// The series has settled.
    Steady {
        /// The test by which a unit root was rejected; absent where all values are the same.
        test: Option<Adf>,
    },
    /// The level is another than in the first half of the window, or than in the window before.
    LevelChanged {
        /// The level before the change, in the unit of the values.
        from: f64,
        /// The level after the change, in the unit of the values.
        to: f64,
    },
    /// Values far above the median are more frequent in one half of the window than in the other: cold starts that become rare.
    Spiking {
        /// Their number in the first half.
        before: usize,
        /// Their number in the second half.
        after: usize,
    },
    /// The level rises or falls.
    Trending(Trend),
    /// The series may be wandering: a unit root was not rejected.
    Wandering {
        /// The test; absent where it can't be made.
        test: Option<Adf>,
    },
    /// Fewer than [`FEWEST`] values.
    TooFew,
}

impl Finding {
    /// Whether the series has settled.
    pub fn is_steady(&self) -> bool {
        matches!(self, Self::Steady { .. })
    }

    /// The unit root test, where the look came to it.
    pub fn test(&self) -> Option<Adf> {
        match self {
            Self::Steady { test } | Self::Wandering { test } => *test,
            Self::LevelChanged { .. } | Self::Spiking { .. } | Self::Trending(_) | Self::TooFew => None,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steady { .. } => f.write_str("steady"),
            Self::LevelChanged { from, to } => write!(f, "the level changed by a factor of {:.2}", to / from),
            Self::Spiking { before, after } => {
                write!(
                    f,
                    "values of more than {SPIKE} times the median: {before} in the first half, {after} in the second"
                )
            }
            Self::Trending(Trend { slope, p_value, .. }) => {
                let way = if *slope < 0.0 { "falls" } else { "rises" };
                write!(f, "the level {way} (Mann-Kendall p {p_value:.4})")
            }
            Self::Wandering { test: Some(Adf { p_value, .. }) } => {
                write!(f, "a unit root is not rejected (Dickey-Fuller p {p_value:.4})")
            }
            Self::Wandering { test: None } => f.write_str("a unit root cannot be tested"),
            Self::TooFew => f.write_str("too few values"),
        }
    }
}

/// A sequence of looks at one series.
#[derive(Debug, Clone, Copy)]
pub struct Looks {
    interval: Duration,
    /// When the window began.
    begin: Duration,
    /// When the last look was made.
    last: Duration,
    made: u32,
    /// The level of the window before.
    previous: Option<f64>,
}

impl Looks {
    /// Looks at a series that may take as long as `longest` to settle. Times count from its begin.
    pub fn over(longest: Duration) -> Self {
        let interval = LEAST.max(longest / LOOKS);
        Self { interval, begin: Duration::ZERO, last: Duration::ZERO, made: 0, previous: None }
    }

    /// When the window under way began.
    pub fn window(&self) -> Duration {
        self.begin
    }

    /// Whether it is time for a look, at a window with so many values until now.
    pub fn is_due(&self, now: Duration, values: usize) -> bool {
        self.made < LOOKS && now.saturating_sub(self.last) >= self.interval && values >= FEWEST
    }

    /// Looks at the values of the window until `now`.
    pub fn look(&mut self, now: Duration, window: &[f64]) -> Finding {
        self.made += 1;
        self.last = now;
        let level = if self.previous.is_some() { LEVEL } else { FIRST_LEVEL };
        let finding = judge(window, self.previous, level, ERROR / f64::from(LOOKS));
        if !matches!(finding, Finding::Wandering { .. }) {
            self.previous = mean(window);
            self.begin = now;
        }
        finding
    }
}

/// The judgement of a series as a whole, by one look.
pub fn overall(series: &[f64]) -> Finding {
    judge(series, None, LEVEL, ERROR)
}

/// Judges a window after one with the level `previous`, whose level may change by the share `level`. A unit root must be rejected at
/// the significance `alpha`.
fn judge(window: &[f64], previous: Option<f64>, level: f64, alpha: f64) -> Finding {
    if window.len() < FEWEST {
        return Finding::TooFew;
    }
    let (first, second) = window.split_at(window.len() / 2);
    let levels = [(mean(first), mean(second)), (median(first), median(second)), (previous, mean(window))];
    for (from, to) in levels {
        if let (Some(from), Some(to)) = (from, to)
            && (to - from).abs() > level * from.abs().min(to.abs())
        {
            return Finding::LevelChanged { from, to };
        }
    }
    if let Some((before, after)) = spikes(first, second).filter(|&(before, after)| differ(before, after)) {
        return Finding::Spiking { before, after };
    }
    match trend(window) {
        // The values are all the same.
        None => return Finding::Steady { test: None },
        Some(trend) if trend.is_significant(TREND) => return Finding::Trending(trend),
        Some(_) => {}
    }
    let thinned: Vec<f64> = window.iter().copied().step_by(window.len().div_ceil(MOST)).collect();
    match adf(&thinned) {
        test @ Some(Adf { p_value, .. }) if p_value <= alpha => Finding::Steady { test },
        test => Finding::Wandering { test },
    }
}

/// The numbers of spikes in the two halves of a window.
fn spikes(first: &[f64], second: &[f64]) -> Option<(usize, usize)> {
    let bound = SPIKE * median(&[first, second].concat())?;
    let count = |half: &[f64]| half.iter().filter(|&&value| value > bound).count();
    Some((count(first), count(second)))
}

/// Whether two counts differ by more than chance; each is about as variable as it is great.
fn differ(one: usize, other: usize) -> bool {
    (one.abs_diff(other) as f64) > DIFFERENCE * ((one + other) as f64).sqrt()
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steady::series::{KINDS, Series, UNSTEADY};

    /// How a sequence of looks at a series ends: the look that found it steady, and the window's begin.
    fn settled(series: &Series) -> Option<(u32, Duration)> {
        let mut looks = Looks::over(series.length());
        for second in 1..=series.length().as_secs() {
            let now = Duration::from_secs(second);
            let window = series.between(looks.window(), now);
            let begin = looks.window();
            if looks.is_due(now, window.len()) && looks.look(now, window).is_steady() {
                return Some((looks.made, begin));
            }
        }
        None
    }

    #[test]
    fn what_is_steady_is_found_within_three_windows_and_nothing_else_is() {
        for kind in KINDS {
            let found = (0..12).filter(|seed| {
                let series = Series::of(kind, *seed, 20.0);
                match settled(&series) {
                    Some((_, begin)) if UNSTEADY.contains(&kind) => !series.has_settled_at(begin),
                    Some((look, _)) => look <= 3,
                    None => false,
                }
            });
            let found = found.count();
            // Of the bounds of 90 and 5 %, with room for chance; `examples/steady_state.rs` counts many more.
            let ok = if UNSTEADY.contains(&kind) { found <= 2 } else { found >= 10 };
            assert!(ok, "{kind}: {found} of 12");
        }
    }

    #[test]
    fn a_window_has_its_length_and_its_values() {
        let looks = Looks::over(Duration::from_secs(600));
        assert!(!looks.is_due(Duration::from_secs(59), 10_000));
        assert!(!looks.is_due(Duration::from_secs(300), 199));
        assert!(looks.is_due(Duration::from_secs(60), 200));
        // Ten looks in an hour lie six minutes apart.
        let looks = Looks::over(Duration::from_hours(1));
        assert!(!looks.is_due(Duration::from_secs(359), 10_000) && looks.is_due(Duration::from_secs(360), 200));
    }

    #[test]
    fn a_window_grows_while_only_a_unit_root_is_in_doubt_and_else_begins_anew() {
        let mut looks = Looks::over(Duration::from_secs(600));
        let level = |at: f64, seed: u64| -> Vec<f64> {
            Series::of("white", seed, 10.0).between(Duration::ZERO, LEAST).iter().map(|value| at * value).collect()
        };
        let [one, two, three] = [60, 120, 180].map(Duration::from_secs);
        let halves = [level(1.0, 1), level(2.0, 2)].concat();
        assert!(matches!(looks.look(one, &halves), Finding::LevelChanged { .. }));
        assert_eq!(looks.window(), one);
        // The window before had another level.
        assert!(matches!(looks.look(two, &level(3.0, 3)), Finding::LevelChanged { .. }));
        assert_eq!(looks.window(), two);
        let walks = (0..20).map(|seed| Series::of("slow walk", seed, 10.0));
        let findings: Vec<_> =
            walks.map(|walk| Looks::over(LEAST).look(one, walk.between(Duration::ZERO, one))).collect();
        assert!(findings.iter().any(|it| matches!(it, Finding::Wandering { .. })), "{findings:?}");
        assert!(findings.iter().filter(|it| it.is_steady()).count() <= 1, "{findings:?}");
        assert!(looks.look(three, &level(3.0, 4)).is_steady());
        assert!(!looks.is_due(three + LEAST - Duration::from_secs(1), 1000));
        let mut looks = Looks::over(Duration::from_secs(600));
        let place = findings.iter().position(|it| matches!(it, Finding::Wandering { .. })).unwrap();
        let walk = Series::of("slow walk", place as u64, 10.0);
        looks.look(one, walk.between(Duration::ZERO, one));
        assert_eq!(looks.window(), Duration::ZERO, "the window grows");
    }

    #[test]
    fn spikes_that_become_rare_are_no_steady_state_though_the_level_stays() {
        // The level of the second half is nearly that of the first with its spikes.
        let half = |spikes: usize, value: f64| (0..300).map(move |at| if at < spikes { 4.0 } else { value });
        let becomes_rare: Vec<_> = half(30, 1.0).chain(half(0, 1.15)).collect();
        assert_eq!(
            overall(&becomes_rare).to_string(),
            "values of more than 3 times the median: 30 in the first half, 0 in the second"
        );
        assert_eq!(overall(&becomes_rare), Finding::Spiking { before: 30, after: 0 });
        for (before, after, differs) in [(0, 0, false), (10, 4, false), (16, 4, true), (4, 16, true), (100, 80, false)]
        {
            assert_eq!(differ(before, after), differs, "{before} {after}");
        }
    }

    #[test]
    fn few_values_tell_nothing_and_equal_ones_are_steady() {
        assert_eq!(overall(&[1.0; 199]), Finding::TooFew);
        assert_eq!(overall(&[1.0; 200]), Finding::Steady { test: None });
        assert_eq!(overall(&[]), Finding::TooFew);
    }
}
