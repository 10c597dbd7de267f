//! What a mode has in the place of a flag that belongs to others.

use super::flags::Mode;

/// What says in `mode` what `flag` says in others; absent where there is nothing like it.
pub(super) fn instead(flag: &str, mode: Mode) -> Option<&'static str> {
    match (flag, mode) {
        ("duration", Mode::Rps) => Some("a slot lasts --slot, and the run ends with the slot of --end"),
        ("duration", Mode::Burst) => Some("the run lasts one --step-duration for each rate, then --hold"),
        ("start" | "end", Mode::Burst) => Some("the rate rises from 1 to --target-rps"),
        ("start" | "end" | "runtime" | "memory" | "functions", Mode::Trace) => Some("a trace brings its own"),
        ("end", Mode::Coldstart) => Some("the run ends after --duration"),
        _ => None,
    }
}
