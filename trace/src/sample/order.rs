//! Functions in the order of their load, and draws from it.

use rand::RngExt;

use super::population::Population;
use crate::random::StreamRng;

/// All functions from the lightest to the heaviest: by the logarithms of their invocations and resources together.
pub(super) fn by_load(population: &Population) -> Vec<u32> {
    let functions = u32::try_from(population.len()).unwrap_or(u32::MAX);
    let mut keyed: Vec<(f64, u32)> = (0..functions)
        .map(|function| {
            let invocations = population.figures[function as usize].invocations as f64;
            (invocations.ln_1p() + (invocations * population.resource(function)).ln_1p(), function)
        })
        .collect();
    keyed.sort_by(|(a, of_a), (b, of_b)| a.total_cmp(b).then(of_a.cmp(of_b)));
    keyed.into_iter().map(|(_, function)| function).collect()
}

/// All functions from the one that J can depend on most: by the sums of their invocations and resources, by which
/// it changes at most; those that make up nearly all of that sum.
pub(super) fn weighty(population: &Population) -> Vec<u32> {
    /// What the others make up decides nothing.
    const NEARLY_ALL: f64 = 0.998;
    let functions = u32::try_from(population.len()).unwrap_or(u32::MAX);
    let mut keyed: Vec<(f64, u32)> = (0..functions)
        .map(|function| {
            let invocations = population.figures[function as usize].invocations as f64;
            (invocations * (1.0 + population.resource(function)), function)
        })
        .collect();
    keyed.sort_by(|(a, of_a), (b, of_b)| b.total_cmp(a).then(of_a.cmp(of_b)));
    let all: f64 = keyed.iter().map(|(sum, _)| sum).sum();
    let mut upto = 0.0;
    let weighty = keyed.into_iter().take_while(|(sum, _)| {
        let before = upto;
        upto += sum;
        before < NEARLY_ALL * all
    });
    weighty.map(|(_, function)| function).collect()
}

/// `size` functions of as many as there are, each as likely as any other.
pub(super) fn drawn(functions: usize, size: usize, rng: &mut StreamRng) -> Vec<u32> {
    let mut all: Vec<u32> = (0..u32::try_from(functions).unwrap_or(u32::MAX)).collect();
    for place in 0..size.min(functions) {
        let other = rng.random_range(place..functions);
        all.swap(place, other);
    }
    all.truncate(size);
    all
}

/// Puts items into random order.
pub(super) fn shuffle<T>(items: &mut [T], rng: &mut StreamRng) {
    for last in (1..items.len()).rev() {
        items.swap(last, rng.random_range(0..=last));
    }
}

/// `size` functions evenly over `order`, among them all of `fixed`: where fewer than their share of the functions up to one
/// are in, that one is taken. Where each share begins is drawn.
pub(super) fn spread(order: &[u32], fixed: &[bool], size: usize, rng: &mut StreamRng) -> Vec<u32> {
    let share = size as f64 / order.len().max(1) as f64;
    let start: f64 = rng.random_range(0.0..1.0);
    let mut taken: Vec<u32> = Vec::with_capacity(size);
    let mut left: Vec<u32> = Vec::new();
    let mut fixed_left = fixed.iter().filter(|fixed| **fixed).count();
    for (place, &function) in order.iter().enumerate() {
        let is_fixed = fixed[function as usize];
        fixed_left -= usize::from(is_fixed);
        let lacks = (place + 1) as f64 * share + start - taken.len() as f64 >= 1.0;
        if is_fixed || (lacks && taken.len() + fixed_left < size) {
            taken.push(function);
        } else {
            left.push(function);
        }
    }
    shuffle(&mut left, rng);
    taken.extend(left.into_iter().take(size.saturating_sub(taken.len())));
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, StreamKey};

    fn rng() -> StreamRng {
        StreamKey::new(1, "order", Purpose::Sampling).unit(0)
    }

    #[test]
    fn draws_are_without_repetition() {
        for (functions, size) in [(5, 5), (100, 7), (1, 1), (3, 0)] {
            let mut drawn = drawn(functions, size, &mut rng());
            drawn.sort_unstable();
            drawn.dedup();
            assert_eq!(drawn.len(), size);
        }
    }

    #[test]
    fn spread_takes_from_everywhere_and_all_that_is_fixed() {
        let order: Vec<u32> = (0..100).collect();
        let mut fixed = vec![false; 100];
        [3, 4, 5, 6, 99].iter().for_each(|&function: &usize| fixed[function] = true);
        let mut taken = spread(&order, &fixed, 10, &mut rng());
        assert_eq!(taken.len(), 10);
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken.len(), 10);
        assert!([3, 4, 5, 6, 99].iter().all(|function| taken.contains(function)));
        let even = spread(&order, &[false; 100], 10, &mut rng());
        assert!(even.windows(2).all(|pair| pair[1] - pair[0] == 10), "{even:?}");
    }
}
