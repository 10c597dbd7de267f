//! The workers of a run: a table, and the verdicts on them.

use loader_proto::v1::{RunSummary, WorkerSummary};

use super::{
    table::{Cell, Table},
    units::{micros, nanos, offset, percent},
    verdict::{Verdict, Weight, verdict},
};

/// Rows of the table.
const MOST: usize = 1000;

/// Workers that are named in a verdict.
const NAMED: usize = 5;

/// The state of a worker that was given up.
const LOST: &str = "lost";

/// What each worker sent, how late, and how well its clock was known; without rows where there were no workers.
pub(super) fn workers(summary: &RunSummary) -> Table {
    let head = [
        "worker",
        "node",
        "state",
        "share",
        "rows",
        "sent",
        "own lag p99",
        "receive lag p99",
        "stalls",
        "longest",
        "saturated slots",
        "clock offset",
        "known to ±",
    ];
    let mut table = Table::new("Workers", &head).sortable();
    let due: u64 = summary.workers.iter().map(|it| of_counts(it).0).sum();
    let rows = summary.workers.iter().take(MOST).enumerate();
    table.rows = rows.map(|(place, worker)| row(place, worker, due)).collect();
    table
}

/// Invocations that came due, and those that were sent.
fn of_counts(worker: &WorkerSummary) -> (u64, u64) {
    worker.counts.as_ref().map_or((0, 0), |it| (it.requested, it.issued))
}

fn row(place: usize, worker: &WorkerSummary, due: u64) -> Vec<Cell> {
    let of = |field: &str| format!("workers.{place}.{field}");
    let (requested, issued) = of_counts(worker);
    let own_lag = worker.own_lag_us.as_ref().and_then(|lag| lag.p99);
    let receive_lag = worker.receive_lag_us.as_ref().and_then(|lag| lag.p99);
    let number = |value: Option<u64>, text: fn(f64) -> String| Cell::number(value.map(|it| it as f64), text);
    let clock = worker.clock.as_ref();
    let last = clock.and_then(|clock| clock.last.as_ref());
    vec![
        Cell::count(u64::from(worker.worker)),
        Cell::text(&worker.node).with(&worker.pod),
        Cell::text(&worker.state).with(&worker.reason),
        Cell::number((due > 0).then(|| requested as f64 / due as f64), percent),
        Cell::count(worker.rows).of(of("rows")),
        Cell::count(issued).of(of("counts.issued")),
        number(own_lag, micros).of(of("ownLagUs.p99")),
        number(receive_lag, micros).of(of("receiveLagUs.p99")),
        Cell::count(worker.stalls).of(of("stalls")),
        number((worker.stalls > 0).then_some(worker.longest_stall_us), micros),
        Cell::count(u64::from(worker.saturated_slots)).of(of("saturatedSlots")),
        Cell::number(last.map(|it| it.offset_ns as f64), offset).of(of("clock.last.offsetNs")),
        number(clock.map(|it| it.worst_bound_ns), nanos).of(of("clock.worstBoundNs")),
    ]
}

/// Whether all workers stayed; absent of a run without workers.
pub(super) fn lost(summary: &RunSummary) -> Option<Verdict> {
    let lost: Vec<_> = summary.workers.iter().filter(|it| it.state == LOST).collect();
    let all = summary.workers.len();
    let text = |count: usize| {
        let missing: u64 = lost.iter().map(|it| of_counts(it)).map(|(due, sent)| due.saturating_sub(sent)).sum();
        let named = lost.iter().take(NAMED).map(|it| format!("worker {}: {}", it.worker, it.reason));
        let more = if count > NAMED { format!("; and {} more", count - NAMED) } else { String::new() };
        let named = named.collect::<Vec<_>>().join("; ");
        format!("{missing} invocations were not sent, or it is not known whether they were. {named}{more}.")
    };
    match (all, lost.len()) {
        (0, _) => None,
        (_, 0) => Some(verdict(Weight::Good, "No worker was lost", format!("{all} workers sent the load."))),
        (_, 1) => Some(verdict(Weight::Bad, format!("1 of {all} workers was lost"), text(1))),
        (_, count) => Some(verdict(Weight::Bad, format!("{count} of {all} workers were lost"), text(count))),
    }
}

/// That clocks were not known well enough.
pub(super) fn clock_error(summary: &RunSummary) -> Option<Verdict> {
    let error = summary.clock_error.as_ref()?;
    let named: Vec<_> = error.workers.iter().take(NAMED).map(u32::to_string).collect();
    let more = error.workers.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let text = format!(
        "To {} at worst, which is more than {} (maxClockError): times of different workers may be apart by that; latencies are not \
         affected. Workers {}{more}.",
        nanos(error.worst_bound_ns as f64),
        nanos(error.max_ns as f64),
        named.join(", ")
    );
    Some(verdict(Weight::Care, "Clocks of workers are not known well enough", text))
}

#[cfg(test)]
mod tests {
    use loader_proto::v1::{ClockError, ClockOffset, Counts, Distribution, WorkerClock};

    use super::*;

    fn worker(index: u32, state: &str) -> WorkerSummary {
        let offset = Some(ClockOffset { offset_ns: -50_003_100, bound_ns: 18_000 });
        WorkerSummary {
            worker: index,
            node: "<b>node".to_owned(),
            state: state.to_owned(),
            reason: if state == LOST { "killed by signal 9".to_owned() } else { String::new() },
            rows: 700,
            counts: Some(Counts { requested: 300, issued: 200, ..Counts::default() }),
            own_lag_us: Some(Distribution { p99: Some(12_700), ..Distribution::default() }),
            clock: Some(WorkerClock { first: offset, last: offset, worst_bound_ns: 21_300, exchanges: 9 }),
            ..WorkerSummary::default()
        }
    }

    #[test]
    fn each_worker_has_a_row() {
        let mut summary = RunSummary { workers: vec![worker(0, "ok"), worker(1, LOST)], ..RunSummary::default() };
        summary.workers[0].counts = Some(Counts { requested: 900, issued: 900, ..Counts::default() });
        let html = workers(&summary).html();
        for expected in
            ["75.0 %", "25.0 %", "12.7 ms", "−50.0 ms", "21.3 µs", "killed by signal 9", "data-f=\"workers.1.rows\""]
        {
            assert!(html.contains(expected), "{expected}: {html}");
        }
        assert!(!html.contains("<b>node"), "{html}");
        assert_eq!(workers(&RunSummary::default()).html(), "");
    }

    #[test]
    fn lost_workers_and_clocks_are_verdicts() {
        let of = |workers: Vec<WorkerSummary>| {
            lost(&RunSummary { workers, ..RunSummary::default() }).map(|it| (it.weight, it.title, it.text))
        };
        assert_eq!(of(Vec::new()), None);
        let none = of(vec![worker(0, "ok"), worker(1, "resumed")]).expect("a verdict");
        assert_eq!((none.0, none.1.as_str()), (Weight::Good, "No worker was lost"));
        let (weight, title, text) = of(vec![worker(0, "ok"), worker(1, LOST)]).expect("a verdict");
        assert_eq!((weight, title.as_str()), (Weight::Bad, "1 of 2 workers was lost"));
        assert!(text.starts_with("100 invocations") && text.ends_with("worker 1: killed by signal 9."), "{text}");
        let error = ClockError { max_ns: 1_000_000, workers: vec![3], worst_bound_ns: 4_250_000 };
        let marked = clock_error(&RunSummary { clock_error: Some(error), ..RunSummary::default() }).expect("a verdict");
        assert!(marked.text.starts_with("To 4.25 ms at worst, which is more than 1.00 ms"), "{}", marked.text);
        assert_eq!(clock_error(&RunSummary::default()).map(|it| it.title), None);
    }
}
