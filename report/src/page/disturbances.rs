//! What came of the disturbances of the platform.

use loader_proto::v1::RunSummary;

use super::{
    table::{Cell, Table},
    units::{micros, percent, ratio},
};

/// A row for each disturbance.
pub(super) fn disturbances(summary: &RunSummary) -> Table {
    let head = [
        "what",
        "to",
        "outcome",
        "due meanwhile",
        "failed",
        "lost",
        "slowdown before",
        "meanwhile",
        "recovered after",
        "why unknown",
    ];
    let mut table =
        Table::new("Disturbances: figures are of what was due from then until the platform had recovered", &head);
    let rows = summary.disturbances.iter().enumerate().map(|(place, it)| {
        let of = |field: &str| format!("disturbances.{place}.{field}");
        let count = |value: Option<u64>, field: &str| {
            Cell::number(value.map(|count| count as f64), |count| format!("{count:.0}")).of(of(field))
        };
        let share =
            it.failed.zip(it.requested).filter(|(_, all)| *all > 0).map(|(failed, all)| failed as f64 / all as f64);
        vec![
            Cell::text(&it.action),
            Cell::text(&it.target),
            Cell::text(&it.outcome),
            count(it.requested, "requested"),
            count(it.failed, "failed").with(share.map(percent).unwrap_or_default()),
            count(it.lost, "lost"),
            Cell::number(it.slowdown_before, ratio).of(of("slowdownBefore")),
            Cell::number(it.slowdown, ratio).of(of("slowdown")),
            Cell::number(it.recovery_us.map(|us| us as f64), micros).of(of("recoveryUs")),
            Cell::text(&it.recovery_unknown),
        ]
    });
    table.rows = rows.collect();
    table
}
