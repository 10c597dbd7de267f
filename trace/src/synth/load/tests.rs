use super::*;
use crate::random::{Purpose, StreamKey};

const WEEK: u32 = 7 * DAY;

fn rng(unit: u32) -> StreamRng {
    StreamKey::new(42, "app", Purpose::Synthesis).unit(unit)
}

/// Over a week: whether the days of the week differ, and by how much the minutes of a day do.
#[test]
fn load_is_constant_or_changes_with_hour_and_weekday() {
    for app in 0..50 {
        assert!(weights(WEEK, Rhythm::Constant, &mut rng(app)).iter().all(|&weight| (weight - 1.0).abs() < 1e-9));
        for (rhythm, least_ratio, most_ratio) in [(Rhythm::Steady, 1.2, 4.1), (Rhythm::Daily, 900.0, 1100.0)] {
            let weights = weights(WEEK, rhythm, &mut rng(app));
            let days: Vec<f64> = weights.chunks(DAY as usize).map(|day| day.iter().sum()).collect();
            assert!((days[4] - days[0]).abs() < 1e-6 * days[0]);
            assert!((days[5] / days[4] - WEEKEND).abs() < 1e-6);
            let day = &weights[..DAY as usize];
            let most = day.iter().copied().fold(0.0, f64::max);
            let least = day.iter().copied().fold(f64::INFINITY, f64::min);
            assert!((least_ratio..most_ratio).contains(&(most / least)), "{rhythm:?} {}", most / least);
        }
    }
}

#[test]
fn scattering_and_spacing_keep_every_invocation() {
    let mut rng = rng(0);
    for invocations in [0, 1, 7, 5000, 3_000_000] {
        let counts = scattered(invocations, &[0.0, 1.0, 3.0, 0.0], &mut rng);
        assert_eq!(counts.iter().copied().map(u64::from).sum::<u64>(), invocations);
        assert_eq!((counts[0], counts[3]), (0, 0));
        let counts = regular(invocations, 7, &mut rng);
        assert_eq!(counts.iter().copied().map(u64::from).sum::<u64>(), invocations);
        assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1);
    }
}

/// Three quarters of the invocations in the minute of three quarters of the weight, to four standard errors.
#[test]
fn scattering_follows_the_weights() {
    let counts = scattered(100_000, &[1.0, 3.0], &mut rng(1));
    assert!((f64::from(counts[1]) - 75_000.0).abs() < 4.0 * (100_000.0_f64 * 0.75 * 0.25).sqrt(), "{counts:?}");
}

/// Of four invocations by weights of 1, 0, 3 one falls into the first minute and three into the last.
#[test]
fn spreading_follows_the_weights_exactly() {
    assert_eq!(spread(4, &[1.0, 0.0, 3.0], &mut rng(2)), [0, 2, 2, 2]);
    assert_eq!(spread(0, &[1.0], &mut rng(2)), [0_usize; 0]);
}

#[test]
fn bursts_have_every_invocation_in_few_minutes() {
    for invocations in [1, 2, 4, 40, 1000] {
        let mut minutes = bursts(invocations, DAY, &mut rng(3));
        assert_eq!(minutes.len() as u64, invocations);
        minutes.sort_unstable();
        minutes.dedup();
        assert!(minutes.len() as u64 <= (invocations / 4).max(2));
    }
}

#[test]
fn dealing_gives_each_function_its_number() {
    let dealt = dealt(vec![0, 0, 1, 2, 2, 2], &[1, 5], 3, &mut rng(4));
    assert_eq!(dealt.iter().map(|counts| counts.iter().sum::<u32>()).collect::<Vec<_>>(), [1, 5]);
    assert_eq!((0..3).map(|minute| dealt[0][minute] + dealt[1][minute]).collect::<Vec<_>>(), [2, 1, 3]);
}
