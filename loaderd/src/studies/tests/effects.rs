//! What studies find of effects that are known: the whole way from the plan to compare.csv, but for the runs, whose response times are drawn
//! and whose summaries are those of such runs. Nothing is sent and no time passes. Seeds are fixed, so that these tests end the same each
//! time.

use std::{collections::HashMap, fs, path::Path, sync::Arc, time::Duration};

use loader_proto::{json, v1};
use loader_report::statistics::Random;
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::codec;
use crate::{
    clock::Clock,
    record::testkit::answered,
    registry::{NeededByStudies, Submission, fake::FakeRegistry},
    store::{ClientStages, RunSummary, State, Store, StudyFile, StudyStore},
    studies::{HookSettings, StudiesTask, StudyParts, StudySelector, StudySubmission},
};

/// Studies of each test.
const STUDIES: usize = 100;

/// Invocations of each run: as many as a p99 needs.
const INVOCATIONS: usize = 100;

/// The median of the baseline's response times, microseconds.
const MEDIAN: f64 = 12_000.0;

/// How much response times vary within a run, and medians from run to run, which is more than on a quiet cluster: log-normally.
const WITHIN: f64 = 0.2;
const BETWEEN: f64 = 0.05;

/// A rule by which studies stop.
const RULE: &str = "until: { figure: response.p50, halfWidth: 5%, atLeast: 5, atMost: 20 }";

/// A row of a table, by the names of its columns.
type Row = HashMap<String, String>;

/// A study that was carried out, and the tables that it left.
struct Found {
    file: Arc<StudyFile>,
    cells: Vec<Row>,
    compared: Vec<Row>,
}

/// The run of a cell, the second of which is slower by `effect`.
fn drawn(submission: &Submission, effect: f64, random: &mut Random) -> RunSummary {
    let (run_id, place) = submission.study.clone().expect("is a study's");
    let level = MEDIAN * if place.cell == 1 { 1.0 + effect } else { 1.0 } * (BETWEEN * random.normal()).exp();
    let responses = (0..INVOCATIONS).map(|_| {
        let response = level * (WITHIN * random.normal()).exp();
        (Duration::from_secs_f64(response / 1e6), random.below(50) == 0)
    });
    RunSummary {
        run_id,
        name: submission.name.clone(),
        mode: submission.mode.to_owned(),
        platform: submission.platform.clone(),
        state: State::Succeeded,
        reason: String::new(),
        load: answered(responses.collect::<Vec<_>>()),
        expectations: Vec::new(),
    }
}

/// Studies of two cells, one after the other, of which the second is slower by `effect`.
async fn carried_out(repeats: &str, effect: f64, seed: u64) -> Vec<Found> {
    // In memory where there is such a place: each file is made durable.
    let memory = Path::new("/dev/shm");
    let state = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let state = state.expect("a directory");
    let runs = Store::open(state.path(), Arc::new(codec())).expect("opens");
    let store = StudyStore::open(state.path(), Arc::new(codec())).expect("opens");
    let mut random = Random::new(seed);
    let outcomes = move |submission: &Submission| drawn(submission, effect, &mut random);
    let (fake, registry) = FakeRegistry::new(runs.clone(), Box::new(outcomes));
    let hooks = HookSettings { directory: None, timeout: Duration::from_secs(1) };
    let parts = StudyParts {
        registry,
        runs,
        studies: store.clone(),
        platforms: HashMap::new(),
        hooks,
        clock: Clock,
        draws: 400,
    };
    let shutdown = CancellationToken::new();
    let needed = watch::Sender::new(NeededByStudies::default());
    let (task, studies) = StudiesTask::recover(parts, needed, shutdown.clone()).expect("recovers");
    let mut tasks = JoinSet::new();
    tasks.spawn(fake.run());
    tasks.spawn(task.run());
    let mut found = Vec::with_capacity(STUDIES);
    for number in 0..STUDIES {
        let text = format!(
            "base: {{ rps: {{ functions: 1 }} }}\nvary: [{{ field: rps.memoryMib, values: [1, 2] }}]\nseed: {number}\n{repeats}\n"
        );
        let (message, faults) = json::from_yaml::<v1::StudySpec>(&text);
        assert_eq!(faults, [], "{text}");
        let study = codec().submitted_study(&message);
        let submission =
            StudySubmission { study, owner: "ann".to_owned(), reuse: false, client: ClientStages::default() };
        let id = studies.submit(submission).await.expect("is taken").file.study_id.clone();
        let mut views = studies.watch(StudySelector::Id(id.clone())).await.expect("is known");
        let file = views.wait_for(|view| view.file.state.is_terminal()).await.expect("ends").file.clone();
        let table = |name: &str| rows(&fs::read_to_string(store.directory(&id).join(name)).expect("is written"));
        found.push(Found { file, cells: table("cells.csv"), compared: table("compare.csv") });
    }
    shutdown.cancel();
    drop(studies);
    while let Some(ended) = tasks.join_next().await {
        ended.expect("does not break");
    }
    found
}

fn rows(text: &str) -> Vec<Row> {
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(|row| row.expect("is whole")).collect()
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column}: {row:?}"))
}

impl Found {
    /// What is said of the slower cell's median response time.
    fn median(&self) -> &Row {
        self.compared.iter().find(|row| row["figure"] == "response.p50" && row["cell"] == "1").expect("is compared")
    }

    /// Whether any difference is shown, in any figure.
    fn shows_something(&self) -> bool {
        self.compared.iter().any(|row| ["better", "worse"].contains(&row["verdict"].as_str()))
    }

    fn samples(&self) -> usize {
        self.file.runs.iter().filter(|run| run.sample().is_some()).count()
    }
}

/// In how many studies something holds.
fn count(found: &[Found], holds: impl Fn(&Found) -> bool) -> usize {
    found.iter().filter(|found| holds(found)).count()
}

/// Whether the interval of a row holds the truth.
fn holds(row: &Row, truth: f64) -> bool {
    (number(row, "lo")..=number(row, "hi")).contains(&truth)
}

/// In how many studies the interval of the ratio holds the truth.
fn covered(found: &[Found], truth: f64) -> usize {
    count(found, |it| holds(it.median(), truth))
}

#[tokio::test]
async fn a_fifth_is_found_in_95_studies_of_100_and_the_interval_holds_it() {
    let found = carried_out("repeats: 7", 0.2, 1).await;
    assert!(found.iter().all(|it| it.samples() == 14 && it.median()["n"] == "7"));
    let right = count(&found, |it| it.median()["verdict"] == "worse");
    assert!(right >= 95, "{right}");
    let covered = covered(&found, 1.2);
    assert!((93..=97).contains(&covered), "{covered}");
}

#[tokio::test]
async fn a_fifth_is_found_by_studies_that_stop_once_an_interval_is_narrow() {
    let found = carried_out(RULE, 0.2, 3).await;
    let right = count(&found, |it| it.median()["verdict"] == "worse");
    assert!(right >= 95, "{right}");
    let covered = covered(&found, 1.2);
    assert!((93..=97).contains(&covered), "{covered}");
    let runs: Vec<_> = found.iter().map(Found::samples).collect();
    assert!(runs.contains(&14) && runs.iter().any(|runs| *runs > 14), "some stop at the first look: {runs:?}");
}

#[tokio::test]
async fn nothing_is_found_where_there_is_nothing_also_by_studies_that_stop_once_an_interval_is_narrow() {
    let mut wrong = 0;
    for (repeats, seed) in [("repeats: 7", 2), (RULE, 4)] {
        let found = carried_out(repeats, 0.0, seed).await;
        wrong += count(&found, Found::shows_something);
        let covered = covered(&found, 1.0);
        assert!((93..=97).contains(&covered), "{repeats}: {covered}");
        // Intervals of medians hold the truth at least as often as they say.
        let held =
            found.iter().flat_map(|it| &it.cells).filter(|row| row["figure"] == "response.p50" && holds(row, MEDIAN));
        let held = held.count();
        assert!(held >= 190, "{repeats}: {held} of 200");
        let fewest = found.iter().map(Found::samples).min();
        assert_eq!(fewest, Some(14), "{repeats}: the first look is after seven runs of each cell");
    }
    assert!(wrong <= 10, "{wrong} of 200");
}
