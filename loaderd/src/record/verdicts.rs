//! Verdicts on slots, in numbers and as text.

use std::{fmt, time::Duration};

/// Verdicts that are listed in a reason; the others are counted.
const LISTED: usize = 3;

/// Why the loader was the bottleneck in a slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Saturated {
    pub(super) slot: u32,
    pub(super) own_lag_p99: Duration,
    pub(super) late: bool,
    pub(super) attempted: u64,
    pub(super) planned: u64,
}

impl fmt::Display for Saturated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, own_lag_p99, late, attempted, planned } = self;
        if *late {
            write!(f, "slot {slot}: the loader's own lag p99 {:.1} ms", own_lag_p99.as_secs_f64() * 1e3)
        } else {
            write!(f, "slot {slot}: {attempted} of {planned} invocations sent in time")
        }
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
        let late =
            Saturated { slot: 1, own_lag_p99: Duration::from_micros(12_345), late: true, attempted: 9, planned: 9 };
        let short = Saturated { slot: 2, late: false, attempted: 5, ..late };
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
    fn many_verdicts_are_counted() {
        assert_eq!(reason::<u32>(&[]), "");
        assert_eq!(reason(&[1, 2, 3]), "1; 2; 3");
        assert_eq!(reason(&[1, 2, 3, 4]), "1; 2; 3; and 1 more slot");
        assert_eq!(reason(&[1, 2, 3, 4, 5]), "1; 2; 3; and 2 more slots");
    }
}
