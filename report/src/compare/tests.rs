use std::fs;

use serde_json::{Value, json};

use super::*;
use crate::run::Run;

/// A run whose responses have this median, with these further fields of its summary, and this spec.
fn run(id: &str, p50: u64, more: &Value, spec: &str) -> Run {
    let directory = tempfile::tempdir().expect("a directory");
    let mut summary = json!({
        "runId": id, "name": "run", "mode": "rps", "platform": "fake", "state": "RUN_STATE_SUCCEEDED", "requested": 100, "issued": 100,
        "returned": 100, "failed": 0, "rows": 0, "responseUs": { "count": 100, "p50": p50, "intervals": { "p50": { "low": p50.saturating_sub(5), "high": p50 + 5 } } },
    });
    let fields = summary.as_object_mut().expect("an object");
    fields.extend(more.as_object().cloned().unwrap_or_default());
    fs::write(directory.path().join("summary.json"), summary.to_string()).expect("written");
    fs::write(directory.path().join("spec.yaml"), spec).expect("written");
    Run::read(directory.path()).expect("reads")
}

/// A group of runs with these medians.
fn group(name: &'static str, medians: &[u64], more: &Value, spec: &str) -> Group {
    let mut group = Group::new(name);
    medians.iter().enumerate().for_each(|(at, p50)| group.add(run(&format!("{name}{at}"), *p50, more, spec)));
    group
}

fn compared(a: &[u64], b: &[u64]) -> Comparison {
    let group = |name, medians: &[u64]| group(name, medians, &json!({}), "rps: {}");
    compare(group("A", a), group("B", b), &[find("response-p50").expect("known")], true, 0.05).expect("compared")
}

const BASE: [u64; 6] = [1000, 1010, 990, 1005, 995, 1002];

#[test]
fn each_of_the_four_verdicts() {
    let times = |factor: f64| BASE.map(|us| crate::number::whole(us as f64 * factor));
    for (b, expected) in [
        (times(1.2), Verdict::Worse),
        (times(0.8), Verdict::Better),
        (times(1.001), Verdict::Same),
        // Different for certain, but by less than the margin.
        (times(1.03), Verdict::Same),
        ([700, 1400, 900, 1100, 1300, 800], Verdict::NotShown),
    ] {
        let comparison = compared(&BASE, &b);
        let row = &comparison.rows[0];
        assert_eq!(row.verdict, expected, "{row:?}");
        assert!(row.ratio.is_some_and(|it| it.interval.is_some_and(|interval| interval.holds(it.value))), "{row:?}");
    }
}

#[test]
fn few_runs_show_little_and_say_so() {
    let three = compared(&[1000, 1001, 1002], &[2000, 2001, 2002]);
    assert_eq!(three.rows[0].verdict, Verdict::NotShown);
    assert!(three.notes[0].contains("0.10 over 1 figure. Take 4 runs"), "{:?}", three.notes);
    let four = compared(&[1000, 1001, 1002, 1003], &[2000, 2001, 2002, 2003]);
    let ratio = four.rows[0].ratio.expect("a ratio");
    assert_eq!((four.rows[0].verdict, ratio.interval), (Verdict::Worse, None));
    assert!(ratio.range.is_some() && four.notes[0].contains("Fewer than 5"), "{:?}", four.notes);
    // Equal as they are, four runs do not show equality.
    assert_eq!(compared(&[1000; 4], &[1000; 4]).rows[0].verdict, Verdict::NotShown);
    assert_eq!(compared(&[1000; 5], &[1000; 5]).rows[0].verdict, Verdict::Same);
}

#[test]
fn of_one_run_a_group_nothing_is_shown_but_what_is_within_it() {
    let comparison = compared(&[1000], &[9000]);
    let row = &comparison.rows[0];
    assert!(comparison.is_single() && comparison.notes[0].contains("nothing can be shown"), "{:?}", comparison.notes);
    assert_eq!((row.verdict, row.ratio, row.p, row.delta), (Verdict::NotShown, None, None, None));
    let within = row.a.within.expect("an interval");
    assert_eq!((within.interval.low, within.interval.high, within.method), (995.0, 1005.0, Method::Independent));
    // A group of several has none within.
    assert!(compared(&BASE, &[1000]).rows[0].a.within.is_none());
}

#[test]
fn runs_that_are_no_samples_are_left_out_and_counted() {
    let mut b = group("B", &BASE, &json!({}), "rps: {}");
    b.add(run("S", 1, &json!({ "saturated": { "saturated": true } }), "rps: {}"));
    b.add(run("O", 1, &json!({ "openLoop": { "violated": true } }), "rps: {}"));
    b.add(run("F", 1, &json!({ "state": "RUN_STATE_FAILED", "saturated": { "saturated": true } }), "rps: {}"));
    b.leave_out("Q", "queued", "not ended");
    let reasons: Vec<_> = b.reasons().into_iter().collect();
    assert_eq!(reasons, [("failed", 1), ("not ended", 1), ("not open-loop", 1), ("saturated", 1)]);
    let a = group("A", &BASE, &json!({}), "rps: {}");
    let comparison = compare(a, b, &[find("response-p50").expect("known")], true, 0.05).expect("compared");
    assert_eq!((comparison.b.samples.len(), comparison.rows[0].verdict), (6, Verdict::Same));
}

#[test]
fn fields_that_runs_differ_in_are_named() {
    let a = group("A", &BASE, &json!({}), "name: one\nrps: {start: 10}");
    let mut b = group("B", &BASE, &json!({}), "name: two\nrps: {start: 10}\nscaling: {minScale: 1}");
    let all: Vec<&Measure> = MEASURES.iter().collect();
    let between = compare(a, group("B", &[1, 2], &json!({}), "rps: {start: 20}"), &all, false, 0.05).expect("compared");
    assert!(
        between.differences.iter().any(|it| it.field == "rps.start" && it.is_between_groups),
        "{:?}",
        between.differences
    );
    b.add(run("X", 1000, &json!({ "platform": "other" }), "rps: {start: 10}\nscaling: {minScale: 2}"));
    let a = group("A", &BASE, &json!({}), "rps: {start: 10}");
    let comparison = compare(a, b, &all, false, 0.05).expect("compared");
    let fields: Vec<_> =
        comparison.differences.iter().map(|it| (it.field.as_str(), it.choices.len(), it.is_between_groups)).collect();
    assert_eq!(fields, [("platform", 2, false), ("scaling.minScale", 3, false)]);
    assert_eq!(comparison.differences[0].choices[1].runs, [("B", "X".to_owned())]);
}

#[test]
fn what_has_nothing_in_common_is_refused() {
    let all: Vec<&Measure> = MEASURES.iter().collect();
    let refused = |a: Group, b: Group| compare(a, b, &all, false, 0.05).expect_err("refused").to_string();
    let of = |more: Value| group("B", &[1000], &more, "rps: {}");
    let a = || group("A", &BASE, &json!({}), "rps: {}");
    assert_eq!(
        refused(a(), of(json!({ "mode": "trace" }))),
        "the runs have nothing in common that could be compared: A is of mode rps, B of mode trace"
    );
    assert_eq!(refused(a(), Group::new("B")), "nothing can be compared: no run of B is left (it has none)");
    let saturated = of(json!({ "saturated": { "saturated": true } }));
    assert_eq!(refused(a(), saturated), "nothing can be compared: no run of B is left (left out: 1 saturated)");
    let capacity = [find("capacity").expect("known")];
    let fault = compare(a(), of(json!({})), &capacity, true, 0.05).expect_err("refused").to_string();
    assert!(fault.contains("no figure of capacity"), "{fault}");
}

#[test]
fn a_share_of_zero_has_no_ratio_but_a_verdict() {
    let failed = |name, share: u64| {
        let mut group = Group::new(name);
        (0..6).for_each(|at| {
            group.add(run(&format!("{name}{at}"), 1000, &json!({ "failed": share * (at + 1) }), "rps: {}"))
        });
        group
    };
    let measure = [find("failed").expect("known")];
    let worse = compare(failed("A", 0), failed("B", 3), &measure, true, 0.05).expect("compared");
    assert_eq!((worse.rows[0].verdict, worse.rows[0].ratio), (Verdict::Worse, None));
    let same = compare(failed("A", 0), failed("B", 0), &measure, true, 0.05).expect("compared");
    assert_eq!((same.rows[0].verdict, same.rows[0].p), (Verdict::Same, None), "nothing is to be tested");
}

#[test]
fn the_page_says_what_is_shown_and_escapes_names() {
    let more = json!({ "name": "<script>\u{202e}" });
    let (a, b) = (group("A", &BASE, &more, "rps: {}"), group("B", &BASE.map(|us| us * 2), &more, "rps: {end: 1}"));
    let comparison = compare(a, b, &[find("response-p50").expect("known")], true, 0.05).expect("compared");
    let html = crate::page::comparison_html(&comparison);
    assert!(html.contains("<strong>B against A is worse: response-p50.</strong>"), "{html}");
    assert!(
        !html.contains("<script>\\u") && html.contains("&lt;script&gt;\\u{202e}") && html.contains("rps.end"),
        "{html}"
    );
    assert_eq!(html.matches("<script>").count(), 1);
    assert_eq!(html, crate::page::comparison_html(&comparison));
}
