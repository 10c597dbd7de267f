//! A quantity that is known per function and minute, and the distribution that it makes over a function's invocations.

use super::invocations::Invocations;
use super::minutes::Minutes;
use super::profiles::Profiles;
use super::reading::Reading;
use super::report::Reason;
use super::table::Amount;
use crate::sizes::ProfileError;

/// The quantity in each minute in which it is known, of the functions of an [`Invocations`], in their order.
pub(super) struct PerMinute {
    functions: Vec<Vec<Known>>,
    /// Whether the table could be read without a fault.
    whole: bool,
}

#[derive(Clone, Copy)]
struct Known {
    minute: usize,
    value: f64,
}

impl PerMinute {
    /// Reads a table of amounts. Columns of functions that are not in `invocations` are left out for the reason
    /// `unmatched`, if there is one.
    pub(super) fn read(
        reading: &mut Reading<'_>,
        file: &str,
        invocations: &Invocations,
        amount: Amount,
        unmatched: Option<Reason>,
    ) -> Self {
        let before = reading.faults.total;
        let mut functions = vec![Vec::new(); invocations.functions.len()];
        if let Some(minutes) = Minutes::open(reading, file) {
            let found: Vec<Option<Option<usize>>> =
                minutes.functions().map(|id| invocations.index.get(id).copied()).collect();
            if let Some(unmatched) = unmatched {
                let strange = minutes.functions().zip(&found).filter(|(_, index)| index.is_none());
                strange.for_each(|(id, _)| reading.report.add(unmatched, id));
            }
            let indices: Vec<Option<usize>> = found.into_iter().map(Option::flatten).collect();
            minutes.each(reading, |reading, minute| {
                for (index, column) in minute.cells() {
                    let Some(index) = indices[index] else { continue };
                    let Some(value) = reading.faults.take(minute.row().amount(column, amount)) else { continue };
                    functions[index].push(Known { minute: minute.number, value });
                }
            });
        }
        functions.iter_mut().for_each(|known| known.sort_by_key(|known| known.minute));
        Self { functions, whole: reading.faults.total == before }
    }

    /// Divides by another quantity in each minute in which that is known and not 0.
    pub(super) fn divide(&mut self, by: &Self) {
        for (known, divisors) in self.functions.iter_mut().zip(&by.functions) {
            for Known { minute, value } in known {
                let divisor =
                    divisors.binary_search_by_key(minute, |divisor| divisor.minute).map(|at| divisors[at].value);
                *value /= divisor.ok().filter(|&divisor| divisor > 0.0).unwrap_or(1.0);
            }
        }
        self.whole &= by.whole;
    }

    /// What `profile` makes of the quantity's values at the percentiles `at`.
    ///
    /// A minute counts as often as the function is invoked in it, so that the profile is that of invocations, as far as
    /// a value per minute shows. Where the quantity is known in none of those minutes, all minutes count alike.
    pub(super) fn profiles<P, const N: usize>(
        mut self,
        invocations: &Invocations,
        at: [u8; N],
        profile: impl Fn([f64; N]) -> Result<P, ProfileError>,
    ) -> Profiles<P> {
        let functions = invocations.functions.iter().zip(&mut self.functions);
        let found = functions.map(|(function, known)| {
            let mut weighted: Vec<(f64, u64)> =
                known.iter().map(|known| (known.value, function.load.count(known.minute).into())).collect();
            if weighted.iter().all(|&(_, weight)| weight == 0) {
                weighted.iter_mut().for_each(|(_, weight)| *weight = 1);
            }
            // The values are finite, not negative and in order, so they make a profile.
            percentiles(weighted, at).and_then(|values| profile(values).ok())
        });
        Profiles { found: found.collect(), whole: self.whole }
    }
}

/// The least value that `at` percent of the weight do not exceed; none of nothing.
fn percentiles<const N: usize>(mut weighted: Vec<(f64, u64)>, at: [u8; N]) -> Option<[f64; N]> {
    weighted.retain(|&(_, weight)| weight > 0);
    weighted.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let mut sum = 0;
    let sums: Vec<u64> = weighted
        .iter()
        .map(|(_, weight)| {
            sum += weight;
            sum
        })
        .collect();
    let last = weighted.len().checked_sub(1)?;
    Some(at.map(|percent| {
        let reached = sums.partition_point(|&upto| u128::from(upto) * 100 < u128::from(sum) * u128::from(percent));
        weighted[reached.min(last)].0
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_go_by_weight() {
        let at = [0, 1, 25, 50, 75, 99, 100];
        for (weighted, expected) in [
            (vec![], None),
            (vec![(5.0, 0)], None),
            (vec![(5.0, 1)], Some([5.0; 7])),
            (vec![(2.0, 50), (1.0, 50)], Some([1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0])),
            (vec![(3.0, 1), (1.0, 1), (2.0, 98)], Some([1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 3.0])),
            (vec![(9.0, 0), (1.0, 1), (0.5, 0)], Some([1.0; 7])),
            (vec![(1.0, 1), (2.0, 1), (3.0, 1), (4.0, 1)], Some([1.0, 1.0, 1.0, 2.0, 3.0, 4.0, 4.0])),
        ] {
            assert_eq!(percentiles(weighted.clone(), at), expected, "{weighted:?}");
        }
    }
}
