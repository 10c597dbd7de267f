//! How certain a figure is within one run. It says how precisely this run was measured, and not how the next would come out.

use loader_proto::v1;

use super::{
    measure::{MEASURES, Measure},
    part::Part,
};
use crate::{
    aggregate::Bin,
    run::Run,
    statistics::{Interval, Span, block_length, moving_blocks},
};

/// How an interval within a run was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// By drawing blocks of that many seconds.
    Blocks(f64),
    /// By order statistics, as if invocations did not depend on each other: the run is too short for blocks.
    Independent,
}

/// An interval within a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Within {
    /// The interval, in the unit of the figure.
    pub interval: Interval,
    /// How it was found.
    pub method: Method,
}

/// Most stretches that the time of a run is cut into.
const STRETCHES: usize = 600;

/// Values are taken together in classes of 0.2 % width.
const CLASS: f64 = 1.002;

/// The interval of a figure within a run; absent where the run is too short, or has too few values.
pub(super) fn within(run: &Run, measure: &Measure) -> Option<Within> {
    let by_blocks = measure.part.and_then(|part| by_blocks(run, part));
    by_blocks.or_else(|| {
        let v1::Interval { low, high } = (measure.interval)(run.summary()?)?;
        let interval = Interval { low: low as f64, high: high as f64 };
        Some(Within { interval, method: Method::Independent })
    })
}

/// How precisely a run measured the figures that are compared by default, by blocks; without those that it is too short for.
pub(crate) fn precision(run: &Run) -> Vec<(&'static Measure, Within)> {
    let known = MEASURES.iter().filter(|measure| measure.is_default);
    known.filter_map(|measure| Some((measure, by_blocks(run, measure.part?)?))).collect()
}

fn by_blocks(run: &Run, part: Part) -> Option<Within> {
    let bins = measured(run);
    let taken = bins.len().div_ceil(STRETCHES).max(1);
    let stretches: Vec<&[&Bin]> = bins.chunks_exact(taken).collect();
    let length = block_length(&stretches.iter().map(|bins| level(bins, part)).collect::<Vec<_>>())?;
    let interval = match part {
        Part::Response(share) => {
            let sums = Sums::of(&stretches);
            moving_blocks(stretches.len(), length, |spans| sums.percentile(spans, share))
        }
        Part::Failed => shares(&stretches, length, |bin| (bin.failed.iter().sum(), bin.due)),
        Part::Cold => shares(&stretches, length, |bin| (bin.cold, bin.told)),
    };
    let seconds = length as f64 * taken as f64 * run.rows.series.width();
    Some(Within { interval: interval?, method: Method::Blocks(seconds) })
}

/// The bins that lie within measured slots.
fn measured(run: &Run) -> Vec<&Bin> {
    let half = run.rows.series.width() / 2.0;
    let slots: Vec<(f64, f64)> = run
        .samples
        .slots
        .iter()
        .filter(|slot| slot.phase == "measure")
        .map(|slot| {
            let from = run.since_start(slot.start_unix_us);
            (from, from + slot.duration_us as f64 / 1e6)
        })
        .collect();
    let (Some(from), Some(to)) =
        (slots.iter().map(|it| it.0).reduce(f64::min), slots.iter().map(|it| it.1).reduce(f64::max))
    else {
        return Vec::new();
    };
    let bins = run.rows.series.bins();
    bins.filter(|(at, _)| at - half >= from - 1e-6 && at + half <= to + 1e-6).map(|(_, bin)| bin).collect()
}

/// Where the values of a stretch lie, for how long they depend on each other.
fn level(bins: &[&Bin], part: Part) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for bin in bins {
        let (more, of) = match part {
            Part::Response(_) => {
                let steps = bin.response.steps();
                (steps.iter().map(|(value, count)| value.max(1.0).ln() * *count as f64).sum(), bin.response.count())
            }
            Part::Failed => (bin.failed.iter().sum::<u64>() as f64, bin.due),
            Part::Cold => (bin.cold as f64, bin.told),
        };
        sum += more;
        count += of as f64;
    }
    if count > 0.0 { sum / count } else { 0.0 }
}

fn shares(stretches: &[&[&Bin]], length: usize, of: impl Fn(&Bin) -> (u64, u64)) -> Option<Interval> {
    let mut sums = vec![(0_u64, 0_u64)];
    for bins in stretches {
        let (part, whole) = *sums.last()?;
        let (more, of) = bins.iter().map(|bin| of(bin)).fold((part, whole), |sum, it| (sum.0 + it.0, sum.1 + it.1));
        sums.push((more, of));
    }
    moving_blocks(stretches.len(), length, |spans| {
        let count =
            |of: fn(&(u64, u64)) -> u64| spans.iter().map(|(from, to)| of(&sums[*to]) - of(&sums[*from])).sum::<u64>();
        let (part, whole) = (count(|it| it.0), count(|it| it.1));
        (whole > 0).then(|| part as f64 / whole as f64)
    })
}

/// How many values there are up to each class and each stretch, so that a percentile of any spans needs no sorting.
struct Sums {
    /// The value of each class.
    classes: Vec<f64>,
    /// For the begin of each stretch, and the end of the last: the values before it, up to each class.
    before: Vec<Vec<u64>>,
}

impl Sums {
    fn of(stretches: &[&[&Bin]]) -> Self {
        let class = |value: f64| crate::number::place(value.max(1.0).ln() / CLASS.ln());
        let steps: Vec<Vec<(usize, u64)>> = stretches
            .iter()
            .map(|bins| {
                bins.iter().flat_map(|bin| bin.response.steps()).map(|(value, count)| (class(value), count)).collect()
            })
            .collect();
        let mut numbers: Vec<usize> = steps.iter().flatten().map(|(class, _)| *class).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut before = vec![vec![0; numbers.len()]];
        for steps in &steps {
            let mut here = vec![0; numbers.len()];
            for (class, count) in steps {
                if let Ok(place) = numbers.binary_search(class) {
                    here[place] += count;
                }
            }
            let mut up_to = 0;
            let last = before.last().map_or(&[][..], Vec::as_slice);
            let sums = here.iter().zip(last).map(|(here, last)| {
                up_to += here;
                up_to + last
            });
            before.push(sums.collect());
        }
        Self { classes: numbers.into_iter().map(|class| CLASS.powf(class as f64)).collect(), before }
    }

    fn percentile(&self, spans: &[Span], share: f64) -> Option<f64> {
        let up_to = |class: usize| {
            spans.iter().map(|(from, to)| self.before[*to][class] - self.before[*from][class]).sum::<u64>()
        };
        let count = up_to(self.classes.len().checked_sub(1)?);
        let rank = crate::statistics::told_rank(share, count)?;
        let (mut low, mut high) = (0, self.classes.len() - 1);
        while low < high {
            let middle = usize::midpoint(low, high);
            if up_to(middle) >= rank { high = middle } else { low = middle + 1 }
        }
        self.classes.get(low).copied()
    }
}
