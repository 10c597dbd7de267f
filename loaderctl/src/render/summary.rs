//! Slots and functions of a run's summary.

use std::time::Duration;

use loader_proto::v1::{FunctionSummary, RunSummary, SlotSummary};

use super::{
    table::{self, Rows},
    units::{digits, duration, known, mib, micros, part, rate},
};

/// Slots and functions that are shown.
const SHOWN: usize = 20;

/// Columns that stand in the title where all rows have the same, so that the others find room in 80 columns.
const COMMON: [&str; 6] = ["phase", "length", "failed", "cold", "memory", "verdict"];

/// A table of the first slots.
pub(super) fn slots(summary: &RunSummary) -> String {
    let header = [
        "slot", "phase", "length", "rate", "planned", "sent", "failed", "cold", "lag p99", "own", "p50", "p99",
        "memory", "verdict",
    ];
    let rows = summary.slots.iter().map(|slot| {
        let SlotSummary {
            slot,
            phase,
            start_unix_us: _,
            duration_us,
            rps,
            planned,
            issued,
            returned: _,
            failed,
            cold_starts,
            lag_p99_us,
            saturated,
            response_p50_us,
            response_p99_us,
            own_lag_p99_us,
            open_loop,
            memory_peak_mib,
            memory_mean_mib: _,
        } = slot;
        vec![
            slot.to_string(),
            phase.clone(),
            duration(Duration::from_micros(*duration_us)),
            rate(*rps),
            planned.to_string(),
            issued.to_string(),
            part(*failed, *planned),
            cold_starts.to_string(),
            known(*lag_p99_us, micros),
            known(*own_lag_p99_us, micros),
            known(*response_p50_us, micros),
            known(*response_p99_us, micros),
            known(memory_peak_mib.map(|peak| peak as f64), mib),
            verdict(*saturated, *open_loop || summary.open_loop.is_none()).to_owned(),
        ]
    });
    section("Slots", &header, rows.collect())
}

/// The loader first: where it was too slow, nothing is known of the peer.
fn verdict(saturated: bool, open_loop: bool) -> &'static str {
    match (saturated, open_loop) {
        (true, _) => "saturated",
        (false, false) => "waiting",
        (false, true) => "ok",
    }
}

/// A table of the first functions.
pub(super) fn functions(summary: &RunSummary) -> String {
    let header = ["function", "due", "failed", "cold", "p50", "p99", "sched p50", "sched p99", "slowdown"];
    let rows = summary.functions.iter().map(|function| {
        let FunctionSummary {
            function,
            requested,
            failed,
            cold_starts,
            response_p50_us,
            response_p99_us,
            scheduling_latency_p50_us,
            scheduling_latency_p99_us,
            slowdown,
        } = function;
        vec![
            function.clone(),
            requested.to_string(),
            part(*failed, *requested),
            cold_starts.to_string(),
            known(*response_p50_us, micros),
            known(*response_p99_us, micros),
            known(*scheduling_latency_p50_us, micros),
            known(*scheduling_latency_p99_us, micros),
            known(slowdown.and_then(|slowdown| slowdown.geometric_mean), digits),
        ]
    });
    section("Functions", &header, rows.collect())
}

/// A table with its title, which has what all rows have in common.
fn section(title: &str, header: &[&str], rows: Rows) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let (common, header, rows) = table::without_common(header, &COMMON, rows);
    let common = if common.is_empty() { String::new() } else { format!(", each: {common}") };
    format!("{title}{common}\n{}", table::first(&header, rows, SHOWN))
}
