//! The statistics of studies against SciPy and NumPy, whose values `tests/study_statistics.py` wrote.

use loader_report::statistics::{Clusters, Paired, Random, Rounds, spearman, variances};

const REFERENCE: &str = include_str!("data/study_statistics.csv");

/// Values of cells in rounds, as the script makes them.
fn values(seed: u64, cells: usize, rounds: usize, drift: f64, gaps: u64) -> Vec<Rounds> {
    let mut random = Random::new(seed);
    let mut made = Vec::new();
    for round in 0..rounds {
        for cell in 0..cells {
            let noise = (random.number() % 1000) as f64;
            let is_missing = random.number() % 100 < gaps;
            let value = 1000.0 + 500.0 * cell as f64 + drift * round as f64 + noise;
            made.extend((!is_missing).then_some(Rounds { cell, round, value }));
        }
    }
    made
}

#[test]
fn scipy_finds_the_same() {
    let mut lines = REFERENCE.lines().filter(|line| !line.starts_with('#')).skip(1).peekable();
    assert!(lines.peek().is_some(), "there is nothing to compare with");
    for line in lines {
        let numbers: Vec<f64> = line.split(',').map(|number| number.parse().expect("a number")).collect();
        let [seed, cells, rounds, drift, gaps, expected @ ..] = numbers.as_slice() else { panic!("{line}") };
        let whole = |number: &f64| number.to_string().parse::<usize>().expect("a whole number");
        let made = values(whole(seed) as u64, whole(cells), whole(rounds), *drift, whole(gaps) as u64);
        let series: Vec<f64> = made.iter().map(|it| it.value).collect();
        let pairs: Vec<Paired> =
            series.iter().enumerate().map(|(at, value)| Paired { cell: 0, x: at as f64, y: *value }).collect();
        let (rho, rho_p) = spearman(&pairs).expect("enough pairs");
        let found = variances(&made).expect("enough values");
        let split = Clusters::default().split(&series).expect("enough values");
        let found = [rho, rho_p, found.between, found.within, found.f, found.p, split.lower as f64, split.explained];
        for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
            let bound = 1e-8 * expected.abs().max(1e-12);
            assert!((found - expected).abs() <= bound, "{line}: number {place} is {found}, not {expected}");
        }
    }
}
