//! Samples that agree with the trace by their weights.
//!
//! Equal weights can't show what a few functions do: of the heaviest in a hundred, a sample of ten has ten times too much or
//! nothing. By weights it has each of them as the trace has it; the others stand for all that are lighter.

use super::order;
use super::sampler::Sampler;

/// Shares of a sample that are tried for the heaviest functions.
const HEAVY: [f64; 4] = [0.1, 0.2, 0.35, 0.5];

impl Sampler<'_> {
    /// Nested samples of these ascending sizes.
    pub(super) fn weighted(&self, sizes: &[usize]) -> Vec<Vec<u32>> {
        let tried = HEAVY.map(|share| {
            let chosen = self.heavy_and_spread(sizes, share);
            let objective: f64 = self.fitted(&chosen).iter().map(|weights| weights.objective).sum();
            (objective, chosen)
        });
        let least = tried.into_iter().min_by(|(a, _), (b, _)| a.total_cmp(b));
        least.map(|(_, chosen)| chosen).unwrap_or_default()
    }

    /// Of each sample `share` are the heaviest functions; the others are spread over the order of load.
    fn heavy_and_spread(&self, sizes: &[usize], share: f64) -> Vec<Vec<u32>> {
        let mut is_in = vec![false; self.population.len()];
        let mut chosen: Vec<Vec<u32>> = Vec::new();
        for &size in sizes {
            let heavy = whole(size as f64 * share).min(self.weighty.len());
            self.weighty[..heavy].iter().for_each(|&function| is_in[function as usize] = true);
            let members = order::spread(&self.order, &is_in, size, &mut self.rng(size));
            members.iter().for_each(|&function| is_in[function as usize] = true);
            chosen.push(members);
        }
        chosen
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn whole(value: f64) -> usize {
    value as usize
}
