//! Random numbers for resampling: the same ones at each call, on each machine, and with each version of this crate.

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). The generators of `rand` may change with
/// its version, and with them the last digits of intervals.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, each as likely as any other to one in 2⁶⁴/`end`; 0 where `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let scaled = (u128::from(self.number()) * end as u128) >> 64;
        usize::try_from(scaled).unwrap_or_default()
    }

    /// A number from the standard normal distribution (Box and Muller, 1958).
    pub fn normal(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        // Above zero, so that its logarithm is finite.
        let mut uniform = || ((self.number() >> 11) + 1) as f64 * STEP;
        let (radius, angle) = ((-2.0 * uniform().ln()).sqrt(), std::f64::consts::TAU * uniform());
        radius * angle.cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_that_were_published() {
        // The reference implementation's first three for seed 1234567.
        let mut random = Random::new(1_234_567);
        let first = [random.number(), random.number(), random.number()];
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1_and_no_more_in_the_tails_than_they_should() {
        let mut random = Random::new(11);
        let drawn: Vec<f64> = (0..50_000).map(|_| random.normal()).collect();
        let mean = drawn.iter().sum::<f64>() / 50_000.0;
        let variance = drawn.iter().map(|value| value * value).sum::<f64>() / 50_000.0;
        let beyond = drawn.iter().filter(|value| value.abs() > 1.96).count();
        assert!(
            mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03 && (2300..2700).contains(&beyond),
            "{mean} {variance} {beyond}"
        );
    }

    #[test]
    fn each_place_is_drawn_about_as_often_as_any_other() {
        let mut random = Random::new(7);
        let mut drawn = [0_u32; 5];
        (0..50_000).for_each(|_| drawn[random.below(5)] += 1);
        assert!(drawn.iter().all(|count| (9_600..10_400).contains(count)), "{drawn:?}");
        assert_eq!(random.below(0), 0);
    }
}
