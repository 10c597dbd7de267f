//! Several hypotheses at once.

/// The p of each of several hypotheses after Holm (1979): with those at most α rejected, the chance of any wrong rejection is at
/// most α. In the order of the given ones.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|one, other| p[*one].total_cmp(&p[*other]));
    let mut adjusted = vec![1.0; p.len()];
    let mut greatest = 0.0_f64;
    for (rank, place) in order.into_iter().enumerate() {
        greatest = greatest.max((p.len() - rank) as f64 * p[place]).min(1.0);
        adjusted[place] = greatest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_p_is_multiplied_and_none_falls_below_a_smaller_one() {
        // R's p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm").
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        let expected = [0.03, 0.06, 0.06, 0.02];
        assert!(
            adjusted.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12),
            "{adjusted:?}"
        );
        assert_eq!((holm(&[0.5, 0.9]), holm(&[])), (vec![1.0, 1.0], vec![]));
    }
}
