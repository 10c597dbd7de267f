//! What a plan would do.

use loader_proto::v1::{PlanFunction, PlanShares, PlanSlot, PlanSummary};

use super::{
    disturbances, table,
    units::{digits, duration, mib, micros, part, rate, wire_duration},
};

/// Functions that are split, of which there may be many, by name.
const SPLIT_NAMED: usize = 5;

/// Figures, dropped functions, and the first slots and functions.
pub(crate) fn plan(plan: &PlanSummary, shown: usize) -> String {
    let mut text = totals(plan);
    let disturbed = disturbances::planned(&plan.disturbances);
    if !disturbed.is_empty() {
        text.push_str(&format!("\n{disturbed}"));
    }
    let slots = plan.slot_plans.iter().map(slot).collect();
    text.push_str("\nSlots\n");
    text.push_str(&table::first(&["slot", "invocations", "length", "rate", "concurrency", "memory"], slots, shown));
    let functions = plan.function_plans.iter().map(function).collect();
    text.push_str("\nFunctions\n");
    text.push_str(&table::first(
        &["function", "invocations", "mean run time", "mean memory", "id in the trace"],
        functions,
        shown,
    ));
    text
}

fn totals(plan: &PlanSummary) -> String {
    let PlanSummary {
        mode,
        platform,
        functions,
        slots,
        invocations,
        duration: length,
        mean_rate,
        peak_rate,
        peak_concurrency,
        peak_memory_mib,
        clamped,
        dropped_functions,
        slot_plans: _,
        function_plans: _,
        open_ended,
        waits,
        disturbances: _,
        notes,
        shares,
    } = plan;
    let beginning = if *open_ended { " (of its beginning: open-ended)" } else { "" };
    let waiting = if *waits { " (without the waits between slots)" } else { "" };
    let known = |text: String, is_known: bool| if is_known { text } else { "known only after the run".to_owned() };
    let dropped: Vec<_> = dropped_functions.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    table::pairs([
        ("plan", format!("{mode} on {platform}")),
        ("functions", functions.to_string()),
        ("slots", known(slots.to_string(), *slots > 0)),
        ("invocations", format!("{invocations}{beginning}")),
        (
            "length",
            known(format!("{}{waiting}", wire_duration(*length).map(duration).unwrap_or_default()), length.is_some()),
        ),
        ("rate", format!("mean {}, peak {}", rate(*mean_rate), rate(*peak_rate))),
        ("concurrency", format!("peak {}", digits(*peak_concurrency))),
        ("memory", format!("peak {}", mib(*peak_memory_mib))),
        ("clamped", if *clamped > 0 { format!("{clamped} invocations") } else { String::new() }),
        ("left out", dropped.join(", ")),
        ("workers", shares.as_ref().map(workers).unwrap_or_default()),
        ("split", shares.as_ref().map(split).unwrap_or_default()),
        ("note", notes.join("\n")),
    ])
}

/// How many workers there are, and the least and the most that one has.
fn workers(shares: &PlanShares) -> String {
    let PlanShares { invocations, split_functions: _ } = shares;
    let all: u64 = invocations.iter().sum();
    let share = |share: u64| format!("{share} ({})", part(share, all));
    match (invocations.iter().min(), invocations.iter().max()) {
        (Some(&least), Some(&most)) => {
            format!("{}: smallest share {}, largest {}", invocations.len(), share(least), share(most))
        }
        _ => String::new(),
    }
}

/// The functions that no worker has alone.
fn split(shares: &PlanShares) -> String {
    let functions = &shares.split_functions;
    let named: Vec<_> = functions.iter().take(SPLIT_NAMED).map(String::as_str).collect();
    let more = functions.len() - named.len();
    match (functions.len(), more) {
        (0, _) => String::new(),
        (_, 0) => format!("over all workers: {}", named.join(", ")),
        _ => format!("over all workers: {} and {more} more", named.join(", ")),
    }
}

fn slot(slot: &PlanSlot) -> Vec<String> {
    let PlanSlot { slot, invocations, duration: length, rate: per_second, concurrency, memory_mib } = slot;
    vec![
        slot.to_string(),
        invocations.to_string(),
        wire_duration(*length).map(duration).unwrap_or_default(),
        rate(*per_second),
        digits(*concurrency),
        mib(*memory_mib),
    ]
}

fn function(function: &PlanFunction) -> Vec<String> {
    let PlanFunction { function, source_id, invocations, mean_runtime_us, mean_memory_mib } = function;
    vec![function.clone(), invocations.to_string(), micros(*mean_runtime_us), mib(*mean_memory_mib), source_id.clone()]
}
