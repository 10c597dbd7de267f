//! Verdicts on slots, in numbers and as text.

use std::{fmt, time::Duration};

use super::punctuality::Lateness;
use crate::id::WorkerIndex;

/// Verdicts that are listed in a reason; the others are counted.
const LISTED: usize = 3;

/// A worker that was the bottleneck in a slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SaturatedWorker {
    pub(super) index: WorkerIndex,
    pub(super) lateness: Lateness,
}

/// Why the loader was the bottleneck in a slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Saturated {
    pub(super) slot: u32,
    /// How late the loader was, or the worker.
    pub(super) lateness: Lateness,
    /// The worker, and how many others were, too; absent of a run without workers.
    pub(super) worker: Option<(WorkerIndex, u32)>,
    /// How many workers like this loader would about do; absent where the rows do not tell.
    pub(super) workers_needed: Option<u32>,
}

impl fmt::Display for Saturated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, lateness, worker, workers_needed } = self;
        let Lateness { own_lag_p99, attempted, planned, missed: _ } = lateness;
        write!(f, "slot {slot}: ")?;
        match (own_lag_p99.map(|lag| lag.as_secs_f64() * 1e3), worker) {
            (Some(lag), None) => write!(f, "the loader's own lag p99 {lag:.1} ms")?,
            (Some(lag), Some((worker, _))) => write!(f, "own lag p99 of worker {worker} {lag:.1} ms")?,
            (None, None) => write!(f, "{attempted} of {planned} invocations sent in time")?,
            (None, Some((worker, _))) => {
                write!(f, "{attempted} of {planned} invocations of worker {worker} sent in time")?;
            }
        }
        match worker.map_or(0, |(_, others)| others) {
            0 => {}
            1 => write!(f, ", and 1 more worker was late")?,
            others => write!(f, ", and {others} more workers were late")?,
        }
        if let Some(needed) = workers_needed {
            write!(f, "; about {needed} workers like this loader would do")?;
        }
        Ok(())
    }
}

/// Why a slot was not open-loop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Held {
    pub(super) slot: u32,
    /// Invocations that waited longer than `bound`, or were not sent for it.
    pub(super) held: u64,
    /// Invocations of the slot.
    pub(super) of: u64,
    pub(super) bound: Duration,
    /// The peer's limit of streams that was waited for.
    pub(super) stream_limit: Option<u32>,
    /// With how many connections none would have waited for a stream.
    pub(super) connections_needed: Option<u32>,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, held, of, bound, stream_limit, connections_needed } = self;
        let what = if stream_limit.is_some() { "stream" } else { "connection" };
        let bound = humantime::format_duration(*bound);
        write!(
            f,
            "slot {slot}: {held} of {of} invocations waited longer than {bound} for a {what}, or were not sent for it"
        )?;
        if let Some(limit) = stream_limit {
            write!(f, "; the peer allows {limit} concurrent streams on a connection")?;
        }
        if let Some(needed) = connections_needed {
            write!(f, ", {needed} connections would do")?;
        }
        Ok(())
    }
}

/// The first verdicts, and how many more there are.
pub(super) fn reason<T: fmt::Display>(verdicts: &[T]) -> String {
    let listed: Vec<_> = verdicts.iter().take(LISTED).map(ToString::to_string).collect();
    let listed = listed.join("; ");
    match verdicts.len().saturating_sub(LISTED) {
        0 => listed,
        1 => format!("{listed}; and 1 more slot"),
        more => format!("{listed}; and {more} more slots"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_say_what_happened_and_what_would_do() {
        let late = Lateness { own_lag_p99: Some(Duration::from_micros(12_345)), attempted: 9, planned: 9, missed: 1 };
        let late = Saturated { slot: 1, lateness: late, worker: None, workers_needed: None };
        let short = Lateness { own_lag_p99: None, attempted: 5, ..late.lateness };
        let short = Saturated { slot: 2, lateness: short, ..late };
        let held = Held {
            slot: 3,
            held: 412,
            of: 600,
            bound: Duration::from_millis(10),
            stream_limit: Some(100),
            connections_needed: Some(6),
        };
        let waited = "invocations waited longer than 10ms for a";
        assert_eq!(
            [late.to_string(), short.to_string(), held.to_string()],
            [
                "slot 1: the loader's own lag p99 12.3 ms".to_owned(),
                "slot 2: 5 of 9 invocations sent in time".to_owned(),
                format!(
                    "slot 3: 412 of 600 {waited} stream, or were not sent for it; the peer allows 100 concurrent streams on a \
                     connection, 6 connections would do"
                ),
            ]
        );
        let connecting = Held { stream_limit: None, connections_needed: None, ..held };
        assert_eq!(connecting.to_string(), format!("slot 3: 412 of 600 {waited} connection, or were not sent for it"));
    }

    #[test]
    fn a_verdict_names_the_worker_or_how_many_would_do() {
        let short = Lateness { own_lag_p99: None, attempted: 5, planned: 9, missed: 4 };
        let late = Lateness { own_lag_p99: Some(Duration::from_millis(20)), ..short };
        let needing = Saturated { slot: 2, lateness: short, worker: None, workers_needed: Some(3) };
        let of_worker = |others, lateness| {
            let worker = Some((WorkerIndex(7), others));
            Saturated { slot: 4, lateness, worker, workers_needed: None }.to_string()
        };
        assert_eq!(
            needing.to_string(),
            "slot 2: 5 of 9 invocations sent in time; about 3 workers like this loader would do"
        );
        assert_eq!(
            [of_worker(0, late), of_worker(0, short), of_worker(1, late), of_worker(2, late)],
            [
                "slot 4: own lag p99 of worker 7 20.0 ms",
                "slot 4: 5 of 9 invocations of worker 7 sent in time",
                "slot 4: own lag p99 of worker 7 20.0 ms, and 1 more worker was late",
                "slot 4: own lag p99 of worker 7 20.0 ms, and 2 more workers were late",
            ]
        );
    }

    #[test]
    fn many_verdicts_are_counted() {
        assert_eq!(reason::<u32>(&[]), "");
        assert_eq!(reason(&[1, 2, 3]), "1; 2; 3");
        assert_eq!(reason(&[1, 2, 3, 4]), "1; 2; 3; and 1 more slot");
        assert_eq!(reason(&[1, 2, 3, 4, 5]), "1; 2; 3; and 2 more slots");
    }
}
