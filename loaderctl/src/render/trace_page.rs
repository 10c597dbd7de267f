//! A trace as a page: its figures, its statistics, beside another trace's or published ones.

use loader_report::page::{Listing, Section, Sheet, sheet_html};
use loader_trace::Report;
use loader_trace::describe::Row;

use super::trace_figures::{Described, distributions, over_time, triggers};
use super::{description, overview};

/// The page of one or several traces; `published` has the statistics of the first beside published ones.
pub(crate) fn trace_page(traces: &[Described], published: &[Row], report: &Report) -> String {
    let with_published = !published.is_empty();
    let names: Vec<&str> = traces.iter().map(|trace| trace.name.as_str()).collect();
    let lead = |trace: &Described| {
        let parts = overview::totals(&trace.overview);
        let of = |name: &str| parts.iter().find(|(part, _)| *part == name).map(|(_, text)| text.as_str());
        let of = |name| of(name).unwrap_or_default();
        format!(
            "{}: {} functions, {} invocations in {}, {} on average",
            trace.name,
            of("functions"),
            of("invocations"),
            of("length"),
            of("mean rate")
        )
    };
    let section = |name, id, figures, listings| Section { name, id, figures, listings };
    let sheet = Sheet {
        title: names.join(" and "),
        lead: traces.iter().map(lead).collect::<Vec<_>>().join("; "),
        about: if with_published { "a trace beside what was published of Azure Functions in 2019" } else { "a trace" }
            .to_owned(),
        sections: vec![
            section("Key figures", "key", Vec::new(), vec![totals(traces)]),
            section("Beside published figures", "published", Vec::new(), vec![beside(published)]),
            section("Over time", "time", over_time(traces), Vec::new()),
            section("Distributions", "distributions", distributions(traces, with_published), Vec::new()),
            section("Triggers", "triggers", triggers(traces, with_published), Vec::new()),
            section("Faults of the data", "faults", Vec::new(), vec![faults(report)]),
        ],
        source: "Made by loader from the trace. What each figure means: docs/traces.md.".to_owned(),
    };
    sheet_html(&sheet)
}

fn totals(traces: &[Described]) -> Listing {
    let columns: Vec<_> = traces.iter().map(|trace| overview::totals(&trace.overview)).collect();
    let rows = (0..columns.first().map_or(0, Vec::len)).map(|row| {
        let name = columns.iter().filter_map(|column| column.get(row)).map(|(name, _)| (*name).to_owned()).next();
        let values = columns.iter().filter_map(|column| column.get(row)).map(|(_, value)| unknown(value));
        name.into_iter().chain(values).collect()
    });
    let head = std::iter::once(String::new()).chain(traces.iter().map(|trace| trace.name.clone()));
    Listing { caption: "Load and shape".to_owned(), head: head.collect(), rows: rows.collect() }
}

fn beside(published: &[Row]) -> Listing {
    let head = ["statistic", "found", "target", "tolerance", "met"].map(str::to_owned).into();
    let rows = published.iter().map(|row| description::cells(row).iter().map(|cell| unknown(cell)).collect());
    Listing { caption: "Statistics and targets".to_owned(), head, rows: rows.collect() }
}

fn faults(report: &Report) -> Listing {
    let rows = overview::faults_of(report).into_iter().map(|(what, count)| vec![what, count.to_string()]);
    let head = ["fault", "count"].map(str::to_owned).into();
    Listing { caption: "Faults of the data, of the first trace".to_owned(), head, rows: rows.collect() }
}

fn unknown(text: &str) -> String {
    if text.is_empty() { "–".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use loader_trace::describe::{AppMemory, Figures, azure2019};
    use loader_trace::{Options, Trace, open};

    use super::*;

    fn small() -> Trace {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workloads/traces/small");
        open(&path, &Options::default()).unwrap().trace
    }

    fn ids(page: &str) -> Vec<&str> {
        page.split("<figure class=\"chart\" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn a_page_has_every_figure_and_the_numbers_of_the_text() {
        let trace = small();
        let page = trace_page(&[Described::of("small".to_owned(), &trace)], &[], &Report::default());
        let expected = [
            "rate",
            "concurrency",
            "memory",
            "invocations-cdf",
            "runtime-cdf",
            "runtime-by-invocations-cdf",
            "memory-cdf",
            "variation-cdf",
            "idle-cdf",
            "popularity",
            "triggers-functions",
            "triggers-invocations",
        ];
        assert_eq!(ids(&page), expected);
        assert!(
            page.contains("<strong>small: 10 functions, 540 invocations in 1h, 0.15/s on average</strong>"),
            "{page}"
        );
        assert!(!page.contains("Beside published figures") && !page.contains("azure2019"));
    }

    #[test]
    fn published_figures_stand_beside_those_of_the_trace() {
        let trace = small();
        let rows = azure2019(&Figures::of(&trace, AppMemory::OfEachFunction));
        let page = trace_page(&[Described::of("small".to_owned(), &trace)], &rows, &Report::default());
        assert!(page.contains("functions by trigger: http") && page.contains("azure2019, of apps"));
    }

    #[test]
    fn what_a_trace_does_not_tell_has_no_figure() {
        let mut bare = small();
        for function in &mut bare.functions {
            (function.runtime, function.memory, function.trigger) = (None, None, None);
        }
        let page = trace_page(&[Described::of("bare".to_owned(), &bare)], &[], &Report::default());
        assert_eq!(ids(&page), ["rate", "invocations-cdf", "variation-cdf", "idle-cdf", "popularity"]);
        assert!(!page.contains("NaN"));
    }

    #[test]
    fn two_traces_are_in_the_same_figures() {
        let trace = small();
        let named = |name: &str| Described::of(name.to_owned(), &trace);
        let page = trace_page(&[named("one"), named("<two>")], &[], &Report::default());
        assert!(page.contains("&lt;two&gt;: median") && !page.contains("<two>"));
    }
}
