//! How exactly run times are consumed on a machine, by either clock, and how many iterations make a millisecond.
//!
//! The error is what was consumed minus what was asked for: of the wall time by the wall clock, of the CPU time by the CPU
//! clock. Each invocation runs on a thread of its own, as in the server, and takes no memory.

use std::{fmt::Write as _, time::Duration};

use tokio_util::task::TaskTracker;

use crate::{
    behaviour::{Behaviour, RuntimeClock},
    clock,
    consumer::{ConsumeError, Consumer, Demand},
    memory::{Memory, SystemLimits},
    spin,
};

/// How long all runs of one time may take together.
const LONGEST: Duration = Duration::from_secs(5);

/// Fewest runs of one time.
const FEWEST: u32 = 3;

/// How long iterations are counted.
const ITERATIONS_PROBE: Duration = Duration::from_millis(200);

/// The results of a calibration.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// One row for each clock and time.
    pub rows: Vec<CalibrationRow>,
    /// Iterations of InVitro's, each a hundred square roots, in a millisecond of one processor: `ITERATIONS_MULTIPLIER`.
    pub iterations_per_ms: u64,
}

/// The errors of one run time by one clock, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationRow {
    /// The clock that counted the run times.
    pub clock: RuntimeClock,
    /// What was asked for.
    pub requested: Duration,
    /// Number of measurements.
    pub runs: u32,
    /// Median of the errors.
    pub p50_us: f64,
    /// 99th percentile of the errors.
    pub p99_us: f64,
    /// The greatest error.
    pub max_us: f64,
}

/// Measures `times`, in milliseconds, up to `runs` times each.
///
/// # Errors
/// An invocation that could not be served.
pub async fn calibrate(times: &[u32], runs: u32) -> Result<Calibration, ConsumeError> {
    let memory = Memory::new(SystemLimits::of_this_process());
    let consumer = Consumer::new(memory, Behaviour::default(), None, TaskTracker::new());
    let mut rows = Vec::new();
    for clock in RuntimeClock::ALL {
        for millis in times {
            let requested = Duration::from_millis((*millis).into());
            let affordable = LONGEST.as_millis() / requested.as_millis().max(1);
            let runs = runs.min(u32::try_from(affordable).unwrap_or(u32::MAX)).max(FEWEST);
            rows.push(measure(&consumer, clock, requested, runs).await?);
        }
    }
    Ok(Calibration { rows, iterations_per_ms: iterations_per_ms() })
}

async fn measure(
    consumer: &Consumer,
    clock: RuntimeClock,
    requested: Duration,
    runs: u32,
) -> Result<CalibrationRow, ConsumeError> {
    let mut errors = Vec::new();
    for _ in 0..runs {
        let demand = Demand { runtime: requested, memory_mib: 0, clock: Some(clock) };
        let consumed = consumer.consume(clock::now(), demand).await?;
        let time = match clock {
            RuntimeClock::Wall => consumed.wall,
            RuntimeClock::Cpu => consumed.cpu,
        };
        errors.push((time.as_secs_f64() - requested.as_secs_f64()) * 1e6);
    }
    errors.sort_by(f64::total_cmp);
    let [p50_us, p99_us, max_us] = [0.5, 0.99, 1.0].map(|share| quantile(&errors, share));
    Ok(CalibrationRow { clock, requested, runs, p50_us, p99_us, max_us })
}

/// The value that a share of `sorted` does not exceed; 0 of none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the length of a slice")]
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or_default()
}

/// Iterations that the calling thread does in a millisecond of its CPU time, rounded.
fn iterations_per_ms() -> u64 {
    const PIECE: u64 = 100;
    let begun = clock::thread_cpu();
    let mut iterations = 0_u64;
    loop {
        // It is never cancelled.
        let _done = spin::iterate(PIECE, || false);
        iterations += PIECE;
        let consumed = clock::thread_cpu().saturating_sub(begun);
        if consumed >= ITERATIONS_PROBE {
            let nanos = consumed.as_nanos();
            return u64::try_from((u128::from(iterations) * 1_000_000 + nanos / 2) / nanos).unwrap_or(u64::MAX);
        }
    }
}

impl Calibration {
    /// The results as a table for people.
    pub fn table(&self) -> String {
        let mut text = format!(
            "{:<6}{:>12}{:>7}{:>16}{:>16}{:>16}\n",
            "clock", "requested ms", "runs", "error p50 µs", "error p99 µs", "error max µs"
        );
        for CalibrationRow { clock, requested, runs, p50_us, p99_us, max_us } in &self.rows {
            let (clock, millis) = (clock.as_str(), requested.as_millis());
            // Text takes everything.
            let _written = writeln!(text, "{clock:<6}{millis:>12}{runs:>7}{p50_us:>16.1}{p99_us:>16.1}{max_us:>16.1}");
        }
        let _written = writeln!(text, "\nITERATIONS_MULTIPLIER={}", self.iterations_per_ms);
        text
    }

    /// The results as JSON.
    pub fn json(&self) -> String {
        let row = |row: &CalibrationRow| {
            let CalibrationRow { clock, requested, runs, p50_us, p99_us, max_us } = row;
            format!(
                "{{\"clock\": \"{clock}\", \"requestedUs\": {}, \"runs\": {runs}, \"errorP50Us\": {p50_us:.1}, \
                 \"errorP99Us\": {p99_us:.1}, \"errorMaxUs\": {max_us:.1}}}",
                requested.as_micros()
            )
        };
        let rows: Vec<_> = self.rows.iter().map(row).collect();
        format!("{{\"rows\": [{}], \"iterationsMultiplier\": {}}}\n", rows.join(", "), self.iterations_per_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let values: Vec<_> = (1..=100).map(f64::from).collect();
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|share| quantile(&values, share).to_string()), ["1", "50", "99", "100"]);
        assert_eq!(quantile(&[], 0.5).to_string(), "0");
    }

    #[test]
    fn the_table_and_the_json_say_the_same() {
        let row = CalibrationRow {
            clock: RuntimeClock::Cpu,
            requested: Duration::from_millis(20),
            runs: 50,
            p50_us: 1.25,
            p99_us: 3.5,
            max_us: -4.0,
        };
        let found = Calibration { rows: vec![row], iterations_per_ms: 12_345 };
        assert_eq!(
            found.table(),
            "clock requested ms   runs    error p50 µs    error p99 µs    error max µs\n\
             cpu             20     50             1.2             3.5            -4.0\n\
             \n\
             ITERATIONS_MULTIPLIER=12345\n"
        );
        assert_eq!(
            found.json(),
            "{\"rows\": [{\"clock\": \"cpu\", \"requestedUs\": 20000, \"runs\": 50, \"errorP50Us\": 1.2, \
             \"errorP99Us\": 3.5, \"errorMaxUs\": -4.0}], \"iterationsMultiplier\": 12345}\n"
        );
    }

    #[tokio::test]
    async fn each_time_is_measured_by_both_clocks_and_never_falls_short() {
        let found = calibrate(&[1, 2], 4).await.unwrap();
        let rows: Vec<_> =
            found.rows.iter().map(|row| (row.clock.as_str(), row.requested.as_millis(), row.runs)).collect();
        assert_eq!(rows, [("wall", 1, 4), ("wall", 2, 4), ("cpu", 1, 4), ("cpu", 2, 4)]);
        assert!(found.rows.iter().all(|row| row.p50_us >= 0.0), "{found:?}");
        assert!(found.iterations_per_ms > 0);
    }
}
