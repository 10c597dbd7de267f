//! Key figures, with how many values they are of and how certain they are.

use loader_proto::v1::{self, Interval, ResponseInclFailures, RunSummary};

use super::{
    table::{Cell, Table},
    units::{UNKNOWN, micros, percent, rate, ratio},
};
use crate::{
    aggregate::{Distribution, SLOWDOWN_SCALE},
    compare::{Method, Within, precision},
    figure::text::escaped,
    run::Run,
};

/// The panel.
pub(super) fn key(run: &Run) -> String {
    let table = run.summary().map_or_else(|| of_rows(run), of_summary);
    let note = if run.summary().is_some() {
        "Figures are those of summary.json: of the measured phase without step_warmup. Below each percentile stands its 95 % interval by \
         order statistics, which takes invocations to be independent; – is what too few values say nothing of."
    } else {
        "There is no summary: these figures are computed from the rows, of the measured phase without step_warmup."
    };
    format!("{}{}<p class=\"note\">{note}</p>\n{}", tiles(run), table.html(), within(run))
}

/// How precisely the run was measured, where it is long enough to say it without taking invocations to be independent.
fn within(run: &Run) -> String {
    let mut table = Table::new("How precisely this run was measured", &["", "value", "95 % interval", "blocks"]);
    let known = precision(run).into_iter();
    let rows = known.filter_map(|(measure, Within { interval, method })| {
        let Method::Blocks(seconds) = method else { return None };
        let text = |value: f64| Cell::word(&measure.quantity.text(value));
        let bounds = format!("{} – {}", measure.quantity.text(interval.low), measure.quantity.text(interval.high));
        let value = measure.in_summary(run.summary()?)?;
        Some(vec![
            Cell::text(measure.about),
            text(value),
            Cell::word(&bounds),
            Cell::word(&format!("of {seconds:.0} s")),
        ])
    });
    table.rows = rows.collect();
    if table.rows.is_empty() {
        return String::new();
    }
    let note = "Blocks of time are drawn with replacement, so that invocations may depend on each other within a block. This says how precisely \
                this run was measured, and not how the next one would come out.";
    format!("{}<p class=\"note\">{note}</p>\n", table.html())
}

/// A number: its name, which figure of the summary it is, the value, and how it is written.
type Tile = (&'static str, &'static str, Option<f64>, fn(f64) -> String);

/// The few numbers that people look for first.
fn tiles(run: &Run) -> String {
    let rows = &run.rows;
    let micros_of = |us: Option<u64>| us.map(|us| us as f64);
    let part = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    let tiles: Vec<Tile> = match run.summary() {
        Some(it) => {
            let response = it.response_us.unwrap_or_default();
            let cold = it.cold_starts.unwrap_or_default();
            vec![
                ("requested", "requested", Some(it.requested as f64), whole),
                ("answered", "returned", Some(it.returned as f64), whole),
                ("failed", "failed/requested", part(it.failed, it.requested), percent),
                ("response, p50", "responseUs.p50", micros_of(response.p50), micros),
                ("response, p99", "responseUs.p99", micros_of(response.p99), micros),
                ("achieved of the requested rate", "achievedRatio", it.achieved_ratio, percent),
                ("goodput", "goodput", it.goodput, rate),
                ("cold starts", "coldStarts.share", cold.share, percent),
            ]
        }
        None => vec![
            ("requested", "", Some(rows.requested as f64), whole),
            ("answered", "", Some(rows.returned as f64), whole),
            ("failed", "", part(rows.failed, rows.requested), percent),
            ("response, p50", "", micros_of(rows.response.all.percentile(0.5)), micros),
            ("response, p99", "", micros_of(rows.response.all.percentile(0.99)), micros),
            ("cold starts", "", part(rows.cold, rows.told), percent),
        ],
    };
    let tile = |(name, figure, value, text): Tile| {
        let figure = if figure.is_empty() { String::new() } else { format!(" data-f=\"{figure}\"") };
        let exact = value.map(|value| format!(" data-v=\"{value}\"")).unwrap_or_default();
        let text = value.map_or_else(|| UNKNOWN.to_owned(), text);
        format!("<div><dt>{}</dt><dd{figure}{exact}>{}</dd></div>", escaped(name), escaped(&text))
    };
    format!("<dl class=\"key\">{}</dl>\n", tiles.into_iter().map(tile).collect::<String>())
}

fn whole(value: f64) -> String {
    format!("{value:.0}")
}

/// The heading of tables of distributions.
const HEAD: [&str; 8] = ["", "n", "p50", "p90", "p95", "p99", "p99.9", "max"];

/// The percentiles, as the summary calls them.
const NAMES: [&str; 5] = ["p50", "p90", "p95", "p99", "p999"];

fn of_summary(summary: &RunSummary) -> Table {
    let mut table = Table::new("Distributions", &HEAD);
    let it = summary;
    let failed =
        it.response_incl_failures.as_ref().and_then(|all| all.failed_ratio).map_or(UNKNOWN.to_owned(), percent);
    let answered = format!("response of the answered; {failed} failed");
    for (field, name, distribution) in [
        ("responseUs", answered.as_str(), &it.response_us),
        ("responseFromDueUs", "response from due", &it.response_from_due_us),
        ("schedulingLatencyUs", "scheduling latency", &it.scheduling_latency_us),
        ("dispatchLagUs", "dispatch lag", &it.dispatch_lag_us),
        ("ownLagUs", "the loader's own lag", &it.own_lag_us),
        ("connectUs", "wait for a connection", &it.connect_us),
        ("streamWaitUs", "wait for a stream", &it.stream_wait_us),
        ("receiveLagUs", "receive lag", &it.receive_lag_us),
    ] {
        table.rows.push(distribution_row(summary, field, name, distribution.as_ref()));
        if let ("responseUs", Some(all)) = (field, &it.response_incl_failures) {
            table.rows.push(incl_failures(all));
        }
    }
    table.rows.push(slowdown(it.slowdown.unwrap_or_default()));
    table
}

/// A row of a distribution of durations, which the summary has under that name.
pub(super) fn distribution_row(
    summary: &RunSummary,
    field: &str,
    name: &str,
    distribution: Option<&v1::Distribution>,
) -> Vec<Cell> {
    let v1::Distribution { count, mean: _, p50, p90, p95, p99, p999, max, intervals } =
        distribution.cloned().unwrap_or_default();
    let v1::Intervals { p50: i50, p90: i90, p95: i95, p99: i99, p999: i999 } = intervals.unwrap_or_default();
    let mut cells = vec![Cell::text(name), Cell::count(count).of(format!("{field}.count"))];
    for ((percentile, value), interval) in
        NAMES.into_iter().zip([p50, p90, p95, p99, p999]).zip([i50, i90, i95, i99, i999])
    {
        let marked = summary
            .stalls
            .iter()
            .flat_map(|it| &it.marked)
            .find(|it| it.figure == field && it.percentile == percentile);
        let star = if marked.is_some() { " *" } else { "" };
        let cell = Cell::number(value.map(|us| us as f64), |us| format!("{}{star}", micros(us)));
        let span = |Interval { low, high }: Interval| format!("{} – {}", micros(low as f64), micros(high as f64));
        let without = marked.and_then(|it| it.untouched).map(|us| format!("without stalls {}", micros(us)));
        cells.push(cell.of(format!("{field}.{percentile}")).with(without.or(interval.map(span)).unwrap_or_default()));
    }
    cells.push(Cell::number(max.map(|us| us as f64), micros).of(format!("{field}.max")));
    cells
}

fn incl_failures(all: &ResponseInclFailures) -> Vec<Cell> {
    let ResponseInclFailures { count, failed, failed_ratio: _, p50, p90, p95, p99, p999, endless } = all;
    let mut cells =
        vec![Cell::text("response incl. failures, as endless"), Cell::count(*count).of("responseInclFailures.count")];
    for (name, value) in NAMES.into_iter().zip([p50, p90, p95, p99, p999]) {
        let cell = if endless.iter().any(|it| it == name) {
            Cell::word("failed")
        } else {
            Cell::number(value.map(|us| us as f64), micros)
        };
        cells.push(cell.of(format!("responseInclFailures.{name}")));
    }
    cells.push(if *failed > 0 { Cell::word("failed") } else { Cell::word(UNKNOWN) });
    cells
}

fn slowdown(it: v1::Slowdown) -> Vec<Cell> {
    let v1::Slowdown { count, geometric_mean, p50, p99 } = it;
    let mean = geometric_mean.map_or(UNKNOWN.to_owned(), ratio);
    let name = format!("slowdown; geometric mean {mean}");
    let unknown = || Cell::word(UNKNOWN);
    vec![
        Cell::text(name),
        Cell::count(count).of("slowdown.count"),
        Cell::number(p50, ratio).of("slowdown.p50"),
        unknown(),
        unknown(),
        Cell::number(p99, ratio).of("slowdown.p99"),
        unknown(),
        unknown(),
    ]
}

/// The same from the rows alone.
fn of_rows(run: &Run) -> Table {
    let mut table = Table::new("Distributions", &HEAD);
    let rows = &run.rows;
    let mut row = |name: &str, values: &Distribution, scale: f64, text: fn(f64) -> String| {
        let cell = |share: f64| Cell::number(values.percentile(share).map(|value| value as f64 / scale), text);
        let mut cells = vec![Cell::text(name), Cell::count(values.count())];
        cells.extend([0.5, 0.9, 0.95, 0.99, 0.999].map(cell));
        cells.push(Cell::number(values.max().map(|value| value as f64 / scale), text));
        table.rows.push(cells);
    };
    row("response of the answered", &rows.response.all, 1.0, micros);
    row("scheduling latency", &rows.scheduling.all, 1.0, micros);
    row("dispatch lag", &rows.dispatch_lag, 1.0, micros);
    row("the loader's own lag", &rows.own_lag, 1.0, micros);
    row("receive lag", &rows.receive_lag, 1.0, micros);
    row("slowdown", &rows.slowdown.all, SLOWDOWN_SCALE, ratio);
    table
}
