//! Series that the scripts which made the expected values (`tests/adfuller.py`, `tests/mann_kendall.py`) make in the same way;
//! both use nothing but sums and products.

/// Uniform draws by a linear congruential generator.
struct Source(u64);

impl Source {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn noise(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// `n` values of a kind of series.
pub(crate) fn series(kind: &str, seed: u64, n: usize) -> Vec<f64> {
    let mut source = Source(seed);
    let (mut level, mut before) = (0.0, 0.0);
    let next = |at: usize| {
        let noise = source.noise();
        let at = at as f64;
        match kind {
            "white" => noise,
            "walk" => {
                level += noise;
                level
            }
            "drift" => {
                level += noise + 0.3;
                level
            }
            "ar" => {
                level = 0.6 * level + noise;
                level
            }
            "slow" => {
                level = 0.97 * level + noise;
                level
            }
            "swing" => {
                level = -0.7 * level + noise;
                level
            }
            "moving" => {
                let value = noise + 0.8 * before;
                before = noise;
                value
            }
            "trend" => noise + 0.05 * at,
            "steps" => noise + if at * 2.0 < n as f64 { 0.0 } else { 8.0 },
            "latency" => 1000.0 + 40.0 * noise * noise * noise * noise,
            other => panic!("{other}?"),
        }
    };
    (0..n).map(next).collect()
}
