//! A quantity that is known per function and minute (or second), and the distribution that it makes over a function's
//! invocations.

use super::invocations::Invocations;
use super::minutes::Minutes;
use super::profiles::{Found, Profiles};
use super::reading::{Reading, Selection};
use super::report::{Reason, Repair};
use super::table::Amount;
use crate::sizes::ProfileError;
use crate::trace::TraceFunction;

/// A table of such a quantity.
pub(super) struct Quantity<'a> {
    pub(super) file: &'a str,
    /// What a row lasts, in seconds.
    pub(super) row_s: u32,
    pub(super) amount: Amount,
    /// Why columns of functions that are not in the trace are left out; none for no word.
    pub(super) unmatched: Option<Reason>,
    /// What to count cells as that can't be; they count as empty.
    pub(super) repair: Repair,
}

/// The rows of the invocations that are replayed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Replayed {
    /// What a row lasts, in seconds.
    pub(super) row_s: u32,
    /// The number of the first row.
    pub(super) first: usize,
}

/// The quantity in each row in which it is known, of the functions of an [`Invocations`], in their order.
pub(super) struct PerMinute {
    functions: Vec<Vec<Known>>,
    file: String,
    row_s: u32,
    /// Whether the table could be read without a fault.
    whole: bool,
}

#[derive(Clone, Copy)]
struct Known {
    row: usize,
    value: f64,
}

impl PerMinute {
    /// Reads a table of amounts.
    pub(super) fn read(
        reading: &mut Reading<'_>,
        quantity: &Quantity<'_>,
        invocations: &Invocations,
        selection: &Selection,
    ) -> Self {
        let Quantity { file, row_s, amount, unmatched, repair } = *quantity;
        let before = reading.faults.total;
        let mut functions = vec![Vec::new(); invocations.functions.len()];
        if let Some(minutes) = Minutes::open(reading, file, row_s) {
            let ids: Vec<String> = minutes.functions().map(str::to_owned).collect();
            let found: Vec<Option<Option<usize>>> = ids.iter().map(|id| invocations.index.get(id).copied()).collect();
            if let Some(unmatched) = unmatched {
                let strange = ids.iter().zip(&found).filter(|(_, index)| index.is_none());
                strange.for_each(|(id, _)| reading.report.add(unmatched, id));
            }
            let indices: Vec<Option<usize>> = found.into_iter().map(Option::flatten).collect();
            minutes.each(reading, |reading, minute| {
                for (index, column) in minute.cells() {
                    let Some(function) = indices[index] else { continue };
                    let row = minute.row();
                    let value = if selection.strict { row.amount(column, amount) } else { row.number(column) };
                    match reading.faults.take(value) {
                        Some(value) if amount.contains(value) => {
                            functions[function].push(Known { row: minute.number, value });
                        }
                        Some(_) => reading.report.repair(repair, &ids[index]),
                        None => {}
                    }
                }
            });
        }
        functions.iter_mut().for_each(|known| known.sort_by_key(|known| known.row));
        Self { functions, file: file.to_owned(), row_s, whole: reading.faults.total == before }
    }

    /// Divides by another quantity in each row in which that is known and not 0.
    pub(super) fn divide(&mut self, by: &Self) {
        for (known, divisors) in self.functions.iter_mut().zip(&by.functions) {
            for Known { row, value } in known {
                let divisor = divisors.binary_search_by_key(row, |divisor| divisor.row).map(|at| divisors[at].value);
                *value /= divisor.ok().filter(|&divisor| divisor > 0.0).unwrap_or(1.0);
            }
        }
        self.whole &= by.whole;
    }

    /// What `profile` makes of the quantity's values at the percentiles `at`.
    ///
    /// A row counts as often as the function is invoked in it, so that the profile is that of invocations, as far as
    /// a value per row shows. Where the quantity is known in none of those rows, all rows count alike.
    pub(super) fn profiles<P, const N: usize>(
        mut self,
        invocations: &Invocations,
        replayed: Replayed,
        at: [u8; N],
        profile: impl Fn([f64; N]) -> Result<P, ProfileError>,
    ) -> Profiles<P> {
        let functions = invocations.functions.iter().zip(&mut self.functions);
        let found = functions.map(|(function, known)| {
            let weight = |row| invoked_in(function, row, self.row_s, replayed);
            let mut weighted: Vec<(f64, u64)> = known.iter().map(|known| (known.value, weight(known.row))).collect();
            if weighted.iter().all(|&(_, weight)| weight == 0) {
                weighted.iter_mut().for_each(|(_, weight)| *weight = 1);
            }
            // The values are finite, not negative and in order, so they make a profile.
            let profile = percentiles(weighted, at).and_then(|values| profile(values).ok());
            profile.map_or(Found::Absent, Found::Known)
        });
        Profiles { found: found.collect(), file: Some(self.file), whole: self.whole }
    }
}

/// How often a function is invoked in row number `row`, which lasts `row_s` seconds.
fn invoked_in(function: &TraceFunction, row: usize, row_s: u32, replayed: Replayed) -> u64 {
    let (row_s, each_s) = (row_s.max(1) as usize, replayed.row_s.max(1) as usize);
    let begin = row.saturating_mul(row_s) / each_s;
    let rows = begin..begin.saturating_add((row_s / each_s).max(1));
    let counts = rows.filter_map(|row| row.checked_sub(replayed.first)).map(|row| function.load.count(row));
    counts.map(u64::from).sum()
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
