//! Expectations as JUnit XML, which CI systems show.
//!
//! Each run, or comparison, is a suite, and each expectation a case: a missed one is a failure, one of a figure that is not known an error.
//! Names come from specs and may hold anything: what XML does not have, or what can't be seen, is written out.

use loader_proto::{
    v1::{Run, RunState},
    visible::visible,
};
use loader_report::{expectation::Judged, figure::text::escaped};

use crate::render::progress::state_name;

/// A case of a suite.
struct Case {
    name: String,
    outcome: Outcome,
}

enum Outcome {
    Passed,
    Failed(String),
    Unknown(String),
}

/// The XML of a run: whether it was carried out, then its expectations.
pub(crate) fn of_run(run: &Run) -> String {
    let is_ended_by = run.summary.iter().flat_map(|summary| &summary.expectations).any(|it| it.aborted);
    // That an expectation ended it is told by that one.
    let is_carried_out = run.state() == RunState::Succeeded || is_ended_by;
    let carried_out = if is_carried_out {
        Outcome::Passed
    } else {
        Outcome::Failed(format!("{}: {}", state_name(run.state()), run.reason))
    };
    let first = Case { name: "the run is carried out".to_owned(), outcome: carried_out };
    let expected = run.summary.iter().flat_map(|summary| &summary.expectations).map(|it| {
        let shown = format!("it was {}", it.shown);
        let outcome = match it.met {
            Some(true) => Outcome::Passed,
            Some(false) => Outcome::Failed(shown),
            None => Outcome::Unknown(it.shown.clone()),
        };
        Case { name: it.expectation.clone(), outcome }
    });
    let name = run.spec.as_ref().map(|spec| spec.name.as_str()).filter(|name| !name.is_empty()).unwrap_or(&run.mode);
    suite(name, &[("run", run.run_id.as_str())], &std::iter::once(first).chain(expected).collect::<Vec<_>>())
}

/// The XML of a comparison.
pub(crate) fn of_comparison(judged: &[Judged]) -> String {
    let cases = judged.iter().map(|it| {
        let outcome = match it.is_met {
            Some(true) => Outcome::Passed,
            Some(false) => Outcome::Failed(format!("it is {}", it.shown)),
            None => Outcome::Unknown(format!("not shown: it is {}", it.shown)),
        };
        Case { name: it.expectation.clone(), outcome }
    });
    suite("B against A", &[], &cases.collect::<Vec<_>>())
}

fn text(text: &str) -> String {
    escaped(&visible(text))
}

fn suite(name: &str, properties: &[(&str, &str)], cases: &[Case]) -> String {
    let count = |is: fn(&Outcome) -> bool| cases.iter().filter(|case| is(&case.outcome)).count();
    let (failures, errors) =
        (count(|it| matches!(it, Outcome::Failed(_))), count(|it| matches!(it, Outcome::Unknown(_))));
    let (name, counts) = (text(name), format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\"", cases.len()));
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite name=\"{name}\" {counts}>\n"
    );
    if !properties.is_empty() {
        let lines = properties
            .iter()
            .map(|(name, value)| format!("      <property name=\"{}\" value=\"{}\"/>\n", text(name), text(value)));
        xml += &format!("    <properties>\n{}    </properties>\n", lines.collect::<String>());
    }
    for case in cases {
        let open = format!("    <testcase classname=\"{name}\" name=\"{}\"", text(&case.name));
        xml += &match &case.outcome {
            Outcome::Passed => format!("{open}/>\n"),
            Outcome::Failed(why) => format!("{open}>\n      <failure message=\"{}\"/>\n    </testcase>\n", text(why)),
            Outcome::Unknown(why) => format!("{open}>\n      <error message=\"{}\"/>\n    </testcase>\n", text(why)),
        };
    }
    xml + "  </testsuite>\n</testsuites>\n"
}

#[cfg(test)]
mod tests {
    use loader_proto::v1::{ExpectationResult, RunSpec, RunSummary};

    use super::*;

    fn run(state: RunState, expectations: Vec<ExpectationResult>) -> Run {
        Run {
            run_id: "20261127t100000000-0001".to_owned(),
            mode: "rps".to_owned(),
            state: state.into(),
            reason: "an expectation was missed".to_owned(),
            spec: Some(RunSpec { name: "gate".to_owned(), ..RunSpec::default() }),
            summary: Some(RunSummary { expectations, ..RunSummary::default() }),
            ..Run::default()
        }
    }

    fn expected(expectation: &str, met: Option<bool>, aborted: bool) -> ExpectationResult {
        let shown = if met.is_some() { "812 ms" } else { "not known" }.to_owned();
        ExpectationResult { expectation: expectation.to_owned(), value: None, met, shown, aborted }
    }

    /// Name and outcome of each case.
    fn cases(xml: &str) -> Vec<(String, String)> {
        let document = roxmltree::Document::parse(xml).expect("well-formed");
        let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
        let outcome = |case: roxmltree::Node<'_, '_>| {
            let found = case.children().find(|node| node.is_element());
            found.map_or("passed".to_owned(), |node| {
                format!("{}: {}", node.tag_name().name(), node.attribute("message").unwrap_or_default())
            })
        };
        cases.map(|case| (case.attribute("name").unwrap_or_default().to_owned(), outcome(case))).collect()
    }

    #[test]
    fn each_expectation_is_a_case() {
        let expectations = vec![
            expected("response.p50 < 1s", Some(true), false),
            expected("response.p99 < 500ms", Some(false), false),
            expected("response.p999 < 1s", None, false),
        ];
        let xml = of_run(&run(RunState::Succeeded, expectations));
        let outcomes = ["passed", "passed", "failure: it was 812 ms", "error: not known"];
        assert_eq!(cases(&xml).into_iter().map(|(_, outcome)| outcome).collect::<Vec<_>>(), outcomes, "{xml}");
        assert!(
            xml.contains("tests=\"4\" failures=\"1\" errors=\"1\"") && xml.contains("name=\"run\" value=\"20261127t1"),
            "{xml}"
        );
    }

    #[test]
    fn a_run_that_failed_is_a_failure_and_one_that_was_ended_by_an_expectation_is_that_ones() {
        let failed = cases(&of_run(&run(RunState::Failed, Vec::new())));
        assert_eq!(
            failed,
            [("the run is carried out".to_owned(), "failure: FAILED: an expectation was missed".to_owned())]
        );
        let aborted = cases(&of_run(&run(RunState::Failed, vec![expected("failed < 1% abort", Some(false), true)])));
        assert_eq!((aborted[0].1.as_str(), aborted[1].1.as_str()), ("passed", "failure: it was 812 ms"));
    }

    #[test]
    fn hostile_names_are_text() {
        let evil = "]]></testcase>&\"'<\u{1}\u{202e}\n\u{fffe}";
        let mut run = run(RunState::Succeeded, vec![expected(evil, Some(false), false)]);
        run.spec = Some(RunSpec { name: evil.to_owned(), ..RunSpec::default() });
        let xml = of_run(&run);
        assert_eq!(cases(&xml).len(), 2, "{xml}");
        assert!(!xml.contains('\u{202e}') && !xml.contains('\u{1}'), "{xml}");
    }

    #[test]
    fn a_comparison_that_shows_nothing_is_no_pass() {
        let judged = Judged {
            expectation: "response.p99 < +10%".to_owned(),
            value: Some(1.1),
            is_met: None,
            shown: "× 1.100".to_owned(),
            aborted: false,
        };
        let found = cases(&of_comparison(&[judged]));
        assert_eq!(found[0].1, "error: not shown: it is × 1.100");
    }
}
