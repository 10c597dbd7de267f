//! The busy loop with which an instance begins.

use std::{ops::RangeInclusive, time::Duration};

use loader_proto::json::parse_duration;

use super::check::{Check, time};

/// What a spec calls a length that depends on memory.
const BY_MEMORY: &str = "byMemory";

/// The lengths that a spec may ask for, in whole milliseconds.
const LENGTHS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_mins(5);

/// How long an instance is busy before it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartupBusyLoop {
    /// The same for all functions; whole milliseconds.
    Fixed(Duration),
    /// By the function's memory, as InVitro has it.
    ByMemory,
}

impl StartupBusyLoop {
    /// Its length for a function that requests so many MiB on average.
    pub fn length(self, mean_memory_mib: f64) -> Duration {
        match self {
            Self::Fixed(length) => length,
            // The steps are InVitro's.
            Self::ByMemory if mean_memory_mib <= 10.0 => Duration::from_millis(300),
            Self::ByMemory if mean_memory_mib <= 60.0 => Duration::from_millis(750),
            Self::ByMemory => Duration::from_millis(1250),
        }
    }
}

/// Reads the field; the inner value is absent when the spec has none.
pub(super) fn startup_busy_loop(check: &mut Check, text: &str) -> Option<Option<StartupBusyLoop>> {
    const FIELD: &str = "function.startupBusyLoop";
    match text {
        "" => return Some(None),
        BY_MEMORY => return Some(Some(StartupBusyLoop::ByMemory)),
        _ => {}
    }
    let length = parse_duration(text).ok().and_then(|length| Duration::try_from(length).ok());
    match length {
        Some(length) if LENGTHS.contains(&length) && length.subsec_nanos().is_multiple_of(1_000_000) => {
            Some(Some(StartupBusyLoop::Fixed(length)))
        }
        _ => {
            let (least, most) = (time(*LENGTHS.start()), time(*LENGTHS.end()));
            let rule = format!("must be {BY_MEMORY}, or whole milliseconds from {least} to {most}");
            check.fault(FIELD, format!("is {text:?}; {rule}"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<StartupBusyLoop>, String> {
        let mut check = Check::default();
        let found = startup_busy_loop(&mut check, text);
        check.finish(found).map_err(|violations| violations[0].to_string())
    }

    #[test]
    fn it_is_a_length_or_by_memory() {
        let fixed = |millis| Ok(Some(StartupBusyLoop::Fixed(Duration::from_millis(millis))));
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("byMemory"), Ok(Some(StartupBusyLoop::ByMemory)));
        assert_eq!(
            (read("500ms"), read("2s"), read("0.25s"), read("5m")),
            (fixed(500), fixed(2000), fixed(250), fixed(300_000))
        );
        for text in ["0s", "6m", "1500us", "-1s", "bymemory", "300"] {
            let rule = "must be byMemory, or whole milliseconds from 1ms to 5m";
            assert_eq!(read(text), Err(format!("function.startupBusyLoop: is {text:?}; {rule}")));
        }
    }

    #[test]
    fn lengths_by_memory_are_invitros() {
        let by_memory =
            [0.0, 10.0, 10.1, 60.0, 60.5, 4096.0].map(|mib| StartupBusyLoop::ByMemory.length(mib).as_millis());
        assert_eq!(by_memory, [300, 300, 750, 750, 1250, 1250]);
        assert_eq!(StartupBusyLoop::Fixed(Duration::from_secs(2)).length(1.0), Duration::from_secs(2));
    }
}
