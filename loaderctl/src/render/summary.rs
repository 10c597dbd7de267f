//! The sections of a run's summary.

use std::time::Duration;

use loader_proto::v1::{
    ArrivalTest, ClockChanges, ColdStarts, Distribution, FunctionSummary, RunSummary, SlotSummary, Slowdown,
};

use super::{
    table::{self, Rows},
    units::{digits, duration, micros, part, percent, rate},
};

/// Slots and functions that are shown.
const SHOWN: usize = 20;

/// The heading of every table of distributions.
pub(super) const PERCENTILES: [&str; 7] = ["", "values", "p50", "p90", "p99", "p99.9", "max"];

/// Whether the loader itself was the bottleneck: it comes first, for nothing else counts if it was.
pub(super) fn verdict(summary: &RunSummary) -> String {
    match &summary.saturated {
        Some(verdict) if verdict.saturated => {
            let mut slots: Vec<_> = verdict.slots.iter().take(SHOWN).map(u32::to_string).collect();
            let more = verdict.slots.len() - slots.len();
            if more > 0 {
                slots.push(format!("and {more} more"));
            }
            format!(
                "THE LOADER WAS SATURATED: it did not send in time, so these figures describe the loader rather than \
                 the platform.\n  slots: {}\n  {}\n\n",
                slots.join(", "),
                verdict.reason
            )
        }
        _ => "The loader kept up: not saturated in any slot.\n\n".to_owned(),
    }
}

/// That everything failed, or more than half of it: it comes before any figure.
pub(super) fn failures(summary: &RunSummary) -> String {
    let RunSummary { requested, failed, by_status, .. } = summary;
    if failed.saturating_mul(2) <= *requested {
        return String::new();
    }
    let causes = counted(by_status.iter().filter(|(status, _)| *status != "ok"));
    let failures = if failed == requested {
        format!("ALL {requested} INVOCATIONS FAILED")
    } else {
        format!("MOST INVOCATIONS FAILED: {failed} of {requested}")
    };
    format!("{failures} ({causes})\n\n")
}

/// Counts by name, on one line.
fn counted<'a>(counts: impl IntoIterator<Item = (&'a String, &'a u64)>) -> String {
    counts.into_iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

/// Changes of the clocks of the loader's machine: rows can have a gap, or times that differ from the clock.
pub(super) fn clocks(summary: &RunSummary) -> String {
    let Some(ClockChanges { suspended_us, wall_step_us }) = summary.clock_changes else { return String::new() };
    let mut notes = String::new();
    let tenths = |us: u64| duration(Duration::from_millis((us + 50_000) / 100_000 * 100));
    if suspended_us > 0 {
        let span = tenths(suspended_us);
        notes += &format!("THE LOADER'S MACHINE WAS SUSPENDED for {span}: nothing was sent during that time.\n\n");
    }
    if wall_step_us != 0 {
        let span = tenths(wall_step_us.unsigned_abs());
        let way = if wall_step_us < 0 { "back" } else { "forward" };
        notes += &format!(
            "The wall clock was set {way} by {span} during the load: timestamps follow the clock as it was before.\n\n"
        );
    }
    notes
}

/// Counts, cold starts and slowdown.
pub(super) fn counts(summary: &RunSummary) -> String {
    let RunSummary {
        requested, issued, returned, failed, by_status, achieved_ratio, clamped, dropped_functions, ..
    } = summary;
    table::pairs([
        ("load", duration(Duration::from_micros(summary.load_duration_us))),
        ("invocations", format!("{requested} requested, {issued} sent, {returned} answered")),
        ("achieved", format!("{} of the requested rate", percent(*achieved_ratio))),
        ("failed", format!("{failed} ({})", part(*failed, *requested))),
        ("by status", counted(by_status)),
        ("cold starts", summary.cold_starts.as_ref().map(cold_starts).unwrap_or_default()),
        ("arrivals", summary.arrivals.as_ref().map(arrivals).unwrap_or_default()),
        ("slowdown", summary.slowdown.as_ref().map(slowdown).unwrap_or_default()),
        ("clamped", if *clamped > 0 { format!("{clamped} invocations") } else { String::new() }),
        ("left out", counted(dropped_functions)),
    ])
}

fn cold_starts(cold: &ColdStarts) -> String {
    let ColdStarts { count, share, latency_p50_us, latency_p99_us, instances_started } = cold;
    // Cold starts of a warm-up are counted, but not measured.
    let latency = if *latency_p99_us > 0 {
        format!(", response p50 {} p99 {}", micros(*latency_p50_us), micros(*latency_p99_us))
    } else {
        String::new()
    };
    format!("{count} ({}){latency}; instances started {instances_started}", percent(*share))
}

/// Below this probability, arrivals count as different from the requested ones.
const SIGNIFICANT: f64 = 0.001;

fn arrivals(test: &ArrivalTest) -> String {
    let ArrivalTest { count, against, statistic, p_value } = test;
    if *count == 0 {
        return String::new();
    }
    let verdict = if *p_value < SIGNIFICANT { "NOT as requested" } else { "as requested" };
    let chance = if *p_value < 1e-4 { "p < 0.0001".to_owned() } else { format!("p {p_value:.4}") };
    format!("{verdict} (Kolmogorov-Smirnov against {against}: D {statistic:.4}, {chance})")
}

fn slowdown(slowdown: &Slowdown) -> String {
    let Slowdown { count, geometric_mean, p50, p99 } = slowdown;
    if *count == 0 {
        return String::new();
    }
    format!("geometric mean {}, p50 {}, p99 {}", digits(*geometric_mean), digits(*p50), digits(*p99))
}

/// Lag, response times and scheduling latency.
pub(super) fn distributions(summary: &RunSummary) -> String {
    let rows = [
        ("dispatch lag", &summary.dispatch_lag_us),
        ("response from due", &summary.response_from_due_us),
        ("response from send", &summary.response_us),
        ("scheduling latency", &summary.scheduling_latency_us),
    ];
    table::figures(
        &PERCENTILES,
        rows.into_iter().map(|(name, distribution)| row(name, distribution.as_ref())).collect(),
    )
}

/// A row of a table of distributions; `-` where nothing was measured.
pub(super) fn row(name: &str, distribution: Option<&Distribution>) -> Vec<String> {
    let distribution = distribution.cloned().unwrap_or_default();
    let Distribution { count, mean: _, p50, p90, p95: _, p99, p999, max } = distribution;
    let figures = [p50, p90, p99, p999, max].map(|us| if count == 0 { "-".to_owned() } else { micros(us) });
    [name.to_owned(), count.to_string()].into_iter().chain(figures).collect()
}

/// A table of the first slots.
pub(super) fn slots(summary: &RunSummary) -> String {
    let header =
        ["slot", "phase", "length", "rate", "planned", "sent", "failed", "cold", "lag p99", "p50", "p99", "loader"];
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
        } = slot;
        vec![
            slot.to_string(),
            phase.clone(),
            duration(Duration::from_micros(*duration_us)),
            rate(*rps),
            planned.to_string(),
            issued.to_string(),
            failed.to_string(),
            cold_starts.to_string(),
            micros(*lag_p99_us),
            micros(*response_p50_us),
            micros(*response_p99_us),
            if *saturated { "saturated" } else { "ok" }.to_owned(),
        ]
    });
    section("Slots", &header, rows.collect())
}

/// A table of the first functions.
pub(super) fn functions(summary: &RunSummary) -> String {
    let header = ["function", "requested", "failed", "cold", "p50", "p99", "sched p50", "sched p99", "slowdown"];
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
        let slowdown = slowdown.filter(|slowdown| slowdown.count > 0);
        vec![
            function.clone(),
            requested.to_string(),
            failed.to_string(),
            cold_starts.to_string(),
            micros(*response_p50_us),
            micros(*response_p99_us),
            micros(*scheduling_latency_p50_us),
            micros(*scheduling_latency_p99_us),
            slowdown.map_or_else(|| "-".to_owned(), |slowdown| digits(slowdown.geometric_mean)),
        ]
    });
    section("Functions", &header, rows.collect())
}

fn section(title: &str, header: &[&str], rows: Rows) -> String {
    if rows.is_empty() { String::new() } else { format!("{title}\n{}", table::first(header, rows, SHOWN)) }
}
