use insta::assert_snapshot;
use loader_proto::{
    schema::{Column, Invocations, Kind, Table as _},
    v1::{PlanShares, PlanSummary, Record, Run, RunState},
};

use super::{fixtures, *};

/// A run without intervals.
fn run(run: &Run) -> String {
    super::run(run, IntervalsShown::No)
}

#[test]
fn a_saturated_burst() {
    assert_snapshot!(run(&fixtures::burst()));
}

#[test]
fn a_sweep_that_found_overload() {
    assert_snapshot!(run(&fixtures::rps()));
}

#[test]
fn a_trace_with_a_warm_up() {
    assert_snapshot!(run(&fixtures::warmed_up()));
}

#[test]
fn a_cold_start_run_that_was_cancelled() {
    assert_snapshot!(run(&fixtures::coldstart()));
}

#[test]
fn a_run_that_never_started() {
    let run = Run { progress: None, reason: "steady did not get ready in 5m".to_owned(), ..fixtures::running() };
    let run = Run { state: RunState::Failed.into(), ..run };
    assert_snapshot!(super::run(&run, IntervalsShown::No));
    assert_eq!(state(&run), "01R  FAILED: steady did not get ready in 5m\n");
}

#[test]
fn a_run_under_way() {
    assert_snapshot!(run(&fixtures::running()));
}

#[test]
fn a_clean_up_that_waits() {
    let waiting_for = "cannot clean up: platform knative: connection refused".to_owned();
    let waiting = Run { state: RunState::Cleaning.into(), waiting_for, ..fixtures::running() };
    let expected = "CLEANING  waits: cannot clean up: platform knative: connection refused";
    assert!(progress::line(&waiting).contains(expected), "{}", progress::line(&waiting));
    let listed = runs(std::slice::from_ref(&waiting));
    assert!(listed.ends_with("waits: cannot clean up: platform knative: connection refused\n"), "{listed}");
    assert!(run(&waiting).contains("waits for  cannot clean up: "), "{}", run(&waiting));
}

#[test]
fn a_clean_up_of_what_was_left() {
    use loader_proto::v1::{CleanRunsResponse, CleanedRun, SkippedPlatform};
    let removed = CleanedRun { run_id: "01R".to_owned(), platform: "knative".to_owned(), functions: 3 };
    let answer = CleanRunsResponse { cleaned: vec![removed], skipped: Vec::new() };
    assert_eq!(cleaned(&answer), "01R: 3 functions removed from knative");
    let skipped = SkippedPlatform { platform: "knative".to_owned(), reason: "no kubeconfig".to_owned() };
    let answer = CleanRunsResponse { cleaned: Vec::new(), skipped: vec![skipped] };
    assert_eq!(cleaned(&answer), "nothing to remove\nplatform knative is not configured: no kubeconfig");
}

#[test]
fn progress_on_one_line() {
    let running = fixtures::running();
    let mut open_ended = running.clone();
    if let Some(progress) = &mut open_ended.progress {
        progress.slots_total = 0;
        progress.planned_duration = None;
        progress.saturated = true;
    }
    let deploying = Run { state: RunState::Deploying.into(), ..running.clone() };
    let queued = Run { state: RunState::Queued.into(), queue_position: 2, progress: None, ..running.clone() };
    let lines = [&running, &open_ended, &deploying, &queued].map(progress::line);
    assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_list_of_runs() {
    let list = [fixtures::running(), fixtures::burst(), fixtures::coldstart()];
    assert_snapshot!(runs(&list));
    let mut queued = Run { queue_position: 3, reason: String::new(), summary: None, ..fixtures::running() };
    queued.set_state(RunState::Queued);
    assert!(runs(&[queued]).trim_end().ends_with("position 3 in the queue"));
    assert_eq!(runs(&[]), "no runs\n");
}

#[test]
fn a_plan_and_its_beginning() {
    assert_snapshot!(plan(&fixtures::plan(), 2));
    assert!(!plan(&fixtures::plan(), 3).contains("more"));
    let waiting = PlanSummary { waits: true, ..fixtures::plan() };
    assert!(plan(&waiting, 3).contains("length       3m (without the waits between slots)\n"));
}

#[test]
fn a_plan_of_workers() {
    let of = |invocations: &[u64], split: &[&str]| {
        let split_functions = split.iter().map(|name| (*name).to_owned()).collect();
        let shares = Some(PlanShares { invocations: invocations.to_vec(), split_functions });
        plan(&PlanSummary { shares, ..fixtures::plan() }, 2)
    };
    assert_snapshot!(of(&[143, 142, 143, 142], &["fn-1", "fn-2"]));
    let whole = of(&[570, 0], &[]);
    assert!(
        whole.contains("workers      2: smallest share 0 (0.0 %), largest 570 (100.0 %)\n") && !whole.contains("split")
    );
    let many = of(&[570], &["a", "b", "c", "d", "e", "f", "g"]);
    assert!(many.contains("split        over all workers: a, b, c, d, e and 2 more\n"), "{many}");
}

#[test]
fn a_daemon() {
    assert_snapshot!(status(&fixtures::status()));
}

#[test]
fn a_single_invocation() {
    assert_snapshot!(record(&fixtures::record()));
}

#[test]
fn a_record_is_a_row() {
    let row = columns(true).into_iter().zip(cells("01R", fixtures::record(), Some(fixtures::nearest_node())));
    assert_snapshot!(row.map(|(column, cell)| format!("{column}={cell}")).collect::<Vec<_>>().join("\n"));
    let absent =
        columns(false).into_iter().zip(cells("01R", Record::default(), None)).filter(|(_, cell)| cell.is_empty());
    let absent: Vec<_> = absent.map(|(column, _)| column).collect();
    let optional = |column: &&Column| column.absent.is_some() || column.kind == Kind::Text;
    let optional = Invocations::SCHEMA.columns.iter().skip(1).filter(optional).map(|column| column.name);
    assert_eq!(absent, optional.collect::<Vec<_>>());
}

#[test]
fn fetched_files() {
    let list = [("slots.csv".to_owned(), 507), ("invocations.csv".to_owned(), 1_234_567)];
    assert_snapshot!(files("results", &list));
}

#[test]
fn intervals_are_below_or_beside_their_percentiles() {
    let of = |shown| {
        let text = super::run(&fixtures::rps(), shown);
        let table = text.split("\n\n").find(|section| section.starts_with("Responses")).unwrap_or_default().to_owned();
        table.lines().skip(1).take(4).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!([of(IntervalsShown::Below), of(IntervalsShown::Beside)].join("\n\n"));
}

#[test]
fn verdicts_are_in_the_order_in_which_they_void_the_figures() {
    let mut run = fixtures::burst();
    if let Some(summary) = &mut run.summary {
        summary.failed = 1_000;
    }
    let text = self::run(&run);
    let first =
        ["MOST INVOCATIONS FAILED", "THE LOADER WAS THE BOTTLENECK", "NOT OPEN-LOOP", "THE LOADER'S STALLS", "run  "];
    let places = first.map(|verdict| text.find(verdict));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}\n{text}");
}

#[test]
fn verdicts_that_were_not_given_are_not_claimed() {
    let mut run = fixtures::rps();
    if let Some(summary) = &mut run.summary {
        (summary.saturated, summary.open_loop, summary.stalls) = (None, None, None);
    }
    assert!(self::run(&run).starts_with("run  "));
    let mut run = fixtures::burst();
    if let Some(summary) = &mut run.summary {
        summary.open_loop = None;
    }
    assert!(!self::run(&run).contains("waiting"));
}

#[test]
fn what_is_unknown_is_a_dash() {
    let mut run = fixtures::running();
    if let Some(progress) = &mut run.progress {
        (progress.lag_p99_us, progress.response_p50_us, progress.response_p99_us) = (None, None, None);
        (progress.completed, progress.failed) = (0, 0);
    }
    let figures = progress::figures(&run);
    assert!(figures[1].contains("failed 0 (–)"), "{figures:?}");
    assert_eq!(figures[2], "lag p99 –  response p50 – p99 –");
}

#[test]
fn what_failed_comes_before_any_figure() {
    let failing = |failed: u64| {
        let mut run = fixtures::warmed_up();
        if let Some(summary) = &mut run.summary {
            summary.failed = failed;
            summary.by_status = [("http_503".to_owned(), failed), ("ok".to_owned(), 1_200 - failed)].into();
        }
        super::run(&run, IntervalsShown::No).lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(failing(1_200), "ALL 1200 INVOCATIONS FAILED (http_503 1200)");
    assert_eq!(failing(601), "MOST INVOCATIONS FAILED: 601 of 1200 (http_503 601)");
    assert!(failing(600).starts_with("The loader kept up"));
}

#[test]
fn the_lines_of_verdicts_have_weights_and_no_others() {
    let of = |run: &Run| {
        let (text, weights) = (super::run(run, IntervalsShown::No), emphasis(run));
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        assert!(lines[weights.len()].starts_with("run "), "{text}");
        lines.into_iter().zip(weights).filter_map(|(line, weight)| Some((line, weight?))).collect::<Vec<_>>()
    };
    let saturated = of(&fixtures::burst());
    assert!(
        saturated[0].0.starts_with("THE LOADER WAS THE BOTTLENECK") && saturated[0].1 == Weight::Bad,
        "{saturated:?}"
    );
    assert!(saturated.iter().all(|(line, _)| !line.starts_with(' ') && !line.is_empty()), "{saturated:?}");
    let sound = of(&fixtures::warmed_up());
    let kept_up = sound.iter().find(|(line, _)| line.starts_with("The loader kept up"));
    assert_eq!(kept_up.map(|(_, weight)| *weight), Some(Weight::Good), "{sound:?}");
    assert_eq!(of(&fixtures::running()), []);
}
