//! Expectations as JUnit XML, which CI systems show.
//!
//! Each run, or comparison, is a suite, and each expectation a case: a missed one is a failure, one of a figure that is not known an error.
//! Of a study each planned run is a suite; one that was left out, or not made, is skipped.
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
    Skipped(String),
}

/// A planned run of a study.
pub(crate) struct Planned {
    /// Its cell and its repeat.
    pub(crate) name: String,
    /// The last run that was made for it; absent of one that was not made, or is gone.
    pub(crate) run: Option<Run>,
    /// Why it is no sample, although nothing of it failed; absent of one that is a sample, or failed.
    pub(crate) left_out: Option<String>,
}

struct Suite {
    name: String,
    run: String,
    cases: Vec<Case>,
}

/// The XML of a run: whether it was carried out, then its expectations.
pub(crate) fn of_run(run: &Run) -> String {
    let name = run.spec.as_ref().map(|spec| spec.name.as_str()).filter(|name| !name.is_empty()).unwrap_or(&run.mode);
    suites(&[Suite { name: name.to_owned(), run: run.run_id.clone(), cases: cases(run) }])
}

/// The XML of a study: of each planned run whether it was carried out, then its expectations.
pub(crate) fn of_study(runs: &[Planned]) -> String {
    let suite = |planned: &Planned| {
        let run = planned.run.as_ref();
        let skipped = planned.left_out.clone().map(Outcome::Skipped);
        let cases = match (skipped, run) {
            (Some(outcome), _) => vec![Case { name: CARRIED_OUT.to_owned(), outcome }],
            (None, Some(run)) => cases(run),
            (None, None) => {
                vec![Case { name: CARRIED_OUT.to_owned(), outcome: Outcome::Unknown("the run is gone".to_owned()) }]
            }
        };
        Suite { name: planned.name.clone(), run: run.map(|run| run.run_id.clone()).unwrap_or_default(), cases }
    };
    suites(&runs.iter().map(suite).collect::<Vec<_>>())
}

/// The first case of each run.
const CARRIED_OUT: &str = "the run is carried out";

fn cases(run: &Run) -> Vec<Case> {
    let is_ended_by = run.summary.iter().flat_map(|summary| &summary.expectations).any(|it| it.aborted);
    // That an expectation ended it is told by that one.
    let is_carried_out = run.state() == RunState::Succeeded || is_ended_by;
    let carried_out = if is_carried_out {
        Outcome::Passed
    } else {
        Outcome::Failed(format!("{}: {}", state_name(run.state()), run.reason))
    };
    let first = Case { name: CARRIED_OUT.to_owned(), outcome: carried_out };
    let expected = run.summary.iter().flat_map(|summary| &summary.expectations).map(|it| {
        let shown = format!("it was {}", it.shown);
        let outcome = match it.met {
            Some(true) => Outcome::Passed,
            Some(false) => Outcome::Failed(shown),
            None => Outcome::Unknown(it.shown.clone()),
        };
        Case { name: it.expectation.clone(), outcome }
    });
    std::iter::once(first).chain(expected).collect()
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
    suites(&[Suite { name: "B against A".to_owned(), run: String::new(), cases: cases.collect() }])
}

fn text(text: &str) -> String {
    escaped(&visible(text))
}

/// Numbers of cases, by outcome.
fn counts<'a>(cases: impl Iterator<Item = &'a Case> + Clone) -> String {
    let count = |is: fn(&Outcome) -> bool| cases.clone().filter(|case| is(&case.outcome)).count();
    let (failures, errors, skipped) = (
        count(|it| matches!(it, Outcome::Failed(_))),
        count(|it| matches!(it, Outcome::Unknown(_))),
        count(|it| matches!(it, Outcome::Skipped(_))),
    );
    let skipped = if skipped > 0 { format!(" skipped=\"{skipped}\"") } else { String::new() };
    format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\"{skipped}", cases.clone().count())
}

fn suites(suites: &[Suite]) -> String {
    let all = counts(suites.iter().flat_map(|suite| &suite.cases));
    let inner: String = suites.iter().map(suite).collect();
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {all}>\n{inner}</testsuites>\n")
}

fn suite(suite: &Suite) -> String {
    let name = text(&suite.name);
    let mut xml = format!("  <testsuite name=\"{name}\" {}>\n", counts(suite.cases.iter()));
    if !suite.run.is_empty() {
        let property = format!("      <property name=\"run\" value=\"{}\"/>\n", text(&suite.run));
        xml += &format!("    <properties>\n{property}    </properties>\n");
    }
    for case in &suite.cases {
        let open = format!("    <testcase classname=\"{name}\" name=\"{}\"", text(&case.name));
        let with = |element: &str, why: &str| {
            format!("{open}>\n      <{element} message=\"{}\"/>\n    </testcase>\n", text(why))
        };
        xml += &match &case.outcome {
            Outcome::Passed => format!("{open}/>\n"),
            Outcome::Failed(why) => with("failure", why),
            Outcome::Unknown(why) => with("error", why),
            Outcome::Skipped(why) => with("skipped", why),
        };
    }
    xml + "  </testsuite>\n"
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
    fn each_planned_run_of_a_study_is_a_suite_with_its_expectations() {
        let planned = |name: &str, run, left_out: Option<&str>| Planned {
            name: name.to_owned(),
            run,
            left_out: left_out.map(str::to_owned),
        };
        let missed = run(RunState::Succeeded, vec![expected("response.p99 < 500ms", Some(false), false)]);
        let xml = of_study(&[
            planned("window=1s, repeat 1", Some(missed.clone()), None),
            planned("window=4s, repeat 1", Some(missed), Some("left out: saturated")),
            planned("window=4s, repeat 2", None, Some("not made")),
            planned("window=1s, repeat 2", None, None),
        ]);
        let outcomes: Vec<_> = cases(&xml).into_iter().map(|(_, outcome)| outcome).collect();
        assert_eq!(
            outcomes,
            [
                "passed",
                "failure: it was 812 ms",
                "skipped: left out: saturated",
                "skipped: not made",
                "error: the run is gone"
            ]
        );
        assert!(xml.contains("<testsuites tests=\"5\" failures=\"1\" errors=\"1\" skipped=\"2\">"), "{xml}");
        assert!(
            xml.contains("<testsuite name=\"window=1s, repeat 1\" tests=\"2\" failures=\"1\" errors=\"0\">"),
            "{xml}"
        );
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
