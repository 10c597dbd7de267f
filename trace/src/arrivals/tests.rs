use proptest::prelude::*;

use super::*;
use crate::random::{Purpose, StreamKey};

const MINUTE: u64 = 60_000_000_000;

fn rng(seed: u64) -> StreamRng {
    StreamKey::new(seed, "f", Purpose::Arrivals).unit(0)
}

fn offsets(arrivals: Arrivals, n: u32, unit_ns: u64, seed: u64) -> Vec<u64> {
    arrivals.stream(n, unit_ns, rng(seed)).collect()
}

/// Kolmogorov's distance between a sorted sample and a distribution function, times the root of the sample's size. Above
/// 1.95 with probability 0.001.
fn kolmogorov(sorted: &[f64], distribution: impl Fn(f64) -> f64) -> f64 {
    let n = sorted.len() as f64;
    let distance = sorted.iter().enumerate().map(|(i, &x)| {
        let expected = distribution(x);
        (expected - i as f64 / n).max((i as f64 + 1.0) / n - expected)
    });
    distance.fold(0.0, f64::max) * n.sqrt()
}

/// Gaps between successive offsets and the end of the unit, over their mean, sorted.
fn sorted_gaps(offsets: &[u64], unit_ns: u64) -> Vec<f64> {
    let mean = unit_ns as f64 / offsets.len() as f64;
    let ends = offsets.iter().skip(1).chain([&unit_ns]);
    let mut gaps: Vec<f64> = offsets.iter().zip(ends).map(|(from, to)| (to - from) as f64 / mean).collect();
    gaps.sort_by(f64::total_cmp);
    gaps
}

fn any_arrivals() -> impl Strategy<Value = Arrivals> {
    proptest::sample::select(&Arrivals::ALL[..])
}

proptest! {
    #[test]
    fn exactly_n_ascending_and_inside_the_unit(
        arrivals in any_arrivals(), n in 0_u32..2000, unit_ns in 1_u64..1_000_000_000_000, seed: u64,
    ) {
        let stream = arrivals.stream(n, unit_ns, rng(seed));
        prop_assert_eq!(stream.len(), n as usize);
        let offsets: Vec<u64> = stream.collect();
        prop_assert_eq!(offsets.len(), n as usize);
        prop_assert!(offsets.is_sorted());
        prop_assert!(offsets.iter().all(|&offset| offset < unit_ns));
    }

    #[test]
    fn the_same_stream_gives_the_same_offsets(arrivals in any_arrivals(), n in 0_u32..200, seed: u64) {
        prop_assert_eq!(offsets(arrivals, n, MINUTE, seed), offsets(arrivals, n, MINUTE, seed));
    }

    #[test]
    fn a_shift_only_rotates(seed: u64, n in 1_u32..200) {
        for (shifted, plain) in
            [(Arrivals::ExponentialShift, Draw::Exponential), (Arrivals::UniformShift, Draw::Uniform)]
        {
            let mut after_shift = rng(seed);
            let shift = rand::RngExt::random_range(&mut after_shift, 0..MINUTE);
            let mut gaps = Gaps::from_start(plain, n, MINUTE, after_shift);
            let mut rotated: Vec<u64> = (0..n).map(|_| (gaps.advance() + shift) % MINUTE).collect();
            rotated.sort_unstable();
            prop_assert_eq!(offsets(shifted, n, MINUTE, seed), rotated);
        }
    }

    #[test]
    fn equidistant_is_exact(n in 1_u32.., unit_ns: u64, at: proptest::sample::Index) {
        let i = u32::try_from(at.index(n as usize)).unwrap();
        prop_assert_eq!(u128::from(even(i, n, unit_ns)), u128::from(i) * u128::from(unit_ns) / u128::from(n));
    }
}

#[test]
fn equidistant_gaps_differ_by_at_most_a_nanosecond() {
    let offsets = offsets(Arrivals::Equidistant, 700, MINUTE, 1);
    assert_eq!((offsets[0], offsets[1], offsets[699]), (0, 85_714_285, 59_914_285_714));
    assert!(offsets.windows(2).all(|pair| matches!(pair[1] - pair[0], 85_714_285 | 85_714_286)));
}

#[test]
fn scaled_gaps_sum_to_the_unit_and_begin_at_its_start() {
    for (arrivals, draw) in [(Arrivals::Exponential, Draw::Exponential), (Arrivals::Uniform, Draw::Uniform)] {
        assert_eq!(offsets(arrivals, 1000, MINUTE, 3)[0], 0);
        let mut gaps = Gaps::from_start(draw, 1000, MINUTE, rng(3));
        for _ in 0..1000 {
            gaps.advance();
        }
        // After the last gap the next offset would be the unit's end, which is outside and so held to the last inside.
        assert_eq!(gaps.advance(), MINUTE - 1);
    }
}

#[test]
fn poisson_instants_are_uniform_and_their_gaps_exponential() {
    for seed in 1..=5 {
        let offsets = offsets(Arrivals::Poisson, 20_000, MINUTE, seed);
        let instants: Vec<f64> = offsets.iter().map(|&offset| offset as f64 / MINUTE as f64).collect();
        assert!(kolmogorov(&instants, |x| x) < 1.95);
        assert!(kolmogorov(&sorted_gaps(&offsets, MINUTE), |x| 1.0 - (-x).exp()) < 1.95);
    }
}

#[test]
fn exponential_gaps_are_exponential() {
    for arrivals in [Arrivals::Exponential, Arrivals::ExponentialShift] {
        let gaps = sorted_gaps(&offsets(arrivals, 20_000, MINUTE, 11), MINUTE);
        assert!(kolmogorov(&gaps, |x| 1.0 - (-x).exp()) < 1.95);
    }
}

#[test]
fn uniform_gaps_are_uniform() {
    for arrivals in [Arrivals::Uniform, Arrivals::UniformShift] {
        let gaps = sorted_gaps(&offsets(arrivals, 20_000, MINUTE, 12), MINUTE);
        assert!(kolmogorov(&gaps, |x| (x / 2.0).min(1.0)) < 1.95);
    }
}

/// Over many units: no instant of the unit is preferred, its start least of all.
#[test]
fn a_shifts_first_invocation_is_anywhere() {
    let key = StreamKey::new(9, "f", Purpose::Arrivals);
    for arrivals in [Arrivals::ExponentialShift, Arrivals::UniformShift, Arrivals::Poisson] {
        let alone = (0..5000).flat_map(|unit| arrivals.stream(1, MINUTE, key.unit(unit)));
        let mut instants: Vec<f64> = alone.map(|offset| offset as f64 / MINUTE as f64).collect();
        instants.sort_by(f64::total_cmp);
        assert!(kolmogorov(&instants, |x| x) < 1.95, "{arrivals}");
    }
}

/// Pins plans: a change here changes what every seed gives.
#[test]
fn gives_these_offsets_for_ever() {
    let table: [(Arrivals, [u64; 4]); 6] = [
        (Arrivals::Equidistant, [0, 15_000_000_000, 30_000_000_000, 45_000_000_000]),
        (Arrivals::Exponential, [0, 13_749_912_516, 14_363_471_887, 28_135_491_721]),
        (Arrivals::ExponentialShift, [7_148_763_960, 22_782_036_822, 23_370_611_302, 36_581_817_580]),
        (Arrivals::Uniform, [0, 12_500_169_550, 44_029_017_690, 56_509_740_077]),
        (Arrivals::UniformShift, [8_350_548_683, 11_964_443_315, 22_782_036_822, 55_427_724_413]),
        (Arrivals::Poisson, [10_812_952_049, 11_295_456_069, 22_125_793_347, 47_184_090_969]),
    ];
    for (arrivals, pinned) in table {
        assert_eq!(offsets(arrivals, 4, MINUTE, 42), pinned, "{arrivals}");
    }
}

#[test]
fn names_are_those_of_the_spec() {
    for arrivals in Arrivals::ALL {
        assert_eq!(arrivals.to_string().parse(), Ok(arrivals));
    }
    assert_eq!(
        "Poisson".parse::<Arrivals>().unwrap_err().to_string(),
        "no arrivals are named \"Poisson\"; there are equidistant, exponential, exponential_shift, uniform, \
         uniform_shift, poisson"
    );
    assert_eq!(Arrivals::default(), Arrivals::Poisson);
}

#[test]
fn a_stream_is_small_and_may_go_to_another_thread() {
    fn sendable<T: Send>() {}
    sendable::<ArrivalStream>();
    assert!(size_of::<ArrivalStream>() <= 40);
    assert!(size_of::<Rotated>() <= 1024);
}
