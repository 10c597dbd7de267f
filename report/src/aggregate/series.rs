//! Figures by the second. When a run has more seconds than are kept, each bin is of two of them, of four, and so on.

use super::sketch::Sketch;

/// Most bins of a run.
const MOST: usize = 7200;

/// How far from the start of the load a row may lie, in microseconds: a month. Beyond it a clock was wrong, or somebody edited the
/// file.
const FARTHEST: i64 = 31 * 86_400 * 1_000_000;

/// What was due, sent and answered in a bin.
#[derive(Debug, Clone, Default)]
pub struct Bin {
    /// Invocations that were due.
    pub due: u64,
    /// Invocations that were sent, by the instant of the send.
    pub sent: u64,
    /// Of those that were due: that failed, by the number of their status.
    pub failed: Vec<u64>,
    /// Of those that were due: cold starts.
    pub cold: u64,
    /// Of those that were due: whose function reports cold starts.
    pub told: u64,
    /// Response times of those that were due and succeeded, microseconds.
    pub response: Sketch,
    /// The loader's own lag of those that were due and sent, microseconds.
    pub own_lag: Sketch,
    /// Sum of the run times that functions measured, microseconds, of those that were due.
    pub runtime_us: f64,
    /// Number of these run times.
    pub runtimes: u64,
}

impl Bin {
    fn merge(&mut self, other: &Self) {
        self.due += other.due;
        self.sent += other.sent;
        for (number, count) in other.failed.iter().enumerate() {
            *slot(&mut self.failed, number) += count;
        }
        self.cold += other.cold;
        self.told += other.told;
        self.response.merge(&other.response);
        self.own_lag.merge(&other.own_lag);
        self.runtime_us += other.runtime_us;
        self.runtimes += other.runtimes;
    }

    /// Counts a failure with that number of a status.
    pub(super) fn fail(&mut self, status: usize) {
        *slot(&mut self.failed, status) += 1;
    }
}

/// The count with that number, which is there afterwards.
fn slot(counts: &mut Vec<u64>, number: usize) -> &mut u64 {
    if counts.len() <= number {
        counts.resize(number + 1, 0);
    }
    &mut counts[number]
}

/// Bins from one instant on, all of the same length.
#[derive(Debug, Clone)]
pub struct Series {
    t0_unix_us: i64,
    width_us: i64,
    /// The number of the first bin; 0 begins at t0.
    first: i64,
    bins: Vec<Bin>,
}

impl Series {
    /// No bins yet; bin 0 begins at `t0_unix_us`.
    pub(super) fn new(t0_unix_us: i64) -> Self {
        Self { t0_unix_us, width_us: 1_000_000, first: 0, bins: Vec::new() }
    }

    /// The bin of an instant, which is made if need be; none for one that is out of reach.
    pub(super) fn bin(&mut self, unix_us: i64) -> Option<&mut Bin> {
        let since = unix_us.checked_sub(self.t0_unix_us).filter(|since| since.abs() <= FARTHEST)?;
        loop {
            let number = since.div_euclid(self.width_us);
            if self.bins.is_empty() {
                self.first = number;
            }
            let (first, end) = (self.first.min(number), (self.first + self.len()).max(number + 1));
            if usize::try_from(end - first).is_ok_and(|bins| bins <= MOST) {
                let before = usize::try_from(self.first - first).unwrap_or_default();
                if before > 0 {
                    self.bins.splice(0..0, std::iter::repeat_with(Bin::default).take(before));
                }
                self.first = first;
                let at = usize::try_from(number - first).unwrap_or_default();
                if self.bins.len() <= at {
                    self.bins.resize_with(at + 1, Bin::default);
                }
                return self.bins.get_mut(at);
            }
            self.double();
        }
    }

    /// Makes one bin of each two.
    fn double(&mut self) {
        let mut merged: Vec<Bin> = Vec::with_capacity(self.bins.len() / 2 + 2);
        let first = self.first.div_euclid(2);
        for (number, bin) in (self.first..).zip(std::mem::take(&mut self.bins)) {
            let at = usize::try_from(number.div_euclid(2) - first).unwrap_or_default();
            match merged.get_mut(at) {
                Some(into) => into.merge(&bin),
                None => merged.push(bin),
            }
        }
        (self.first, self.bins, self.width_us) = (first, merged, self.width_us * 2);
    }

    fn len(&self) -> i64 {
        i64::try_from(self.bins.len()).unwrap_or(i64::MAX)
    }

    /// The length of a bin in seconds.
    pub fn width(&self) -> f64 {
        self.width_us as f64 / 1e6
    }

    /// The bins in order, each with its middle in seconds since t0.
    pub fn bins(&self) -> impl Iterator<Item = (f64, &Bin)> {
        (self.first..).zip(&self.bins).map(|(number, bin)| ((number as f64 + 0.5) * self.width(), bin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_lie_on_both_sides_of_the_start() {
        let mut series = Series::new(10_000_000);
        for instant in [12_500_000, 8_000_000, 12_000_000] {
            series.bin(instant).expect("a bin").due += 1;
        }
        let found: Vec<_> = series.bins().map(|(at, bin)| (at, bin.due)).collect();
        assert_eq!(found, [(-1.5, 1), (-0.5, 0), (0.5, 0), (1.5, 0), (2.5, 2)]);
        assert!(series.bin(i64::MAX).is_none() && series.bin(i64::MIN).is_none());
    }

    #[test]
    fn a_long_run_has_wider_bins_and_loses_nothing() {
        let mut series = Series::new(0);
        let seconds = 20_000;
        for second in 0..seconds {
            let bin = series.bin(second * 1_000_000).expect("a bin");
            bin.due += 1;
            bin.fail(usize::from(second % 2 == 1));
            bin.response.add(7);
        }
        assert_eq!((series.width(), series.bins.len()), (4.0, 5000));
        assert!(series.bins().all(|(_, bin)| bin.due == 4 && bin.failed == [2, 2] && bin.response.count() == 4));
    }
}
