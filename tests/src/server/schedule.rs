//! When each request is answered, and how: a pure function of the arrivals.

use std::{collections::VecDeque, time::Duration};

/// What a bounded queue answers when it is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// `RESOURCE_EXHAUSTED`.
    ResourceExhausted,
    /// `UNAVAILABLE`.
    Unavailable,
}

/// When a server answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Service {
    /// Each request so long after its arrival.
    After(Duration),
    /// One at a time in order of arrival, each `1 / rate` seconds: exactly so many a second as long as there are any.
    Queue {
        /// Answers per second.
        rate: f64,
        /// Requests that may be in the queue, the one in service included, and what the others get.
        bound: Option<(usize, Refusal)>,
    },
    /// Never.
    Never,
    /// All at once, at the multiples of a period since the epoch.
    Bursts(Duration),
    /// Everything at once with an error.
    Refuses(Refusal),
}

/// The state of a service.
#[derive(Debug)]
pub(super) struct Schedule {
    service: Service,
    /// When those in the queue leave it.
    departures: VecDeque<i64>,
}

impl Schedule {
    pub(super) fn new(service: Service) -> Self {
        Self { service, departures: VecDeque::new() }
    }

    /// When the request that arrived at `arrived` is answered, in nanoseconds, and with which error; `None`: never.
    pub(super) fn answer(&mut self, arrived: i64) -> Option<(i64, Option<Refusal>)> {
        match self.service {
            Service::After(delay) => Some((arrived + nanos(delay), None)),
            Service::Queue { rate, bound } => Some(self.queue(arrived, rate, bound)),
            Service::Never => None,
            Service::Bursts(period) => Some((arrived - arrived.rem_euclid(nanos(period)) + nanos(period), None)),
            Service::Refuses(refusal) => Some((arrived, Some(refusal))),
        }
    }

    fn queue(&mut self, arrived: i64, rate: f64, bound: Option<(usize, Refusal)>) -> (i64, Option<Refusal>) {
        // Departures are computed, not measured: a late answer does not slow the server.
        while self.departures.front().is_some_and(|&left| left <= arrived) {
            self.departures.pop_front();
        }
        if let Some((most, refusal)) = bound
            && self.departures.len() >= most
        {
            return (arrived, Some(refusal));
        }
        let begun = self.departures.back().map_or(arrived, |&last| last.max(arrived));
        let left = begun + nanos(Duration::from_secs_f64(1.0 / rate));
        self.departures.push_back(left);
        (left, None)
    }
}

fn nanos(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).expect("less than centuries")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn answers(service: Service, arrivals_ms: &[i64]) -> Vec<Option<(i64, Option<Refusal>)>> {
        let mut schedule = Schedule::new(service);
        let answers = arrivals_ms.iter().map(|at| schedule.answer(at * MS));
        answers.map(|answer| answer.map(|(at, refusal)| (at / MS, refusal))).collect()
    }

    #[test]
    fn a_queue_serves_one_at_a_time_and_idles_when_empty() {
        let found = answers(Service::Queue { rate: 200.0, bound: None }, &[0, 0, 1, 100, 103]);
        assert_eq!(found, [5, 10, 15, 105, 110].map(|at| Some((at, None))));
    }

    #[test]
    fn a_bounded_queue_refuses_what_exceeds_it_until_one_has_left() {
        let full = Some(Refusal::Unavailable);
        let service = Service::Queue { rate: 100.0, bound: Some((2, Refusal::Unavailable)) };
        let found = answers(service, &[0, 0, 0, 9, 10, 11]);
        assert_eq!(found, [(10, None), (20, None), (0, full), (9, full), (30, None), (11, full)].map(Some));
    }

    #[test]
    fn the_others_know_only_the_arrival() {
        assert_eq!(answers(Service::Never, &[0, 1]), [None, None]);
        let after = Service::After(Duration::from_millis(7));
        assert_eq!(answers(after, &[0, 1, 1]), [7, 8, 8].map(|at| Some((at, None))));
        let bursts = Service::Bursts(Duration::from_millis(50));
        assert_eq!(answers(bursts, &[0, 1, 49, 50, 99]), [50, 50, 50, 100, 100].map(|at| Some((at, None))));
        let refuses = Service::Refuses(Refusal::ResourceExhausted);
        assert_eq!(answers(refuses, &[3]), [Some((3, Some(Refusal::ResourceExhausted)))]);
    }
}
