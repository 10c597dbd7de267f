//! Whether the measured phase of a run was steady.

use std::time::Duration;

use super::slots::SlotRow;
use crate::{
    plan::Phase,
    steady::{Finding, LEAST, Thinned, Trend, overall},
};

/// The judgement of a measured phase.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SteadyState {
    /// `steady`, `trending` or `too short`.
    pub verdict: &'static str,
    /// What was found, as text.
    pub reason: String,
    /// By how much the level changes in a minute, as a share of the level; absent unless it is trending.
    pub trend_per_minute: Option<f64>,
    /// Number of latencies.
    pub points: u64,
}

/// Judges the scheduling latencies of the measured slots, in the order of completion.
///
/// A phase whose rate changes from slot to slot is judged as a whole like any other: latencies that change with the rate are no
/// steady state.
pub(super) fn of(latencies: &Thinned, slots: &[SlotRow]) -> SteadyState {
    let length: Duration = slots.iter().filter(|row| row.phase == Phase::Measure).map(|row| row.duration).sum();
    let (values, points) = (latencies.values(), latencies.count() as u64);
    let too_short = |reason: &str| SteadyState {
        verdict: "too short",
        reason: reason.to_owned(),
        points,
        ..SteadyState::default()
    };
    if length < LEAST {
        return too_short("less than a minute was measured");
    }
    let finding = overall(values);
    let minutes = length.as_secs_f64() / 60.0;
    let trend = match finding {
        Finding::TooFew => return too_short("fewer than 200 scheduling latencies"),
        Finding::Steady { .. } => None,
        // Both halves have their level in their middle.
        Finding::LevelChanged { from, to } => Some((to - from) / from / (minutes / 2.0)),
        Finding::Trending(Trend { slope, .. }) => mean(values).map(|mean| slope * values.len() as f64 / mean / minutes),
        Finding::Spiking { .. } | Finding::Wandering { .. } => {
            let (first, second) = values.split_at(values.len() / 2);
            mean(first).zip(mean(second)).map(|(from, to)| (to - from) / from / (minutes / 2.0))
        }
    };
    let verdict = if finding.is_steady() { "steady" } else { "trending" };
    let trend_per_minute = trend.filter(|trend| trend.is_finite());
    SteadyState { verdict, reason: finding.to_string(), trend_per_minute, points }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::UnixMicros, record::slots::SlotRow, steady::series::Series};

    fn slot(phase: Phase, duration: Duration) -> SlotRow {
        SlotRow {
            slot: 0,
            phase,
            start: UnixMicros(0),
            duration,
            rps: 1.0,
            planned: 0,
            issued: 0,
            returned: 0,
            failed: 0,
            cold_starts: 0,
            lag_p99_us: None,
            saturated: false,
            response_p50_us: None,
            response_p99_us: None,
            own_lag_p99_us: None,
            open_loop: true,
            memory_peak_mib: 0,
            memory_mean_mib: None,
        }
    }

    fn judged(values: &[f64], slots: &[SlotRow]) -> SteadyState {
        let mut latencies = Thinned::default();
        values.iter().for_each(|&value| latencies.push(value));
        of(&latencies, slots)
    }

    #[test]
    fn the_length_and_the_number_of_values_must_do() {
        let (short, long) = (Duration::from_secs(59), Duration::from_mins(2));
        let one = judged(&[1.0; 500], &[slot(Phase::Measure, short), slot(Phase::Warmup, long)]);
        assert_eq!((one.verdict, one.reason.as_str()), ("too short", "less than a minute was measured"));
        let few = judged(&[1.0; 199], &[slot(Phase::Measure, long)]);
        assert_eq!(
            (few.verdict, few.reason.as_str(), few.points),
            ("too short", "fewer than 200 scheduling latencies", 199)
        );
    }

    #[test]
    fn a_level_that_stays_is_steady_and_one_that_moves_has_its_trend() {
        let slots = [slot(Phase::Measure, Duration::from_mins(10))];
        let series = |kind, seed| Series::of(kind, seed, 10.0);
        let of_kind = |kind, seed| {
            let series = series(kind, seed);
            judged(series.between(Duration::ZERO, series.length()), &slots)
        };
        let steady = (0..10).filter(|&seed| of_kind("white", seed).verdict == "steady").count();
        assert!(steady >= 8, "{steady} of 10");
        let SteadyState { verdict, trend_per_minute, .. } = of_kind("growth", 1);
        // One percent of the first level a second: from 1 to 7, whose halves lie at 2.5 and 5.5.
        let trend = trend_per_minute.expect("it grows");
        assert!(verdict == "trending" && trend > 0.1 && trend < 0.4, "{trend}");
    }
}
