//! What the run under way was like so far: a moment for each second, or for more of them when it is long. Pure.

use loader_report::live::Moment;

use crate::{id::RunId, run::RunProgress};

/// Most moments that are kept; then each two become one.
const MOST: usize = 2000;

/// The moments of one run.
#[derive(Debug, Default)]
pub(super) struct History {
    run: Option<RunId>,
    moments: Vec<Moment>,
    /// How many seconds a moment stands for.
    seconds: f64,
    before: Before,
}

/// The counts at the last moment.
#[derive(Debug, Clone, Copy, Default)]
struct Before {
    at: f64,
    failed: u64,
    cold: u64,
}

impl History {
    /// Takes how far a run is now. With another run the history begins anew.
    pub(super) fn add(&mut self, run: &RunId, progress: &RunProgress) {
        if self.run.as_ref() != Some(run) {
            *self = Self { run: Some(run.clone()), seconds: 1.0, ..Self::default() };
        }
        let Some(at) = progress.elapsed.map(|elapsed| elapsed.as_secs_f64()).filter(|at| *at > 0.0) else { return };
        let passed = at - self.before.at;
        // A look comes about once a second, sometimes a little early.
        if passed < self.seconds * 0.8 {
            return;
        }
        let rate = |count: u64, before: u64| count.saturating_sub(before) as f64 / passed;
        let micros = |us: Option<u64>| us.map(|us| us as f64);
        self.moments.push(Moment {
            at,
            requested: progress.target_rate,
            achieved: progress.achieved_rate,
            failed: rate(progress.failed, self.before.failed),
            cold: rate(progress.cold_starts, self.before.cold),
            in_flight: progress.in_flight as f64,
            response_p50_us: micros(progress.response_p50_us),
            response_p99_us: micros(progress.response_p99_us),
            lag_p99_us: micros(progress.lag_p99_us),
            own_lag_p99_us: micros(progress.own_lag_p99_us),
        });
        self.before = Before { at, failed: progress.failed, cold: progress.cold_starts };
        if self.moments.len() >= MOST {
            self.moments = self.moments.chunks(2).filter_map(merged).collect();
            self.seconds *= 2.0;
        }
    }

    /// The moments of a run.
    pub(super) fn of(&self, run: &RunId) -> &[Moment] {
        if self.run.as_ref() == Some(run) { &self.moments } else { &[] }
    }
}

/// Several moments as one: means of rates and medians, the greatest of what must not be lost.
fn merged(moments: &[Moment]) -> Option<Moment> {
    let count = moments.len() as f64;
    let mean = |value: fn(&Moment) -> f64| moments.iter().map(value).sum::<f64>() / count;
    let greatest = |value: fn(&Moment) -> Option<f64>| moments.iter().filter_map(value).max_by(f64::total_cmp);
    let medians: Vec<_> = moments.iter().filter_map(|it| it.response_p50_us).collect();
    Some(Moment {
        at: moments.last()?.at,
        requested: mean(|it| it.requested),
        achieved: mean(|it| it.achieved),
        failed: mean(|it| it.failed),
        cold: mean(|it| it.cold),
        in_flight: greatest(|it| Some(it.in_flight)).unwrap_or_default(),
        response_p50_us: (!medians.is_empty()).then(|| medians.iter().sum::<f64>() / medians.len() as f64),
        response_p99_us: greatest(|it| it.response_p99_us),
        lag_p99_us: greatest(|it| it.lag_p99_us),
        own_lag_p99_us: greatest(|it| it.own_lag_p99_us),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn progress(seconds: u64, failed: u64) -> RunProgress {
        RunProgress { elapsed: Some(Duration::from_secs(seconds)), failed, target_rate: 5.0, ..RunProgress::default() }
    }

    #[test]
    fn counts_become_rates_and_another_run_begins_anew() {
        let (one, other) = (RunId::new(0, 1), RunId::new(0, 2));
        let mut history = History::default();
        history.add(&one, &RunProgress::default());
        assert!(history.of(&one).is_empty(), "before the load there is nothing to be seen");
        history.add(&one, &progress(1, 2));
        // The same second again.
        history.add(&one, &RunProgress { elapsed: Some(Duration::from_millis(1300)), ..progress(1, 9) });
        history.add(&one, &progress(3, 6));
        let failed: Vec<_> = history.of(&one).iter().map(|it| (it.at, it.failed)).collect();
        assert_eq!(failed, [(1.0, 2.0), (3.0, 2.0)]);
        assert!(history.of(&other).is_empty());
        history.add(&other, &progress(5, 0));
        assert_eq!((history.of(&one).len(), history.of(&other).len()), (0, 1));
    }

    #[test]
    fn a_long_run_is_kept_whole_and_loses_no_peak() {
        let run = RunId::new(0, 1);
        let mut history = History::default();
        for second in 1..=100_000 {
            let lag = if second == 777 { 5_000_000 } else { 10 };
            history.add(&run, &RunProgress { lag_p99_us: Some(lag), ..progress(second, second) });
        }
        let moments = history.of(&run);
        assert!((MOST / 2..MOST).contains(&moments.len()), "{}", moments.len());
        assert!(moments.is_sorted_by(|one, other| one.at < other.at));
        assert!(moments[0].at < 130.0 && moments.last().is_some_and(|it| it.at > 99_900.0));
        assert!(moments.iter().filter_map(|it| it.lag_p99_us).any(|lag| lag > 4_999_999.0), "no peak is lost");
        assert!(moments.iter().all(|it| (it.failed - 1.0).abs() < 1e-9));
    }
}
