//! Histograms and their buckets.

use prometheus_client::metrics::{family::Family, histogram::Histogram};

/// Upper bounds for times, in seconds: 100 µs to 300 s, five a decade (Renard's R5 series).
const TIMES: [f64; 33] = [
    0.0001, 0.00016, 0.00025, 0.0004, 0.00063, 0.001, 0.0016, 0.0025, 0.004, 0.0063, 0.01, 0.016, 0.025, 0.04, 0.063,
    0.1, 0.16, 0.25, 0.4, 0.63, 1.0, 1.6, 2.5, 4.0, 6.3, 10.0, 16.0, 25.0, 40.0, 63.0, 100.0, 160.0, 300.0,
];

/// Upper bounds for slowdown; 1 is perfect.
const RATIOS: [f64; 14] = [1.01, 1.02, 1.05, 1.1, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0];

/// Histograms by their labels.
pub(super) type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// A histogram of seconds.
pub(super) fn times() -> Histogram {
    Histogram::new(TIMES)
}

/// A histogram of slowdowns.
pub(super) fn ratios() -> Histogram {
    Histogram::new(RATIOS)
}
