use super::*;
use crate::random::{Purpose, StreamKey};

const WEEK: u32 = 7 * DAY;

/// Weights of many apps over a week.
fn apps(constant: bool) -> Vec<Vec<f64>> {
    let key = StreamKey::new(42, "app", Purpose::Synthesis);
    (0..500).map(|app| weights(WEEK, constant, &mut key.unit(app))).collect()
}

fn is_bursty(weights: &[f64]) -> bool {
    weights.contains(&0.0)
}

#[test]
fn the_published_share_of_apps_is_bursty() {
    let bursty = apps(true).iter().filter(|weights| is_bursty(weights)).count();
    // Four standard errors of 500 draws.
    assert!((bursty as f64 / 500.0 - BURSTY_SHARE).abs() < 4.0 * (0.4_f64 * 0.6 / 500.0).sqrt(), "{bursty}");
}

#[test]
fn load_is_constant_or_changes_with_hour_and_weekday() {
    for weights in apps(true).iter().filter(|weights| !is_bursty(weights)) {
        assert!(weights.iter().all(|&weight| (weight - 1.0).abs() < 1e-9));
    }
    for weights in apps(false).iter().filter(|weights| !is_bursty(weights)) {
        let days: Vec<f64> = weights.chunks(DAY as usize).map(|day| day.iter().sum()).collect();
        assert!((days[4] - days[0]).abs() < 1e-6 * days[0]);
        assert!((days[5] / days[4] - WEEKEND).abs() < 1e-6);
        let most = weights.iter().copied().fold(0.0, f64::max);
        let least = weights[..DAY as usize].iter().copied().fold(f64::INFINITY, f64::min);
        // From (1 + 0.5)/(1 − 0.5) upward.
        assert!(most / least > 2.99, "{most} {least}");
    }
}

/// However short the trace, an app has a minute in which it can be invoked.
#[test]
fn load_is_never_all_zero() {
    let key = StreamKey::new(42, "app", Purpose::Synthesis);
    for minutes in [1, 5, 10, 11, 25] {
        for app in 0..200 {
            let weights = weights(minutes, false, &mut key.unit(app));
            assert!(weights.iter().any(|&weight| weight > 0.0));
        }
    }
}

#[test]
fn scattering_and_spacing_keep_every_invocation() {
    let mut rng = StreamKey::new(42, "function", Purpose::Synthesis).unit(0);
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
    let mut rng = StreamKey::new(42, "function", Purpose::Synthesis).unit(1);
    let counts = scattered(100_000, &[1.0, 3.0], &mut rng);
    assert!((f64::from(counts[1]) - 75_000.0).abs() < 4.0 * (100_000.0_f64 * 0.75 * 0.25).sqrt(), "{counts:?}");
}
