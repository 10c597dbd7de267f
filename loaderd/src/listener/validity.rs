//! When a certificate is valid, and when that is about to end.

use std::{fmt, time::Duration};

use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::clock::UnixMicros;

const DAY: Duration = Duration::from_hours(24);

/// How long before its end a certificate's validity is warned of: this, or a third of the whole where that is less, as of
/// certificates that are renewed each day.
const WARNED_BEFORE: Duration = Duration::from_hours(14 * 24);

/// The shortest and the longest interval of the warnings.
const INTERVALS: (Duration, Duration) = (Duration::from_mins(1), DAY);

/// The period in which a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    from: UnixMicros,
    until: UnixMicros,
}

/// How a certificate's validity stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Valid,
    /// It ends soon.
    Ends {
        until: UnixMicros,
        left: Duration,
    },
    /// It has ended.
    Ended {
        until: UnixMicros,
    },
    /// It has not begun.
    NotBegun {
        from: UnixMicros,
    },
}

impl Validity {
    /// That of a certificate; absent where it can't be read.
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        let micros = |seconds: i64| UnixMicros(seconds.saturating_mul(1_000_000));
        let validity = certificate.validity();
        Some(Self { from: micros(validity.not_before.timestamp()), until: micros(validity.not_after.timestamp()) })
    }

    pub(super) fn standing(self, now: UnixMicros) -> Standing {
        let Self { from, until } = self;
        let left = until.since(now);
        if now > until {
            Standing::Ended { until }
        } else if now < from {
            Standing::NotBegun { from }
        } else if left <= self.warned_before() {
            Standing::Ends { until, left }
        } else {
            Standing::Valid
        }
    }

    fn warned_before(self) -> Duration {
        WARNED_BEFORE.min(self.until.since(self.from) / 3)
    }

    /// After which time its standing is to be looked at again.
    pub(super) fn interval(self) -> Duration {
        let (shortest, longest) = INTERVALS;
        (self.warned_before() / 4).clamp(shortest, longest)
    }
}

impl Standing {
    /// Whether clients accept the certificate.
    pub(super) fn is_valid(self) -> bool {
        matches!(self, Self::Valid | Self::Ends { .. })
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Valid => f.write_str("is valid"),
            Self::Ends { until, left } if *left < DAY => {
                write!(f, "expires in {} hours, at {}", left.as_secs() / 3600, time(*until))
            }
            Self::Ends { until, left } => {
                write!(f, "expires in {} days, at {}", left.as_secs() / DAY.as_secs(), time(*until))
            }
            Self::Ended { until } => write!(f, "has expired at {}", time(*until)),
            Self::NotBegun { from } => write!(f, "is not valid before {}", time(*from)),
        }
    }
}

fn time(at: UnixMicros) -> jiff::Timestamp {
    // The bounds of certificates are those of dates.
    jiff::Timestamp::from_microsecond(at.0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UnixMicros {
        UnixMicros(text.parse::<jiff::Timestamp>().expect("a time").as_microsecond())
    }

    #[test]
    fn the_end_of_a_certificate_is_warned_of() {
        let validity = Validity { from: at("2026-01-01T00:00:00Z"), until: at("2026-04-01T00:00:00Z") };
        for (now, text, valid) in [
            ("2025-12-31T23:59:59Z", "is not valid before 2026-01-01T00:00:00Z", false),
            ("2026-01-01T00:00:00Z", "is valid", true),
            ("2026-03-17T00:00:00Z", "is valid", true),
            ("2026-03-18T00:00:00Z", "expires in 14 days, at 2026-04-01T00:00:00Z", true),
            ("2026-03-31T22:30:00Z", "expires in 1 hours, at 2026-04-01T00:00:00Z", true),
            ("2026-04-01T00:00:01Z", "has expired at 2026-04-01T00:00:00Z", false),
        ] {
            let standing = validity.standing(at(now));
            assert_eq!((standing.to_string().as_str(), standing.is_valid()), (text, valid), "{now}");
        }
        assert_eq!(validity.interval(), DAY);
    }

    #[test]
    fn one_of_a_day_is_warned_of_in_its_last_third() {
        let validity = Validity { from: at("2026-01-01T00:00:00Z"), until: at("2026-01-02T00:00:00Z") };
        assert_eq!(validity.standing(at("2026-01-01T15:00:00Z")), Standing::Valid);
        assert_eq!(
            validity.standing(at("2026-01-01T16:00:00Z")).to_string(),
            "expires in 8 hours, at 2026-01-02T00:00:00Z"
        );
        assert_eq!(validity.interval(), Duration::from_hours(2));
    }
}
