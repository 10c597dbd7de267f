//! A row of invocations.csv, as far as a report needs it.

/// The columns that a report reads, in the order of [`Invocation`]'s fields.
pub(crate) const COLUMNS: [&str; 14] = [
    "function",
    "phase",
    "mark",
    "status",
    "due_unix_us",
    "sent_unix_us",
    "dispatch_lag_us",
    "connect_us",
    "stream_wait_us",
    "response_us",
    "receive_lag_us",
    "requested_runtime_us",
    "actual_runtime_us",
    "cold_start",
];

/// How many of them are text; they come first.
pub(super) const TEXTS: usize = 4;

/// The place of `cold_start`, the only boolean.
pub(super) const COLD: usize = 13;

/// Those that a row can't be without.
pub(super) const REQUIRED: [&str; 3] = ["function", "status", "due_unix_us"];

/// A row. What is absent in the file is `None`, or empty text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Invocation<'r> {
    pub(crate) function: &'r [u8],
    pub(crate) phase: &'r [u8],
    pub(crate) mark: &'r [u8],
    pub(crate) status: &'r [u8],
    pub(crate) due_unix_us: i64,
    pub(crate) sent_unix_us: Option<i64>,
    pub(crate) dispatch_lag_us: Option<i64>,
    pub(crate) connect_us: Option<i64>,
    pub(crate) stream_wait_us: Option<i64>,
    pub(crate) response_us: Option<i64>,
    pub(crate) receive_lag_us: Option<i64>,
    pub(crate) requested_runtime_us: Option<i64>,
    pub(crate) actual_runtime_us: Option<i64>,
    pub(crate) cold_start: Option<bool>,
}

impl Invocation<'_> {
    /// Whether it succeeded.
    pub(crate) fn ok(&self) -> bool {
        self.status == b"ok"
    }

    /// Whether it is of the measured phase, and so in counts. Files without phases have measured rows only.
    pub(crate) fn measured(&self) -> bool {
        self.phase == b"measure" || self.phase.is_empty()
    }

    /// Whether it is in distributions, too: not of a step's own warm-up.
    pub(crate) fn distributed(&self) -> bool {
        self.measured() && self.mark != b"step_warmup"
    }

    /// The loader's own part of the dispatch lag, in microseconds; absent when it was not sent.
    pub(crate) fn own_lag_us(&self) -> Option<u64> {
        let waited = self.connect_us.unwrap_or(0) + self.stream_wait_us.unwrap_or(0);
        self.dispatch_lag_us.map(|lag| u64::try_from(lag - waited).unwrap_or(0))
    }

    /// Response minus execution, in microseconds; absent where the function reports more than the response took, or nothing.
    pub(crate) fn scheduling_latency_us(&self) -> Option<u64> {
        u64::try_from(self.response_us? - self.actual_runtime_us?).ok()
    }

    /// Response over requested run time; absent where no run time was requested.
    pub(crate) fn slowdown(&self) -> Option<f64> {
        let requested = self.requested_runtime_us.filter(|&us| us > 0)?;
        self.response_us.filter(|&us| us > 0).map(|response| response as f64 / requested as f64)
    }
}

/// A field that is not of its column's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) column: &'static str,
    pub(super) text: String,
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "column {}: {:?} is no value of it", self.column, self.text)
    }
}

/// Makes a row of fields, which `field` returns by their place in [`COLUMNS`].
pub(super) fn from_fields<'r>(field: impl Fn(usize) -> Option<&'r [u8]>) -> Result<Invocation<'r>, Wrong> {
    let text = |place: usize| field(place).unwrap_or_default();
    let number = |place: usize| match field(place) {
        None | Some(b"") => Ok(None),
        Some(digits) => integer(digits).map(Some).ok_or_else(|| wrong(place, digits)),
    };
    let cold_start = match field(COLD) {
        None | Some(b"") => None,
        Some(b"true") => Some(true),
        Some(b"false") => Some(false),
        Some(other) => return Err(wrong(COLD, other)),
    };
    Ok(Invocation {
        function: text(0),
        phase: text(1),
        mark: text(2),
        status: text(3),
        due_unix_us: number(TEXTS)?.ok_or_else(|| wrong(TEXTS, b""))?,
        sent_unix_us: number(5)?,
        dispatch_lag_us: number(6)?,
        connect_us: number(7)?,
        stream_wait_us: number(8)?,
        response_us: number(9)?,
        receive_lag_us: number(10)?,
        requested_runtime_us: number(11)?,
        actual_runtime_us: number(12)?,
        cold_start,
    })
}

fn wrong(place: usize, bytes: &[u8]) -> Wrong {
    let text = String::from_utf8_lossy(bytes).chars().take(40).collect();
    Wrong { column: COLUMNS.get(place).copied().unwrap_or_default(), text }
}

/// A whole number of at most 62 bits, so that sums of a few of them can't overflow.
fn integer(digits: &[u8]) -> Option<i64> {
    let (negative, digits) = match digits.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut number = 0_i64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + i64::from(digit);
    }
    Some(if negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_and_nothing_else() {
        for (text, number) in [
            ("0", Some(0)),
            ("-17", Some(-17)),
            ("1795359600000000", Some(1_795_359_600_000_000)),
            ("999999999999999999", Some(999_999_999_999_999_999)),
            ("1000000000000000000", None),
            ("", None),
            ("-", None),
            ("1.5", None),
            (" 1", None),
            ("1e3", None),
        ] {
            assert_eq!(integer(text.as_bytes()), number, "{text:?}");
        }
    }

    #[test]
    fn figures_follow_their_definitions() {
        let row = Invocation {
            dispatch_lag_us: Some(900),
            connect_us: Some(500),
            stream_wait_us: Some(100),
            response_us: Some(5_000),
            actual_runtime_us: Some(4_000),
            requested_runtime_us: Some(2_500),
            ..Invocation::default()
        };
        assert_eq!(
            (row.own_lag_us(), row.scheduling_latency_us(), row.slowdown()),
            (Some(300), Some(1_000), Some(2.0))
        );
        let longer = Invocation { actual_runtime_us: Some(6_000), requested_runtime_us: Some(0), ..row };
        assert_eq!((longer.scheduling_latency_us(), longer.slowdown()), (None, None));
        assert_eq!(Invocation::default().own_lag_us(), None);
    }
}
