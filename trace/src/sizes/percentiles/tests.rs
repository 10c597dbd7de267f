use super::*;

const AT: [u8; 3] = [10, 50, 100];

fn three(values: [f64; 3]) -> Percentiles<3> {
    Percentiles::new(&AT, values).unwrap()
}

#[test]
fn is_linear_between_percentiles_and_flat_below_the_lowest() {
    let percentiles = three([2.0, 4.0, 14.0]);
    for (q, value) in [(0.0, 2.0), (0.05, 2.0), (0.1, 2.0), (0.3, 3.0), (0.5, 4.0), (0.75, 9.0), (1.0, 14.0)] {
        assert!((percentiles.quantile(q) - value).abs() < 1e-12, "at {q}: {}", percentiles.quantile(q));
    }
}

#[test]
fn the_mean_is_that_of_the_pieces() {
    let percentiles = three([2.0, 4.0, 14.0]);
    for (min, max, mean) in [
        (0.0, 100.0, 0.1 * 2.0 + 0.4 * 3.0 + 0.5 * 9.0),
        // Within the first piece: half of it is below 3 and counts as 3, half has mean 3.5.
        (3.0, 100.0, 0.1 * 3.0 + 0.4 * 3.25 + 0.5 * 9.0),
        // Half of the last piece is above 9.
        (0.0, 9.0, 0.1 * 2.0 + 0.4 * 3.0 + 0.5 * (0.5 * 6.5 + 0.5 * 9.0)),
        (20.0, 30.0, 20.0),
        (0.0, 1.0, 1.0),
        (5.0, 5.0, 5.0),
    ] {
        assert!((percentiles.mean(min, max) - mean).abs() < 1e-12, "{min}..{max}: {}", percentiles.mean(min, max));
    }
    assert!((three([7.0; 3]).mean(0.0, 100.0) - 7.0).abs() < 1e-12);
}

#[test]
fn values_that_are_no_distribution_are_refused() {
    for (values, index, message) in [
        ([-1.0, 2.0, 3.0], 0, "percentile 10 is -1; it must be 0 or more"),
        ([1.0, f64::NAN, 3.0], 1, "percentile 50 is NaN; it must be 0 or more"),
        ([1.0, 2.0, f64::INFINITY], 2, "percentile 100 is inf; it must be 0 or more"),
        ([1.0, 3.0, 2.5], 2, "percentile 100 is 2.5, below percentile 50 with 3; they must not decrease"),
    ] {
        let error = Percentiles::new(&AT, values).unwrap_err();
        assert_eq!((error.index(), error.to_string().as_str()), (index, message));
    }
}
