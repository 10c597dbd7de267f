//! Expectations, and whether they are met.

use loader_proto::v1::{ExpectationResult, RunSummary};
use loader_report::expectation::Judged;
use serde_json::{Value, json};

/// What is said of the expectations of a run, before its figures; empty where there are none.
pub(super) fn expectations(summary: &RunSummary) -> String {
    let all = summary.expectations.iter();
    let lines = all.clone().map(|it| {
        let ExpectationResult { expectation, value: _, met, shown, aborted } = it;
        let ended = if *aborted { ", which ended the run" } else { "" };
        (
            *met == Some(true),
            format!("{expectation}: {}{ended}", if met.is_some() { format!("it was {shown}") } else { shown.clone() }),
        )
    });
    paragraph(&lines.collect::<Vec<_>>())
}

/// What is said of the expectations of a comparison, before its figures; empty where there are none.
pub(crate) fn expected(judged: &[Judged]) -> String {
    let lines = judged.iter().map(|it| {
        let word = if it.is_met.is_none() && it.value.is_some() { "not shown, " } else { "" };
        (it.is_certain(), format!("{}: {word}{}", it.expectation, it.shown))
    });
    let text = paragraph(&lines.collect::<Vec<_>>());
    if text.is_empty() { text } else { text + "\n\n" }
}

/// The same for programs.
pub(crate) fn expected_json(judged: &[Judged]) -> Value {
    judged
        .iter()
        .map(|it| json!({ "expectation": it.expectation, "value": it.value, "met": it.is_met, "shown": it.shown }))
        .collect()
}

/// Lines, each with whether it is met.
fn paragraph(lines: &[(bool, String)]) -> String {
    let missed = lines.iter().filter(|(met, _)| !met).count();
    let head = match (missed, lines.len()) {
        (_, 0) => return String::new(),
        (0, 1) => "The expectation is met:".to_owned(),
        (0, all) => format!("All {all} expectations are met:"),
        (missed, all) => format!("EXPECTATIONS NOT MET: {missed} of {all}"),
    };
    let lines = lines.iter().map(|(met, line)| format!("\n  {} {line}", if *met { "✓" } else { "✗" }));
    head + &lines.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(expectation: &str, met: Option<bool>, shown: &str, aborted: bool) -> ExpectationResult {
        ExpectationResult { expectation: expectation.to_owned(), value: None, met, shown: shown.to_owned(), aborted }
    }

    #[test]
    fn what_is_not_met_is_counted_and_told_with_what_it_was() {
        let met = result("failed < 1%", Some(true), "0 %", false);
        let summary = |expectations| RunSummary { expectations, ..RunSummary::default() };
        assert_eq!(expectations(&summary(vec![met.clone()])), "The expectation is met:\n  ✓ failed < 1%: it was 0 %");
        let missed = vec![
            met,
            result("response.p99 < 5ms abort", Some(false), "812 ms", true),
            result("response.p999 < 1s", None, "not known", false),
        ];
        assert_eq!(
            expectations(&summary(missed)),
            "EXPECTATIONS NOT MET: 2 of 3\n  ✓ failed < 1%: it was 0 %\n  ✗ response.p99 < 5ms abort: it was 812 ms, which ended the run\n  \
             ✗ response.p999 < 1s: not known"
        );
        assert_eq!(expectations(&RunSummary::default()), "");
    }
}
