//! Values of cells in rounds: how much of their variance lies between the rounds (two-way analysis of variance without interaction).
//!
//! The model is y = cell + round + error, fitted by least squares, so that cells that are missing in some rounds do not pass for a
//! difference between these. F compares the fit with rounds to that without them.

use statrs::distribution::{ContinuousCDF as _, FisherSnedecor};

/// Most turns of the fit. Each brings it nearer; designs without gaps are fitted after one.
const TURNS: usize = 1000;

/// A value, and where it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rounds {
    /// The cell.
    pub cell: usize,
    /// The round.
    pub round: usize,
    /// The value.
    pub value: f64,
}

/// The variances of values in rounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variances {
    /// The component that the rounds add; 0 where they differ by no more than values within them do.
    pub between: f64,
    /// That within rounds, of values of which the means of cells and rounds are taken off.
    pub within: f64,
    /// The variance of the means of rounds over what it would be without any difference.
    pub f: f64,
    /// The chance of such an F or a greater one where rounds do not differ.
    pub p: f64,
}

/// The variances; absent where values are too few to tell rounds from cells, and where there is none within rounds.
pub fn variances(values: &[Rounds]) -> Option<Variances> {
    let cells = numbers(values, |it| it.cell);
    let rounds = numbers(values, |it| it.round);
    let connected = components(values, cells, rounds);
    let (all, of_cells, of_rounds) = (values.len(), occupied(values, |it| it.cell), occupied(values, |it| it.round));
    let between_freedom = of_rounds.checked_sub(connected).filter(|it| *it > 0)? as f64;
    let within_freedom = (all + connected).checked_sub(of_cells + of_rounds).filter(|it| *it > 0)? as f64;
    let without = squares(&residuals(values));
    let with = squares(&fitted(values, cells, rounds));
    // What is left of rounding is no variance.
    if with <= 1e-18 * values.iter().map(|it| it.value * it.value).sum::<f64>() {
        return None;
    }
    let (between, within) = ((without - with).max(0.0) / between_freedom, with / within_freedom);
    let f = between / within;
    let p = FisherSnedecor::new(between_freedom, within_freedom).ok()?.sf(f);
    Some(Variances { between: ((between - within) / size(values, rounds)?).max(0.0), within, f, p })
}

/// The values without the means of their cells, in the order of the values.
pub fn residuals(values: &[Rounds]) -> Vec<f64> {
    let mut left: Vec<f64> = values.iter().map(|it| it.value).collect();
    let _shift = take_means(&mut left, values, |it| it.cell, numbers(values, |it| it.cell));
    left
}

/// The values without cells and rounds, each mean taken off in turn until none is left.
fn fitted(values: &[Rounds], cells: usize, rounds: usize) -> Vec<f64> {
    let mut left: Vec<f64> = values.iter().map(|it| it.value).collect();
    let enough = 1e-12 * values.iter().map(|it| it.value.abs()).fold(f64::MIN_POSITIVE, f64::max);
    for _turn in 0..TURNS {
        let by_cell = take_means(&mut left, values, |it| it.cell, cells);
        let by_round = take_means(&mut left, values, |it| it.round, rounds);
        if by_cell.max(by_round) <= enough {
            break;
        }
    }
    left
}

/// Takes the mean of each group off its values; returns the greatest of these means.
fn take_means(left: &mut [f64], values: &[Rounds], group: fn(&Rounds) -> usize, groups: usize) -> f64 {
    let mut sums = vec![(0.0, 0_u32); groups];
    for (value, at) in left.iter().zip(values) {
        let (sum, count) = &mut sums[group(at)];
        *sum += value;
        *count += 1;
    }
    let means: Vec<f64> = sums.into_iter().map(|(sum, count)| sum / f64::from(count.max(1))).collect();
    left.iter_mut().zip(values).for_each(|(value, at)| *value -= means[group(at)]);
    means.into_iter().map(f64::abs).fold(0.0, f64::max)
}

fn squares(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum()
}

/// One more than the greatest number of a group.
fn numbers(values: &[Rounds], group: fn(&Rounds) -> usize) -> usize {
    values.iter().map(|it| group(it) + 1).max().unwrap_or(0)
}

/// How many groups have values.
fn occupied(values: &[Rounds], group: fn(&Rounds) -> usize) -> usize {
    let mut groups: Vec<usize> = values.iter().map(group).collect();
    groups.sort_unstable();
    groups.dedup();
    groups.len()
}

/// Into how many parts the cells and rounds fall that have no value in common.
fn components(values: &[Rounds], cells: usize, rounds: usize) -> usize {
    let mut part: Vec<usize> = (0..cells + rounds).collect();
    loop {
        let mut has_changed = false;
        for at in values {
            let least = part[at.cell].min(part[cells + at.round]);
            has_changed |= part[at.cell] != least || part[cells + at.round] != least;
            (part[at.cell], part[cells + at.round]) = (least, least);
        }
        if !has_changed {
            break;
        }
    }
    let mut parts: Vec<usize> = values.iter().map(|at| part[at.cell]).collect();
    parts.sort_unstable();
    parts.dedup();
    parts.len()
}

/// How many values a round has, as the component of variance needs it where rounds differ in that.
fn size(values: &[Rounds], rounds: usize) -> Option<f64> {
    let mut counts = vec![0.0; rounds];
    values.iter().for_each(|it| counts[it.round] += 1.0);
    let all = values.len() as f64;
    let others = counts.iter().filter(|count| **count > 0.0).count() as f64 - 1.0;
    (others > 0.0).then(|| (all - squares(&counts) / all) / others)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[[Option<f64>; 4]]) -> Vec<Rounds> {
        let of_round = |(round, row): (usize, &[Option<f64>; 4])| {
            let of_cell = move |(cell, value): (usize, Option<f64>)| Some(Rounds { cell, round, value: value? });
            row.iter().copied().enumerate().filter_map(of_cell).collect::<Vec<_>>()
        };
        rows.iter().enumerate().flat_map(of_round).collect()
    }

    const ROUNDS: [[f64; 4]; 5] = [
        [10.0, 12.0, 15.0, 11.0],
        [11.0, 12.5, 16.5, 12.0],
        [14.0, 16.5, 19.0, 15.5],
        [10.5, 12.0, 15.0, 12.5],
        [13.0, 14.0, 17.0, 13.0],
    ];

    fn is_near(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 1e-8 * expected.abs()
    }

    #[test]
    fn rounds_that_differ_are_told_from_cells_that_do() {
        // By least squares in NumPy, p by scipy.stats.f.sf.
        let found = variances(&table(&ROUNDS.map(|row| row.map(Some)))).expect("enough values");
        assert!(is_near(found.f, 55.56), "{found:?}");
        assert!(is_near(found.p, 1.209_810_859_256_163e-7), "{found:?}");
        assert!(is_near(found.within, 0.625 / 3.0) && is_near(found.between, 2.841_666_666_666_667), "{found:?}");
    }

    #[test]
    fn a_missing_run_makes_no_round_better() {
        // The most expensive cell is missing in the second round, and another in the last.
        let mut rows = ROUNDS.map(|row| row.map(Some));
        (rows[1][2], rows[4][0]) = (None, None);
        let found = variances(&table(&rows)).expect("enough values");
        assert!(is_near(found.f, F_WITH_GAPS) && is_near(found.p, P_WITH_GAPS), "{found:?}");
    }

    const F_WITH_GAPS: f64 = 87.574_372_638_964_02;
    const P_WITH_GAPS: f64 = 9.653_443_637_856_73e-8;

    #[test]
    fn cells_alone_make_no_difference_between_rounds() {
        let same = table(&[[1.0, 5.0, 9.0, 30.0].map(Some); 4]);
        assert_eq!(variances(&same), None, "nothing varies within");
        assert!(residuals(&same).iter().all(|left| left.abs() < 1e-12));
        let one_cell = (0..9).map(|round| Rounds { cell: 0, round, value: round as f64 });
        assert_eq!(variances(&one_cell.collect::<Vec<_>>()), None, "a round of one run has nothing within");
        assert_eq!(variances(&[]), None);
    }
}
