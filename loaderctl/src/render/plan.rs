//! What a plan would do.

use loader_proto::v1::{PlanFunction, PlanSlot, PlanSummary};

use super::{
    disturbances, table,
    units::{digits, duration, mib, micros, rate, wire_duration},
};

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
        ("note", notes.join("\n")),
    ])
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
