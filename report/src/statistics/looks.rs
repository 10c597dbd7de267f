//! When enough runs of a cell have been made: once the interval of a median is narrow enough.
//!
//! Who looks after each run stops where chance made the interval narrow, and misses the truth more often than the interval says. So the
//! looks are fixed beforehand: they double from the least number of runs to the greatest, and each has an equal part of the 5 % (Bonferroni).
//! What is shown in the end is the interval of that level, too.
//!
//! ```text
//! atLeast 5, atMost 20 ─▶ looks after 7, 14 and 20 runs at 98.3 % each: of fewer runs there is no such interval
//! ```

use super::{ALPHA, Interval, median, median_interval_at};

/// A rule by which a cell has enough runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Until {
    half_width: f64,
    looks: Vec<u32>,
}

/// What follows from a look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decision {
    /// More runs, until the next look.
    GoOn,
    /// The interval is narrow enough.
    Narrow(Interval),
    /// It is not, or there is none, but this was the last look.
    Last,
}

impl Until {
    /// A rule: at least and at most so many runs, until half the interval of the median is at most this share of it.
    ///
    /// # Errors
    /// Numbers that make no rule: which, and why.
    pub fn new(half_width: f64, at_least: u32, at_most: u32) -> Result<Self, String> {
        if !(half_width > 0.0 && half_width < 1.0) {
            return Err("halfWidth: must be above 0 % and below 100 %".to_owned());
        }
        if at_least == 0 || at_most < at_least {
            return Err(format!(
                "atMost: is {at_most}; must be at least atLeast, which is {at_least}, and that at least 1"
            ));
        }
        let looks = looks(at_least, at_most);
        let fewest = fewest(ALPHA / looks.len() as f64);
        if at_most < fewest {
            return Err(format!("atMost: is {at_most}; of fewer than {fewest} runs there is no interval of a median"));
        }
        Ok(Self { half_width, looks })
    }

    /// After how many runs of a cell there is a look, in rising order. The last is the greatest number of runs.
    pub fn looks(&self) -> &[u32] {
        &self.looks
    }

    /// With which chance the interval of one look may miss the median: all of them together with 5 % at most.
    pub fn alpha(&self) -> f64 {
        ALPHA / self.looks.len() as f64
    }

    /// What follows from a look, by its number from 0, at the figure's values so far: those of runs that were left out are not among them.
    pub fn look(&self, number: usize, values: &[f64]) -> Decision {
        let interval = median_interval_at(values, self.alpha());
        let is_narrow = |it: &Interval| median(values).is_some_and(|median| self.is_narrow(*it, median));
        match interval.filter(is_narrow) {
            Some(interval) => Decision::Narrow(interval),
            None if number + 1 >= self.looks.len() => Decision::Last,
            None => Decision::GoOn,
        }
    }

    /// A figure that is zero in all runs is as certain as can be.
    fn is_narrow(&self, interval: Interval, median: f64) -> bool {
        (interval.high - interval.low) / 2.0 <= self.half_width * median.abs()
    }
}

/// The looks: at first where there is an interval, then after twice as many runs each.
fn looks(at_least: u32, at_most: u32) -> Vec<u32> {
    let mut looks = doubling(at_least, at_most);
    // The more looks, the more runs the first one needs; and fewer looks are left the later it is.
    for _turn in 0..u32::BITS {
        let first = at_least.max(fewest(ALPHA / looks.len() as f64)).min(at_most);
        let next = doubling(first, at_most);
        if next == looks {
            break;
        }
        looks = next;
    }
    looks
}

fn doubling(first: u32, last: u32) -> Vec<u32> {
    let mut looks: Vec<u32> =
        std::iter::successors(Some(first.max(1)), |look| look.checked_mul(2)).take_while(|look| *look < last).collect();
    looks.push(last);
    looks
}

/// The least number of values of which there is an interval of the median that misses it with this chance: 2^(1 − n) is at most that.
fn fewest(alpha: f64) -> u32 {
    (1..=u32::BITS)
        .find(|count| 0.5_f64.powi(i32::try_from(*count).unwrap_or(i32::MAX) - 1) <= alpha)
        .unwrap_or(u32::BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_fixed_and_the_first_one_is_where_there_is_an_interval() {
        for (at_least, at_most, expected) in [
            (5, 20, vec![7, 14, 20]),
            (10, 40, vec![10, 20, 40]),
            (6, 6, vec![6]),
            (5, 6, vec![6]),
            (1, 100, vec![8, 16, 32, 64, 100]),
        ] {
            let until = Until::new(0.05, at_least, at_most).expect("a rule");
            assert_eq!(until.looks(), expected, "{at_least} to {at_most}");
            let first = vec![1.0; expected[0] as usize];
            assert!(median_interval_at(&first, until.alpha()).is_some(), "{at_least} to {at_most}");
        }
    }

    #[test]
    fn what_makes_no_rule_is_refused() {
        for (half_width, at_least, at_most, expected) in [
            (0.0, 5, 20, "halfWidth"),
            (1.0, 5, 20, "halfWidth"),
            (f64::NAN, 5, 20, "halfWidth"),
            (0.05, 0, 20, "atMost"),
            (0.05, 10, 9, "atMost"),
            (0.05, 3, 5, "atMost: is 5; of fewer than"),
        ] {
            let fault = Until::new(half_width, at_least, at_most).expect_err("no rule");
            assert!(fault.starts_with(expected), "{fault}");
        }
    }

    #[test]
    fn it_goes_on_until_the_interval_is_narrow_or_the_last_look_is_over() {
        let until = Until::new(0.05, 5, 20).expect("a rule");
        let spread = |by: f64, count: u32| (0..count).map(|at| 100.0 + by * f64::from(at % 5)).collect::<Vec<_>>();
        assert!(matches!(until.look(0, &spread(1.0, 7)), Decision::Narrow(it) if it.holds(102.0)));
        assert_eq!(until.look(0, &spread(20.0, 7)), Decision::GoOn);
        assert_eq!(until.look(2, &spread(20.0, 20)), Decision::Last);
        // Left-out runs: of too few values there is no interval.
        assert_eq!((until.look(0, &spread(0.0, 6)), until.look(2, &[])), (Decision::GoOn, Decision::Last));
        assert!(matches!(until.look(0, &[0.0; 7]), Decision::Narrow(_)));
    }
}
