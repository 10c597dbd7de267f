//! Courses of studies as tables of what becomes of their runs, and as properties over any of them.

use loader_proto::{json, v1};
use proptest::prelude::*;

use super::*;
use crate::{
    id::RunId,
    spec::Defaults,
    study::{Attempt, AttemptEnd, StudyPlan},
};

/// A study of two cells, with the rest of its file.
fn study(rest: &str) -> StudyPlan {
    let text =
        format!("base: {{ burst: {{}} }}\nvary: [{{ field: scaling.stableWindow, values: [30s, 60s] }}]\n{rest}");
    let (message, faults) = json::from_yaml::<v1::StudySpec>(&text);
    assert_eq!(faults, [], "{text}");
    StudyPlan::of(&message, &Defaults { platform: "local".to_owned() }).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// Carries a study out: each run that is made ends as `end` says, by its cell, its repeat, and which attempt it is. Gives the runs, and how
/// the study ended.
fn carried_out(study: &StudyPlan, mut end: impl FnMut(u32, u32, usize) -> (AttemptEnd, f64)) -> (Vec<StudyRun>, Next) {
    let mut runs = study.unmade();
    let mut made = 0;
    loop {
        match next(&study.settings, &runs) {
            Next::Make(index) => {
                made += 1;
                assert!(made < 100_000, "no end");
                runs[index].attempts.push(Attempt::new(RunId::new(made, 0)));
            }
            Next::Await(index) => {
                let run = &mut runs[index];
                let (ended, figure) = end(run.cell, run.repeat, run.attempts.len() - 1);
                let last = run.attempts.last_mut().expect("was made");
                last.end = Some(ended);
                last.figure = Some(figure);
                last.reason = ended.as_str().to_owned();
            }
            ended @ (Next::Succeeded | Next::Failed(_)) => return (runs, ended),
        }
    }
}

fn ends(runs: &[StudyRun], cell: u32, repeat: u32) -> Vec<AttemptEnd> {
    let of = runs.iter().find(|run| (run.cell, run.repeat) == (cell, repeat)).expect("is planned");
    of.attempts.iter().map(|attempt| attempt.end.expect("has ended")).collect()
}

#[test]
fn what_is_made_again_and_how_often() {
    use AttemptEnd::{Cancelled, Deleted, Failed, Interrupted, NotOpenLoop, Sample, Saturated};
    let study = study("repeats: 1\nretries: 2\n");
    for (script, made, outcome) in [
        (&[Sample][..], 1, Outcome::Sample),
        (&[Failed, Failed, Sample], 3, Outcome::Sample),
        (&[Failed, Failed, Failed, Sample], 3, Outcome::Failed),
        (&[Saturated, Sample], 2, Outcome::Sample),
        (&[Saturated, NotOpenLoop, Sample], 2, Outcome::LeftOut),
        (&[Saturated, Failed, Saturated, Sample], 3, Outcome::LeftOut),
        (&[Cancelled, Sample], 1, Outcome::LeftOut),
        (&[Interrupted, Interrupted, Interrupted, Interrupted, Sample], 5, Outcome::Sample),
        (&[Deleted, Failed, Failed, Sample], 4, Outcome::Sample),
    ] {
        let (runs, ended) =
            carried_out(&study, |cell, _, attempt| (if cell == 0 { script[attempt] } else { Sample }, 1.0));
        assert_eq!((ends(&runs, 0, 0).len(), ended), (made, Next::Succeeded), "{script:?}");
        let run = runs.iter().find(|run| run.cell == 0).expect("is planned");
        assert_eq!(run.outcome(study.settings.retries), outcome, "{script:?}");
    }
}

#[test]
fn a_run_that_ends_the_daemon_each_time_is_not_made_forever() {
    let (runs, _) = carried_out(&study("repeats: 1"), |cell, _, _| {
        (if cell == 0 { AttemptEnd::Interrupted } else { AttemptEnd::Sample }, 1.0)
    });
    assert_eq!(ends(&runs, 0, 0).len(), 101);
}

#[test]
fn what_follows_a_failure() {
    let failing =
        |cell, repeat, _| (if (cell, repeat) == (0, 1) { AttemptEnd::Failed } else { AttemptEnd::Sample }, 1.0);
    for (follows, made_of_0, made_of_1) in [("continue", 4, 4), ("skipCell", 2, 4), ("stop", 2, 1)] {
        let study = study(&format!("repeats: 4\nretries: 0\norder: asGiven\nonFailure: {follows}"));
        let (runs, ended) = carried_out(&study, failing);
        let made = |cell| runs.iter().filter(|run| run.cell == cell && !run.attempts.is_empty()).count();
        assert_eq!((made(0), made(1)), (made_of_0, made_of_1), "{follows}");
        let counts = Counts::of(&study.settings, &runs, true);
        assert_eq!(counts.samples + counts.failed + counts.left_out + counts.not_made, counts.runs, "{follows}");
        match ended {
            Next::Failed(reason) => assert!(follows == "stop" && reason.contains("onFailure is stop"), "{reason}"),
            Next::Succeeded => assert_ne!(follows, "stop"),
            Next::Await(_) | Next::Make(_) => panic!("{follows}"),
        }
    }
}

#[test]
fn a_study_without_a_sample_has_failed() {
    let (_, ended) = carried_out(&study("repeats: 2"), |_, _, _| (AttemptEnd::Failed, 1.0));
    assert!(matches!(&ended, Next::Failed(reason) if reason.contains("no run is a sample: run ")), "{ended:?}");
}

#[test]
fn a_cell_ends_at_the_first_look_that_finds_it_narrow_enough() {
    let study = study("until: { figure: response.p99, halfWidth: 5%, atLeast: 10, atMost: 40 }");
    let until = study.settings.until.clone().expect("is asked for");
    assert_eq!((until.rule.looks(), until.at_most), (&[10, 20, 40][..], 40));
    // Cell 0 hardly varies; cell 1 by far more than 5 %.
    let (runs, ended) = carried_out(&study, |cell, repeat, _| {
        (AttemptEnd::Sample, 100.0 + f64::from(repeat % 7) * if cell == 0 { 0.1 } else { 30.0 })
    });
    let made = |cell| runs.iter().filter(|run| run.cell == cell && !run.attempts.is_empty()).count();
    assert_eq!((made(0), made(1), ended), (10, 40, Next::Succeeded));
}

proptest! {
    #[test]
    fn each_planned_run_comes_to_an_end_and_has_at_most_one_sample(seed in any::<u64>(), follows in 0..3_usize) {
        let follows = ["continue", "skipCell", "stop"][follows];
        let study = study(&format!("repeats: 5\nretries: 1\nonFailure: {follows}"));
        let mut state = seed;
        let all = [
            AttemptEnd::Sample,
            AttemptEnd::Sample,
            AttemptEnd::Failed,
            AttemptEnd::Saturated,
            AttemptEnd::NotOpenLoop,
            AttemptEnd::Cancelled,
            AttemptEnd::Interrupted,
            AttemptEnd::Deleted,
        ];
        let (runs, _) = carried_out(&study, |_, _, _| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (all[usize::try_from(state >> 61).expect("is below 8")], 1.0)
        });
        let spared = Spared::of(&study.settings, &runs);
        for run in &runs {
            prop_assert!(run.outcome(1).is_final() || spared.has(run.cell));
            let samples = run.attempts.iter().filter(|attempt| attempt.end == Some(AttemptEnd::Sample)).count();
            prop_assert!(samples <= 1);
        }
    }
}
