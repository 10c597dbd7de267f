//! Expectations that end a run, judged while it goes.

use std::time::Duration;

use loader_report::{expectation::Expectation, indicator::Figures};
use tokio::time::Instant;

use super::{Statistics, Summary, summary::so_far};

/// How often they are judged: percentiles of all rows are not for nothing.
const PERIOD: Duration = Duration::from_secs(1);

/// An expectation that was missed while the run went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// The expectation, as in the spec.
    pub expectation: String,
    /// What the figure was.
    pub shown: String,
}

/// The figures of a load by name, before its end.
type Read = Box<dyn Fn(&Summary) -> Figures + Send>;

/// Judges the expectations that end a run.
pub struct Aborts {
    expectations: Vec<(Expectation, Duration)>,
    read: Read,
    /// When the measured phase began.
    begun: Option<Instant>,
    judged: Option<Instant>,
}

impl Aborts {
    /// Those of a spec's expectations that end a run; absent where none does. Figures are read by `read`.
    pub fn of(expectations: &[Expectation], read: impl Fn(&Summary) -> Figures + Send + 'static) -> Option<Self> {
        let aborting = expectations.iter().filter_map(|it| Some((it.clone(), it.abort?)));
        let expectations: Vec<_> = aborting.collect();
        (!expectations.is_empty()).then(|| Self { expectations, read: Box::new(read), begun: None, judged: None })
    }

    /// The first expectation that is missed by what was recorded so far. What is not known yet is not missed.
    pub(super) fn judge(&mut self, now: Instant, is_measuring: bool, statistics: &Statistics) -> Option<Missed> {
        if !is_measuring {
            return None;
        }
        let measured = now.saturating_duration_since(*self.begun.get_or_insert(now));
        let is_due = |it: &&(Expectation, Duration)| measured >= it.1;
        let is_early = self.judged.is_some_and(|judged| now.saturating_duration_since(judged) < PERIOD);
        if is_early || !self.expectations.iter().any(|it| is_due(&it)) {
            return None;
        }
        self.judged = Some(now);
        let figures = (self.read)(&so_far(statistics));
        let mut judged = self.expectations.iter().filter(is_due).map(|(expectation, _)| expectation.judge(&figures));
        let missed = judged.find(|it| it.is_met == Some(false))?;
        Some(Missed { expectation: missed.expectation, shown: missed.shown })
    }
}

#[cfg(test)]
mod tests {
    use loader_report::expectation::Than;

    use super::*;
    use crate::{
        clock::Clock,
        record::{AskedArrivals, statistics::Rules},
    };

    fn statistics() -> Statistics {
        let rules = Rules { t0: Clock.anchor(), lag_bound: Duration::from_millis(10), slo: None, is_timed: true };
        Statistics::new(0, AskedArrivals::Planned, rules)
    }

    fn expectation(text: &str) -> Expectation {
        Expectation::parse(text, Than::Nothing).expect(text)
    }

    /// Judges runs whose median response is `p50`, where it is known.
    fn aborts(texts: &[&str], p50: Option<f64>) -> Option<Aborts> {
        let texts: Vec<_> = texts.iter().map(|text| expectation(text)).collect();
        Aborts::of(&texts, move |_| p50.map(|p50| ("response.p50".to_owned(), p50)).into_iter().collect())
    }

    #[test]
    fn a_run_is_ended_once_the_measured_phase_has_lasted_long_enough() {
        let (begin, seconds) = (Clock.now(), Duration::from_secs);
        let mut aborts =
            aborts(&["response.p50 < 1s", "response.p50 < 5ms abort after 10s"], Some(8000.0)).expect("some");
        let statistics = statistics();
        assert_eq!(aborts.judge(begin, false, &statistics), None, "it warms up");
        assert_eq!(aborts.judge(begin + seconds(60), true, &statistics), None, "the measured phase has just begun");
        assert_eq!(aborts.judge(begin + seconds(69), true, &statistics), None);
        let missed = aborts.judge(begin + seconds(70), true, &statistics).expect("missed");
        assert_eq!(
            (missed.expectation.as_str(), missed.shown.as_str()),
            ("response.p50 < 5ms abort after 10s", "8 ms")
        );
    }

    #[test]
    fn what_is_met_or_not_known_yet_ends_nothing() {
        let begin = Clock.now();
        for p50 in [None, Some(4000.0)] {
            let mut aborts = aborts(&["response.p50 < 5ms abort after 0s"], p50).expect("some");
            assert_eq!(aborts.judge(begin, true, &statistics()), None, "{p50:?}");
        }
        assert!(aborts(&["response.p50 < 5ms"], Some(1.0)).is_none(), "nothing is to be judged");
    }

    #[test]
    fn figures_are_read_once_a_second_at_most() {
        let read = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        let counted = std::sync::Arc::clone(&read);
        let of = [expectation("failed < 1% abort after 0s")];
        let mut aborts = Aborts::of(&of, move |_| {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Figures::default()
        });
        let (begin, statistics) = (Clock.now(), statistics());
        for tick in 0..9 {
            let _none =
                aborts.as_mut().expect("some").judge(begin + Duration::from_millis(250) * tick, true, &statistics);
        }
        assert_eq!(read.load(std::sync::atomic::Ordering::Relaxed), 3);
    }
}
