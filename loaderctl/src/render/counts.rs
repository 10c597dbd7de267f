//! How many invocations there were, and what came of them.

use std::{collections::BTreeSet, time::Duration};

use loader_proto::v1::{
    ArrivalTest, ColdStarts, Counts, Gaps, KsTest, MemoryInFlight, RunSummary, Slowdown, SteadyState,
};

use super::{
    table::{self, Rows},
    units::{UNKNOWN, digits, duration, known, mib, micros, part, percent, rate},
};

/// Counts by name, on one line.
pub(super) fn by_name<'a>(counts: impl IntoIterator<Item = (&'a String, &'a u64)>) -> String {
    counts.into_iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

/// Counts of the measured phase beside those of everything.
pub(super) fn counts(summary: &RunSummary) -> String {
    let RunSummary { requested, issued, returned, failed, by_status, all, .. } = summary;
    let measured = Counts {
        requested: *requested,
        issued: *issued,
        returned: *returned,
        failed: *failed,
        by_status: by_status.clone(),
    };
    let columns: Vec<_> = [Some(&measured), all.as_ref()].into_iter().flatten().collect();
    let row = |name: &str, value: &dyn Fn(&Counts) -> String| -> Vec<String> {
        [name.to_owned()].into_iter().chain(columns.iter().map(|counts| value(counts))).collect()
    };
    let mut rows: Rows = vec![
        row("requested", &|counts| counts.requested.to_string()),
        row("sent", &|counts| counts.issued.to_string()),
        row("answered", &|counts| counts.returned.to_string()),
        row("failed", &|counts| counts.failed.to_string()),
        row("  of requested", &|counts| part(counts.failed, counts.requested)),
    ];
    let statuses: BTreeSet<_> = columns.iter().flat_map(|counts| counts.by_status.keys()).collect();
    rows.extend(statuses.into_iter().map(|status| {
        row(&format!("  {status}"), &|counts| counts.by_status.get(status).copied().unwrap_or_default().to_string())
    }));
    let header = ["invocations", "measured", "all"];
    table::figures(&header[..=columns.len()], rows)
}

/// Rates, arrivals, cold starts, slowdown: a line each.
pub(super) fn facts(summary: &RunSummary) -> String {
    let RunSummary { achieved_ratio, goodput, not_due, clamped, dropped_functions, notes, .. } = summary;
    let of = |count: u64, text: &str| if count > 0 { format!("{count} {text}") } else { String::new() };
    let (process, plan, gaps) = summary.arrivals.as_ref().map(arrivals).unwrap_or_default();
    table::pairs([
        ("load", duration(Duration::from_micros(summary.load_duration_us))),
        ("achieved", format!("{} of the requested rate", known(*achieved_ratio, percent))),
        ("goodput", known(*goodput, rate)),
        ("not due", of(not_due.unwrap_or_default(), "when the run stopped")),
        ("steady state", summary.steady_state.as_ref().map(steady_state).unwrap_or_default()),
        ("arrivals", process),
        ("sent as planned", plan),
        ("gaps", gaps),
        ("cold starts", summary.cold_starts.as_ref().map(cold_starts).unwrap_or_default()),
        ("slowdown", summary.slowdown.as_ref().map(slowdown).unwrap_or_default()),
        ("memory in flight", summary.memory_in_flight.as_ref().map(memory).unwrap_or_default()),
        ("clamped", of(*clamped, "invocations")),
        ("left out", by_name(dropped_functions)),
        ("note", notes.join("\n")),
    ])
}

fn cold_starts(cold: &ColdStarts) -> String {
    let ColdStarts { count, share, latency_p50_us, latency_p99_us, instances_started } = cold;
    // Cold starts of a warm-up are counted, but not measured.
    let latency = if latency_p50_us.or(*latency_p99_us).is_some() {
        format!(", response p50 {} p99 {}", known(*latency_p50_us, micros), known(*latency_p99_us, micros))
    } else {
        String::new()
    };
    let share = share.map(|share| format!(" ({})", percent(share))).unwrap_or_default();
    let count = if share.is_empty() { UNKNOWN.to_owned() } else { count.to_string() };
    format!("{count}{share}{latency}; instances started {instances_started}")
}

fn memory(memory: &MemoryInFlight) -> String {
    let MemoryInFlight { peak_mib, mean_mib, not_sent } = memory;
    let refused = if *not_sent > 0 {
        format!("; {not_sent} invocations not sent because of maxMemoryInFlight")
    } else {
        String::new()
    };
    format!("peak {}, mean {}{refused}", known(peak_mib.map(|peak| peak as f64), mib), known(*mean_mib, mib))
}

/// Below this probability, arrivals count as different from the requested ones.
const SIGNIFICANT: f64 = 0.001;

/// The tests against the process and against the plan, and the gaps from one invocation to the next.
fn arrivals(test: &ArrivalTest) -> (String, String, String) {
    let ArrivalTest { count, against, statistic, p_value, plan, gaps } = test;
    if *count == 0 {
        return Default::default();
    }
    let process = statistic.zip(*p_value).map(|(statistic, p)| {
        let verdict = if p < SIGNIFICANT { "NOT as requested" } else { "as requested" };
        format!("{verdict} (KS test, {against}: D {statistic:.4}, {})", chance(p))
    });
    let plan = plan.as_ref().map(|&KsTest { statistic, p_value }| {
        let verdict = if p_value < SIGNIFICANT { "NO" } else { "yes" };
        format!("{verdict} (KS test: D {statistic:.4}, {})", chance(p_value))
    });
    (process.unwrap_or_default(), plan.unwrap_or_default(), gaps.as_ref().map(between).unwrap_or_default())
}

fn between(gaps: &Gaps) -> String {
    let Gaps { count, p50_us, p99_us, max_us, off_ratio } = gaps;
    if *count == 0 {
        return String::new();
    }
    let [p50, p99, max] = [p50_us, p99_us, max_us].map(|us| known(*us, micros));
    let off = known(*off_ratio, percent);
    format!("off by p50 {p50} p99 {p99} max {max}; {off} by over 10 % or 1 ms")
}

fn chance(p: f64) -> String {
    if p < 1e-4 { "p < 0.0001".to_owned() } else { format!("p {p:.4}") }
}

fn steady_state(found: &SteadyState) -> String {
    let SteadyState { verdict, reason, trend_per_minute, points } = found;
    let trend =
        trend_per_minute.filter(|_| verdict == "trending").map(|share| format!(", {:+.1} % a minute", share * 100.0));
    let verdict = if verdict == "trending" { "NOT steady: trending" } else { verdict };
    let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    format!("{verdict}{}{reason} ({points} latencies)", trend.unwrap_or_default())
}

fn slowdown(slowdown: &Slowdown) -> String {
    let Slowdown { count, geometric_mean, p50, p99 } = slowdown;
    if *count == 0 {
        return String::new();
    }
    let [mean, p50, p99] = [geometric_mean, p50, p99].map(|value| known(*value, digits));
    format!("geometric mean {mean}, p50 {p50}, p99 {p99}")
}
