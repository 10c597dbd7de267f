//! The only user of the operating system's clocks.
//!
//! Two clocks matter: the monotonic one, by which everything is due and measured, and the wall clock, which only ever
//! names instants for people. [`Anchor`] ties the two together once, so that a step of the wall clock in mid-run changes
//! no due time and no row.

use std::{cell::Cell, fmt, time::Duration};

use nix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

/// Microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixMicros(pub i64);

impl UnixMicros {
    /// The instant that lies `by` later.
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(crate::units::to_i64(by.as_micros())))
    }

    /// How long after `earlier` it is; zero when it is not later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or_default())
    }
}

/// Reads the clocks. On tokio's paused clock it reads that one, so that tests run an hour in a blink.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock;

impl Clock {
    /// The present instant of the monotonic clock.
    #[expect(clippy::disallowed_methods, reason = "this is the only module that may read it")]
    pub fn now(self) -> Instant {
        Instant::now()
    }

    /// The present instant of the wall clock, in Unix microseconds.
    #[expect(clippy::disallowed_types, reason = "this is the only module that may read it")]
    pub fn unix(self) -> UnixMicros {
        use std::time::SystemTime;
        match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => UnixMicros::default().plus(since),
            Err(before) => UnixMicros(-UnixMicros::default().plus(before.duration()).0),
        }
    }

    /// The wall clock's present time, since the Unix epoch; zero before that.
    #[expect(clippy::disallowed_types, reason = "this is the only module that may read it")]
    fn since_epoch(self) -> Duration {
        use std::time::SystemTime;
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    /// Ties the two clocks together at this instant.
    pub fn anchor(self) -> Anchor {
        Anchor { instant: self.now(), unix: self.unix() }
    }

    /// How long the machine has been suspended since it was booted: what its boot clock counts and its monotonic clock
    /// does not. Zero where the kernel does not report it.
    pub fn suspended(self) -> Duration {
        let read = |clock| clock_gettime(clock).map(Duration::from);
        match (read(ClockId::CLOCK_MONOTONIC), read(ClockId::CLOCK_BOOTTIME)) {
            (Ok(awake), Ok(booted)) => booted.saturating_sub(awake),
            (Err(_), _) | (_, Err(_)) => Duration::ZERO,
        }
    }
}

/// For how long a comparison of the two clocks is used: they drift apart, and the wall clock may be set.
const COMPARED_FOR: Duration = Duration::from_secs(1);

/// Names instants of the wall clock, such as the kernel's stamps, by the monotonic clock.
#[derive(Debug, Clone)]
pub struct WallClock {
    clock: Clock,
    compared: Cell<Option<Comparison>>,
}

/// Both clocks, read together.
#[derive(Debug, Clone, Copy)]
struct Comparison {
    instant: Instant,
    unix: Duration,
}

impl WallClock {
    /// Compares the clocks of `clock`, when it is first asked.
    pub fn new(clock: Clock) -> Self {
        Self { clock, compared: Cell::new(None) }
    }

    /// The instant at which the wall clock showed `since_epoch`. `now` is the present instant.
    pub fn instant(&self, since_epoch: Duration, now: Instant) -> Instant {
        let Comparison { instant, unix } = self.comparison(now);
        match since_epoch.checked_sub(unix) {
            Some(after) => instant + after,
            None => instant.checked_sub(unix - since_epoch).unwrap_or(instant),
        }
    }

    /// A comparison of the last second.
    fn comparison(&self, now: Instant) -> Comparison {
        if let Some(compared) = self.compared.get()
            && now.saturating_duration_since(compared.instant) < COMPARED_FOR
        {
            return compared;
        }
        let compared = Comparison::read(self.clock);
        self.compared.set(Some(compared));
        compared
    }
}

impl Comparison {
    /// The present readings.
    fn read(clock: Clock) -> Self {
        quickest(|| {
            let (before, unix) = (clock.now(), clock.since_epoch());
            let took = clock.now() - before;
            (took, Self { instant: before + took / 2, unix })
        })
    }
}

/// Of several readings the one that took least: between two clocks a thread may have to wait.
fn quickest<T>(read: impl Fn() -> (Duration, T)) -> T {
    let mut least = read();
    for _ in 1..READINGS {
        let next = read();
        if next.0 < least.0 {
            least = next;
        }
    }
    least.1
}

/// Below this, the difference of two readings is that of the moments when they were made.
const NOTABLE: Duration = Duration::from_millis(100);

/// How often they are read.
const READINGS: usize = 5;

/// The readings of all clocks at one instant, to detect later changes.
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    anchor: Anchor,
    suspended: Duration,
}

/// Changes of the clocks between two readings, other than the passing of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockChanges {
    /// How long the machine was suspended: its monotonic clock stopped, and nothing was due.
    pub suspended: Duration,
    /// By how much the wall clock was set, in microseconds, forward or back. What the suspension took is not in it.
    pub wall_step_us: i64,
}

impl fmt::Display for ClockChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { suspended, wall_step_us } = *self;
        let way = if wall_step_us < 0 { "back" } else { "forward" };
        let step = Duration::from_micros(wall_step_us.unsigned_abs());
        let tenths = |span: Duration| Duration::from_millis(100) * crate::units::to_u32((span.as_millis() + 50) / 100);
        let [slept, set] = [suspended, step].map(|span| humantime::format_duration(tenths(span)));
        match (suspended.is_zero(), step.is_zero()) {
            (true, _) => write!(f, "the wall clock was set {way} by {set}"),
            (false, true) => write!(f, "the machine was suspended for {slept}"),
            (false, false) => write!(f, "the machine was suspended for {slept}, and the wall clock set {way} by {set}"),
        }
    }
}

impl Clocks {
    /// The present readings.
    pub fn now(clock: Clock) -> Self {
        quickest(|| {
            let read = Self { anchor: clock.anchor(), suspended: clock.suspended() };
            (clock.now().duration_since(read.anchor.instant), read)
        })
    }

    /// What happened until `later`; `None` when nothing did.
    pub fn changes(&self, later: &Self) -> Option<ClockChanges> {
        let notable = |span: Duration| if span < NOTABLE { Duration::ZERO } else { span };
        let suspended = notable(later.suspended.saturating_sub(self.suspended));
        let expected = self.anchor.unix_at(later.anchor.instant).plus(suspended);
        let step = later.anchor.unix.0.saturating_sub(expected.0);
        let wall_step_us = if notable(Duration::from_micros(step.unsigned_abs())).is_zero() { 0 } else { step };
        let changes = ClockChanges { suspended, wall_step_us };
        (changes != ClockChanges::default()).then_some(changes)
    }
}

/// One instant on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Anchor {
    /// On the monotonic clock.
    pub instant: Instant,
    /// On the wall clock.
    pub unix: UnixMicros,
}

impl Anchor {
    /// The anchor's instant in nanoseconds since the Unix epoch; zero before it.
    pub fn nanos(&self) -> u64 {
        u64::try_from(self.unix.0).unwrap_or_default().saturating_mul(1000)
    }

    /// An instant in nanoseconds since the Unix epoch, by the clocks at the anchor; one before the anchor counts as the anchor's.
    pub fn nanos_at(&self, instant: Instant) -> u64 {
        let since = crate::units::nanos(instant.saturating_duration_since(self.instant));
        self.nanos().saturating_add(since)
    }

    /// The wall-clock name of `instant`, by the clocks at the anchor.
    pub fn unix_at(&self, instant: Instant) -> UnixMicros {
        match instant.checked_duration_since(self.instant) {
            Some(after) => self.unix.plus(after),
            None => {
                let before = self.instant.duration_since(instant);
                UnixMicros(self.unix.0.saturating_sub(UnixMicros::default().plus(before).0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_names_instants_before_and_after_itself() {
        let anchor = Clock.anchor();
        let step = Duration::from_millis(1500);
        assert_eq!(anchor.unix_at(anchor.instant + step).0 - anchor.unix.0, 1_500_000);
        assert_eq!(anchor.unix_at(anchor.instant - step).0 - anchor.unix.0, -1_500_000);
    }

    #[test]
    fn an_instant_of_the_wall_clock_has_its_place_on_the_monotonic_one() {
        let (now, unix) = (Clock.now(), Duration::from_secs(1_000_000));
        let wall = WallClock { clock: Clock, compared: Cell::new(Some(Comparison { instant: now, unix })) };
        let step = Duration::from_millis(250);
        assert_eq!(wall.instant(unix + step, now), now + step);
        assert_eq!(wall.instant(unix - step, now), now - step);
        // Later, the clocks are compared anew.
        let later = wall.instant(Clock.since_epoch(), now + COMPARED_FOR);
        assert!(later >= now && later <= Clock.now() + step, "{:?}", later - now);
    }

    #[test]
    fn a_suspension_and_a_step_of_the_wall_clock_are_told_apart() {
        let begin = Clocks { anchor: Clock.anchor(), suspended: Duration::from_secs(100) };
        // So much later by the monotonic clock, the boot clock beyond that, and the wall clock.
        let changes = |awake: u64, suspended: u64, wall: i64| {
            let instant = begin.anchor.instant + Duration::from_millis(awake);
            let anchor = Anchor { instant, unix: UnixMicros(begin.anchor.unix.0 + wall * 1000) };
            let later = Clocks { anchor, suspended: begin.suspended + Duration::from_millis(suspended) };
            begin.changes(&later).map(|it| (it.suspended.as_millis(), it.wall_step_us / 1000))
        };
        for (awake, suspended, wall, expected) in [
            (5_000, 0, 5_000, None),
            // Between readings, and as a clock is disciplined.
            (5_000, 3, 5_080, None),
            (5_000, 0, 4_950, None),
            (5_000, 7_000, 12_000, Some((7_000, 0))),
            (5_000, 0, 3_605_000, Some((0, 3_600_000))),
            (5_000, 0, -3_595_000, Some((0, -3_600_000))),
            (5_000, 7_000, 5_000, Some((7_000, -7_000))),
        ] {
            assert_eq!(changes(awake, suspended, wall), expected, "{awake} {suspended} {wall}");
        }
    }

    #[test]
    fn changes_are_told_in_words() {
        for (suspended_ms, wall_step_us, text) in [
            (6_999, 0, "the machine was suspended for 7s"),
            (0, 3_600_000_001, "the wall clock was set forward by 1h"),
            (1_260, -90_000_049_000, "the machine was suspended for 1s 300ms, and the wall clock set back by 1day 1h"),
        ] {
            let changes = ClockChanges { suspended: Duration::from_millis(suspended_ms), wall_step_us };
            assert_eq!(changes.to_string(), text);
        }
    }

    #[test]
    fn clocks_that_go_on_have_not_changed() {
        let begin = Clocks::now(Clock);
        assert_eq!(begin.changes(&Clocks::now(Clock)), None);
    }
}
