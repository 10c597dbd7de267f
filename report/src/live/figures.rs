//! The figures of a run under way.

use crate::{
    figure::{self, Axis, Curve, Facts, Figure, Layer, Mark, Quantity, Scale, Style, text::escaped},
    page::units,
};

/// A run under way at one instant.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moment {
    /// Seconds since the start of the load.
    pub at: f64,
    /// The rate asked for, per second.
    pub requested: f64,
    /// The rate sent over the last seconds, per second.
    pub achieved: f64,
    /// Failures per second since the moment before.
    pub failed: f64,
    /// Cold starts per second since the moment before.
    pub cold: f64,
    /// Invocations in flight.
    pub in_flight: f64,
    /// Response time of the last seconds, median, microseconds.
    pub response_p50_us: Option<f64>,
    /// The same, 99th percentile.
    pub response_p99_us: Option<f64>,
    /// Dispatch lag of the last seconds, 99th percentile, microseconds.
    pub lag_p99_us: Option<f64>,
    /// The loader's own part of it.
    pub own_lag_p99_us: Option<f64>,
}

/// What a figure draws: names of its curves, and their values.
type Curves = [(&'static str, fn(&Moment) -> Option<f64>)];

/// The figures beside each other; nothing without moments. `lag_limit` is the limit of the loader's own lag, in microseconds.
pub(super) fn figures(moments: &[Moment], marks: &[Mark], lag_limit: Option<f64>) -> String {
    let (Some(last), true) = (moments.last(), moments.len() > 1) else { return String::new() };
    let known = |us: Option<f64>| us.map_or(units::UNKNOWN.to_owned(), units::micros);
    let log = |label| Axis::new(label, Quantity::Micros, Scale::Log);
    let linear = |label, quantity| Axis::new(label, quantity, Scale::Linear);
    let rate: &Curves = &[("requested", |it| Some(it.requested)), ("achieved", |it| Some(it.achieved))];
    let response: &Curves = &[("p50", |it| it.response_p50_us), ("p99", |it| it.response_p99_us)];
    let troubles: &Curves = &[("failures", |it| Some(it.failed)), ("cold starts", |it| Some(it.cold))];
    let in_flight: &Curves = &[("in flight", |it| Some(it.in_flight))];
    let lag: &Curves = &[("own lag p99", |it| it.own_lag_p99_us), ("dispatch lag p99", |it| it.lag_p99_us)];
    let limit = lag_limit.map_or(String::new(), |limit| format!(", limit {}", units::micros(limit)));
    let all = [
        (
            "live-rate",
            "Requested and achieved rate",
            linear("invocations", Quantity::PerSecond),
            rate,
            format!("{} requested, {} achieved.", units::rate(last.requested), units::rate(last.achieved)),
            "achieved: over the last 5 s",
        ),
        (
            "live-response",
            "Response time",
            log("response time"),
            response,
            format!("p50 {}, p99 {}.", known(last.response_p50_us), known(last.response_p99_us)),
            "succeeded, over the last 5 s",
        ),
        (
            "live-in-flight",
            "Invocations in flight",
            linear("in flight", Quantity::Number),
            in_flight,
            format!("{} in flight.", Quantity::Number.text(last.in_flight)),
            "",
        ),
        (
            "live-troubles",
            "Failures and cold starts",
            linear("invocations", Quantity::PerSecond),
            troubles,
            format!("{} failures, {} cold starts.", units::rate(last.failed), units::rate(last.cold)),
            "by the instant at which they ended",
        ),
        (
            "live-lag",
            "The loader's own lag",
            log("lag"),
            lag,
            format!(
                "Own lag p99 {}{limit}; with the waits for connections and streams, which are not the loader's own, {}.",
                known(last.own_lag_p99_us),
                known(last.lag_p99_us)
            ),
            "sent, over the last 5 s",
        ),
    ];
    let drawn = all.into_iter().map(|(name, title, y, curves, finding, filter)| {
        let x = Axis::new("time since the start of the load", Quantity::Seconds, Scale::Linear);
        let mut figure = Figure::new(name, title, x, y);
        figure.finding = finding;
        figure.facts = Facts::new("a value each second", filter, "");
        figure.marks = marks.to_vec();
        let limit = lag_limit.filter(|_| name == "live-lag");
        let limit =
            limit.map(|at| Mark { at, label: format!("limit of the own lag p99: {}", Quantity::Micros.text(at)) });
        figure.limits.extend(limit);
        for (look, (name, value)) in curves.iter().enumerate() {
            let points = moments.iter().map(|moment| (moment.at, value(moment)));
            figure.layers.push(Layer::Line(Curve::new(name, look, points)));
        }
        chart(&figure)
    });
    format!("<div class=\"charts\">\n{}</div>\n", drawn.collect::<String>())
}

/// A figure with its caption; one that has no values, as percentiles of few invocations, says so.
fn chart(figure: &Figure) -> String {
    let figure = figure.thinned().presentable();
    let (name, title, finding) = (&figure.name, escaped(&figure.title), escaped(&figure.finding));
    let drawn = if figure.is_empty() {
        "<p class=\"soft\">Too few invocations in the last seconds.</p>".to_owned()
    } else {
        figure::svg(&figure, &Style::PAGE)
    };
    let facts = escaped(&figure.facts.text());
    format!(
        "<figure class=\"chart\" id=\"{name}\"><figcaption><h3>{title}</h3><p>{finding}</p></figcaption>\n{drawn}\
         <p class=\"facts\">{facts}</p></figure>\n"
    )
}
