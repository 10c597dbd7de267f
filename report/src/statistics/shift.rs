//! By how much the values of one group are greater than those of another (Hodges and Lehmann, 1963).

use statrs::distribution::{ContinuousCDF as _, Normal};

use super::{
    ALPHA, Interval,
    median::{middle, sorted},
    rank_sum::{EXACT, ways},
};

/// All differences of a value of `y` and one of `x`, in rising order.
fn differences(x: &[f64], y: &[f64]) -> Vec<f64> {
    sorted(&y.iter().flat_map(|y| x.iter().map(move |x| y - x)).collect::<Vec<_>>())
}

/// The median of all differences of a value of `y` and one of `x`; absent where a group has no value.
pub fn hodges_lehmann(x: &[f64], y: &[f64]) -> Option<f64> {
    middle(&differences(x, y))
}

/// Its 95 % interval, from the k-th least difference to the k-th greatest, where k is the greatest number with P(U ≤ k − 1) ≤ 2.5 %;
/// absent where there are too few values.
pub fn shift_interval(x: &[f64], y: &[f64]) -> Option<Interval> {
    let place = place(x.len(), y.len()).checked_sub(1)?;
    let differences = differences(x, y);
    let last = differences.len().checked_sub(1 + place)?;
    Some(Interval { low: *differences.get(place)?, high: *differences.get(last)? })
}

/// The number k for groups of that many values; 0 where there is none.
fn place(n: usize, m: usize) -> usize {
    if n == 0 || m == 0 {
        return 0;
    }
    if n > EXACT || m > EXACT {
        let (pairs, all) = ((n * m) as f64, (n + m + 1) as f64);
        let least = pairs / 2.0 - Normal::standard().inverse_cdf(1.0 - ALPHA / 2.0) * (pairs * all / 12.0).sqrt();
        return crate::number::place(least.floor().max(0.0));
    }
    let ranks: Vec<usize> = (1..=n + m).collect();
    let ways = ways(&ranks, m);
    let all: f64 = ways.iter().sum();
    let mut below = 0.0;
    // U is the sum of the ranks less its least value.
    let chances = ways.iter().skip(m * (m + 1) / 2);
    let rare = chances.take_while(|ways| {
        below += **ways / all;
        below <= ALPHA / 2.0
    });
    rare.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shift_of_seven_values_each() {
        let x = [101.0, 103.0, 99.0, 105.0, 102.0, 98.0, 100.0];
        let y = [104.0, 100.5, 107.0, 103.5, 106.0, 101.5, 108.0];
        assert_eq!(hodges_lehmann(&x, &y), Some(3.0));
        assert_eq!(shift_interval(&x, &y), Some(Interval { low: -0.5, high: 7.0 }));
    }

    #[test]
    fn three_values_each_have_no_interval_and_four_have_the_range() {
        assert_eq!([place(3, 3), place(4, 4), place(5, 5), place(0, 5)], [0, 1, 3, 0]);
        assert_eq!(shift_interval(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]), None);
        let interval = shift_interval(&[1.0, 2.0, 3.0, 4.0], &[11.0, 12.0, 13.0, 14.0]);
        assert_eq!(interval, Some(Interval { low: 7.0, high: 13.0 }));
    }

    #[test]
    fn the_approximation_for_many_values_is_near_the_exact_number() {
        let ranks: Vec<usize> = (1..=40).collect();
        assert!((ways(&ranks, 20).iter().sum::<f64>() - 137_846_528_820.0).abs() < 0.5);
        assert_eq!((place(20, 20), place(21, 21)), (128, 142));
    }
}
