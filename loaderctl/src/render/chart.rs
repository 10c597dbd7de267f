//! The last minutes of a run as rows of characters, one for each figure.
//!
//! Drawn by hand, on top of what `indicatif` already does: `ratatui` takes the whole screen, an event loop and a hundred crates for four
//! rows that nobody clicks on, and what it drew would be gone when the run has ended. Block characters of one row each are a table lookup.

use std::{collections::VecDeque, time::Duration};

use loader_proto::v1::{Run, RunProgress};

use super::{
    progress,
    units::{known, micros, rate},
};

/// Columns of a chart.
const COLUMNS: usize = 40;

/// How much of a run's time a column stands for.
const COLUMN: Duration = Duration::from_secs(5);

/// From nothing to the greatest value.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What a column shows: the last values of its time.
#[derive(Debug, Clone, Copy, Default)]
struct Column {
    number: u64,
    rate: f64,
    p50: Option<u64>,
    p99: Option<u64>,
    in_flight: u64,
}

/// The last minutes of a run that is followed.
#[derive(Debug, Default)]
pub(crate) struct History {
    columns: VecDeque<Column>,
}

impl History {
    /// Takes the run as it is now. Before the load there is nothing to take.
    pub(crate) fn add(&mut self, run: &Run) {
        let Some(RunProgress { achieved_rate, response_p50_us, response_p99_us, in_flight, elapsed: Some(_), .. }) =
            &run.progress
        else {
            return;
        };
        let number = progress::elapsed(run).as_secs() / COLUMN.as_secs();
        let column = Column {
            number,
            rate: *achieved_rate,
            p50: *response_p50_us,
            p99: *response_p99_us,
            in_flight: *in_flight,
        };
        // Also where the time of the run goes back, as after a restart of what is followed.
        while self.columns.back().is_some_and(|last| last.number >= number) {
            self.columns.pop_back();
        }
        self.columns.push_back(column);
        while self.columns.front().is_some_and(|first| first.number + COLUMNS as u64 <= number) {
            self.columns.pop_front();
        }
    }

    /// A row for each figure, at most 80 columns wide; none before there are two columns.
    pub(crate) fn rows(&self) -> Vec<String> {
        if self.columns.len() < 2 {
            return Vec::new();
        }
        let us = |us: f64| micros(super::units::whole(us));
        vec![
            row("rate", &self.values(|it| Some(it.rate)), rate),
            row("p50", &self.values(|it| it.p50.map(|us| us as f64)), us),
            row("p99", &self.values(|it| it.p99.map(|us| us as f64)), us),
            row("in flight", &self.values(|it| Some(it.in_flight as f64)), |count| format!("{count:.0}")),
        ]
    }

    /// The values of a figure by column, up to the last one; absent in a column of which nothing was heard.
    fn values(&self, of: impl Fn(&Column) -> Option<f64>) -> Vec<Option<f64>> {
        let Some(last) = self.columns.back().map(|column| column.number) else { return Vec::new() };
        let first = self.columns.front().map_or(last, |column| column.number);
        (first..=last).map(|number| self.columns.iter().find(|column| column.number == number).and_then(&of)).collect()
    }
}

/// A name, a chart from zero to the greatest value, and that value.
fn row(name: &str, values: &[Option<f64>], text: impl Fn(f64) -> String) -> String {
    let greatest = values.iter().flatten().copied().reduce(f64::max);
    let level = |value: &Option<f64>| match (value, greatest) {
        (Some(value), Some(greatest)) if greatest > 0.0 => {
            let at = super::units::whole((value / greatest * (LEVELS.len() - 1) as f64).max(0.0));
            LEVELS[usize::try_from(at).unwrap_or_default().min(LEVELS.len() - 1)]
        }
        (Some(_), _) => LEVELS[0],
        (None, _) => ' ',
    };
    let drawn: String = values.iter().map(level).collect();
    format!("{name:<10}{drawn:<COLUMNS$}  up to {}", known(greatest, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixtures;

    fn at(seconds: i64, rate: f64, p99: Option<u64>) -> Run {
        let mut run = fixtures::running();
        let elapsed = Some(prost_types::Duration { seconds, nanos: 0 });
        let progress = RunProgress {
            elapsed,
            achieved_rate: rate,
            response_p50_us: None,
            response_p99_us: p99,
            in_flight: 0,
            ..RunProgress::default()
        };
        run.progress = Some(progress);
        run
    }

    #[test]
    fn rows_grow_with_the_run_and_gaps_stay_empty() {
        let mut history = History::default();
        history.add(&at(0, 50.0, None));
        assert_eq!(history.rows(), [""; 0]);
        // Of a column its last value counts; from 10 to 20 s nothing was heard.
        for (seconds, rate, p99) in [(5, 1.0, None), (9, 100.0, Some(2_000)), (20, 25.0, Some(1_000))] {
            history.add(&at(seconds, rate, p99));
        }
        let rows: Vec<_> = history.rows().iter().map(|row| row.replace("   ", "")).collect();
        assert_eq!(history.rows()[0], format!("{:<10}{:<40}  up to 100/s", "rate", "▅█  ▃"));
        assert_eq!(history.rows()[2], format!("{:<10}{:<40}  up to 2.00 ms", "p99", " █  ▅"));
        assert!(history.rows()[1].ends_with("up to –"), "{rows:?}");
        assert!(history.rows()[3].contains("▁▁  ▁"), "{rows:?}");
    }

    #[test]
    fn a_long_run_keeps_its_last_minutes_within_80_columns() {
        let mut history = History::default();
        (0..5000).for_each(|second| history.add(&at(second, 123_456.0, Some(59_000_000))));
        assert_eq!(history.columns.len(), COLUMNS);
        assert!(history.rows().iter().all(|row| row.chars().count() + 2 <= 80), "{:?}", history.rows());
        // What is followed may begin anew.
        history.add(&at(3, 1.0, None));
        assert_eq!(history.columns.len(), 1);
    }
}
