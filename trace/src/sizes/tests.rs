use proptest::prelude::*;

use super::*;
use crate::random::{Purpose, StreamKey};

fn rng(seed: u64, purpose: Purpose) -> StreamRng {
    StreamKey::new(seed, "f", purpose).unit(0)
}

fn ascending<const N: usize>() -> impl Strategy<Value = [f64; N]> {
    proptest::array::uniform::<_, N>(0.0..100_000.0).prop_map(|mut values| {
        values.sort_by(f64::total_cmp);
        values
    })
}

proptest! {
    #[test]
    fn runtimes_lie_within_the_percentiles(values in ascending::<7>(), seed: u64) {
        let profile = RuntimeProfile::from_millis(values).unwrap();
        let (least, most) = (micros(values[0] * 1000.0), micros(values[6] * 1000.0));
        let mut rng = rng(seed, Purpose::Runtime);
        for _ in 0..100 {
            let runtime = profile.sample(&mut rng);
            prop_assert!(least <= runtime && runtime <= most);
            prop_assert_eq!(runtime.subsec_nanos() % 1000, 0);
        }
    }

    #[test]
    fn parts_make_the_whole_but_never_nothing(values in ascending::<8>(), parts in 1_u32..2000) {
        let part = MemoryProfile::from_mib(values).unwrap().part(parts);
        let expected = values.map(|mib| (mib / f64::from(parts)).max(1.0));
        prop_assert_eq!(part, MemoryProfile::from_mib(expected).unwrap());
    }

    #[test]
    fn memory_lies_within_the_percentiles(values in ascending::<8>(), seed: u64) {
        let profile = MemoryProfile::from_mib(values).unwrap();
        let (least, most) = (whole_mib(values[0]), whole_mib(values[7]));
        let mut rng = rng(seed, Purpose::Memory);
        for _ in 0..100 {
            let memory = profile.sample(&mut rng);
            prop_assert!(least <= memory && memory <= most);
        }
    }
}

#[test]
fn quantiles_are_the_files_percentiles() {
    let runtime = RuntimeProfile::from_millis([0.0, 1.5, 20.0, 30.0, 40.0, 5000.0, 60_000.0]).unwrap();
    for (q, ms) in [(0.0, 0.0), (0.01, 1.5), (0.25, 20.0), (0.4, 26.0), (0.5, 30.0), (0.99, 5000.0), (1.0, 60_000.0)] {
        assert_eq!(runtime.quantile(q), micros(ms * 1000.0), "at {q}");
    }
    let memory = MemoryProfile::from_mib([100.0, 102.0, 114.0, 123.0, 127.0, 136.0, 143.0, 152.0]).unwrap();
    for (q, mib) in [(0.001, 100), (0.01, 100), (0.03, 101), (0.5, 123), (0.97, 140), (1.0, 152)] {
        assert_eq!(memory.quantile(q), mib, "at {q}");
    }
}

/// The sample mean stays within four standard errors of the profile's.
#[test]
fn draws_have_the_profiles_mean_after_the_clamp() {
    let n = 100_000;
    let profile = RuntimeProfile::from_millis([0.0, 1.0, 50.0, 100.0, 2000.0, 90_000.0, 200_000.0]).unwrap();
    let mut rng = rng(7, Purpose::Runtime);
    let draws: Vec<f64> = (0..n).map(|_| Clamp::RUNTIME.apply(profile.sample(&mut rng)).value.as_secs_f64()).collect();
    let mean = draws.iter().sum::<f64>() / f64::from(n);
    let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / f64::from(n);
    let expected = profile.mean(Clamp::RUNTIME).as_secs_f64();
    assert!((mean - expected).abs() < 4.0 * (variance / f64::from(n)).sqrt(), "{mean} {expected}");
}

#[test]
fn the_mean_is_in_the_profiles_unit() {
    let runtime = RuntimeProfile::from_millis([100.0; 7]).unwrap();
    assert_eq!(runtime.mean(Clamp::RUNTIME), Duration::from_millis(100));
    let memory = MemoryProfile::from_mib([100.0; 8]).unwrap();
    assert!((memory.mean(Clamp::MEMORY_MIB) - 100.0).abs() < 1e-9);
}

#[test]
fn a_clamp_says_whether_it_touched() {
    for (drawn, value, touched) in [(0, 1, true), (1, 1, false), (500, 500, false), (10_240, 10_240, false)] {
        assert_eq!(Clamp::MEMORY_MIB.apply(drawn), Clamped { value, touched });
    }
    assert_eq!(Clamp::MEMORY_MIB.apply(10_241), Clamped { value: 10_240, touched: true });
    let long = Clamp::RUNTIME.apply(Duration::from_mins(2));
    assert_eq!(long, Clamped { value: Duration::from_mins(1), touched: true });
}

/// Pins sizes: a change here changes what every seed gives.
#[test]
fn gives_these_sizes_for_ever() {
    let runtime = RuntimeProfile::from_millis([1.0, 2.0, 10.0, 20.0, 40.0, 500.0, 1000.0]).unwrap();
    let mut draws = rng(42, Purpose::Runtime);
    assert_eq!([(); 4].map(|()| runtime.sample(&mut draws).as_micros()), [401_569, 295_697, 21_146, 38_028]);
    let memory = MemoryProfile::from_mib([10.0, 20.0, 100.0, 200.0, 300.0, 400.0, 500.0, 1000.0]).unwrap();
    let mut draws = rng(42, Purpose::Memory);
    assert_eq!([(); 4].map(|()| memory.sample(&mut draws)), [180, 33, 388, 225]);
}
