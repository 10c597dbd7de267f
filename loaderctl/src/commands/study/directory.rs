//! Studies as their directories tell of them, without a daemon: study.yaml, study.json, and the runs beside them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use loader_proto::{json, v1};
use loader_report::indicator::Figures;
use serde::Deserialize;

use crate::{Failure, output::note};

/// The file that makes a directory one of a study.
const FILE: &str = "study.json";

/// The version of study.json that this program reads.
const VERSION: u32 = 1;

/// How a run ended that is a sample.
const SAMPLE: &str = "sample";

/// What study.json has.
#[derive(Debug, Deserialize)]
struct File {
    version: u32,
    study_id: String,
    name: String,
    state: String,
    cells: Vec<BTreeMap<String, String>>,
    runs: Vec<Run>,
}

#[derive(Debug, Deserialize)]
struct Run {
    cell: u32,
    repeat: u32,
    round: u32,
    #[serde(default)]
    attempts: Vec<Attempt>,
}

#[derive(Debug, Deserialize)]
struct Attempt {
    run_id: String,
    #[serde(default)]
    end: Option<String>,
}

/// Whether a directory is that of a study.
pub(in crate::commands) fn is_directory(path: &Path) -> bool {
    path.join(FILE).is_file()
}

/// The directories of the runs that are samples of the study in a directory, in their order.
pub(in crate::commands) fn sample_directories(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let file = file(path)?;
    let samples = file.runs.iter().filter_map(Run::sample).map(|id| run(path, id));
    let found: Vec<_> = samples.collect::<Result<_, _>>()?;
    if found.is_empty() {
        Err(Failure::Input(format!("the study in {} has no samples yet", path.display())))
    } else {
        Ok(found)
    }
}

/// The study in a directory, with the figures of its samples.
pub(super) fn read(path: &Path) -> Result<(v1::Study, BTreeMap<String, Figures>), Failure> {
    let file = file(path)?;
    let yaml = path.join("study.yaml");
    let text = fs::read_to_string(&yaml).map_err(|source| unreadable(&yaml, source))?;
    let (mut spec, faults) = json::from_yaml::<v1::StudySpec>(&text);
    if !faults.is_empty() {
        return Err(Failure::Faults(faults));
    }
    spec.name.clone_from(&file.name);
    let mut figures = BTreeMap::new();
    for id in file.runs.iter().filter_map(Run::sample).collect::<BTreeSet<_>>() {
        match run(path, id).and_then(|directory| summary(&directory)) {
            Ok(found) => drop(figures.insert(id.to_owned(), found)),
            Err(failure) => note(&format!("what run {id} measured is missing: {failure}")),
        }
    }
    let has_ended = !matches!(file.state.as_str(), "queued" | "running");
    let study = v1::Study {
        study_id: file.study_id,
        spec: Some(spec),
        cells: file.cells.into_iter().map(|values| v1::StudyCell { values, ..v1::StudyCell::default() }).collect(),
        runs: file.runs.into_iter().map(|run| run.planned(has_ended)).collect(),
        ..v1::Study::default()
    };
    Ok((study, figures))
}

fn file(path: &Path) -> Result<File, Failure> {
    let path = path.join(FILE);
    let text = fs::read_to_string(&path).map_err(|source| unreadable(&path, source))?;
    let wrong = |error: serde_json::Error| Failure::Input(format!("{} cannot be read: {error}", path.display()));
    let version = serde_json::from_str::<serde_json::Value>(&text).map_err(wrong)?["version"].as_u64();
    if version.is_some_and(|version| version > u64::from(VERSION)) {
        let version = version.unwrap_or_default();
        return Err(Failure::Input(format!(
            "{} has version {version}, and this program reads up to {VERSION}: use a newer loaderctl",
            path.display()
        )));
    }
    let file: File = serde_json::from_str(&text).map_err(wrong)?;
    if file.version == VERSION { Ok(file) } else { Err(Failure::Input(format!("{} has no version", path.display()))) }
}

/// The directory of a run: in the state directory that the study is in, or in the study's own directory, where they were copied to.
fn run(study: &Path, id: &str) -> Result<PathBuf, Failure> {
    // Ids are from a file that may hold anything.
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(Failure::Input(format!("{id:?} is not the id of a run")));
    }
    let places = [study.join("../../runs").join(id), study.join("runs").join(id)];
    let missing = || Failure::Input(format!("{} is not there", places[0].display()));
    places.iter().find(|place| place.is_dir()).cloned().ok_or_else(missing)
}

fn summary(run: &Path) -> Result<Figures, Failure> {
    let path = run.join("summary.json");
    let text = fs::read_to_string(&path).map_err(|source| unreadable(&path, source))?;
    let summary = serde_json::from_str(&text);
    let summary = summary.map_err(|error| Failure::Input(format!("{} cannot be read: {error}", path.display())))?;
    Ok(Figures::of_json(&summary))
}

fn unreadable(path: &Path, source: io::Error) -> Failure {
    Failure::System { doing: format!("cannot read {}", path.display()), source }
}

impl Run {
    /// The run that is its sample, if it has one.
    fn sample(&self) -> Option<&str> {
        let last = self.attempts.last()?;
        (last.end.as_deref() == Some(SAMPLE)).then_some(&last.run_id)
    }

    /// The same as the daemon has it.
    fn planned(self, has_ended: bool) -> v1::StudyRun {
        let last = self.attempts.last().and_then(|attempt| attempt.end.clone());
        let outcome = match last.as_deref() {
            Some(SAMPLE) => v1::StudyOutcome::Sample,
            // Another run for it may follow.
            Some(_) if !has_ended => v1::StudyOutcome::Unspecified,
            Some("failed") => v1::StudyOutcome::Failed,
            Some(_) => v1::StudyOutcome::LeftOut,
            None if has_ended => v1::StudyOutcome::NotMade,
            None => v1::StudyOutcome::Unspecified,
        };
        let attempt = |attempt: Attempt| v1::StudyAttempt {
            run_id: attempt.run_id,
            end: attempt.end.unwrap_or_default(),
            ..v1::StudyAttempt::default()
        };
        v1::StudyRun {
            cell: self.cell,
            repeat: self.repeat,
            round: self.round,
            attempts: self.attempts.into_iter().map(attempt).collect(),
            outcome: outcome.into(),
            ..v1::StudyRun::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use v1::StudyOutcome::{LeftOut, NotMade, Sample};

    use super::*;

    /// A state directory with a study of two cells, of whose runs one is a sample, one was saturated and one is gone.
    fn state() -> (tempfile::TempDir, PathBuf) {
        let state = tempfile::tempdir().expect("a directory");
        let study = state.path().join("studies/study-1");
        let run = state.path().join("runs/20261127t100000000-0001");
        fs::create_dir_all(&study).expect("makes");
        fs::create_dir_all(&run).expect("makes");
        fs::write(run.join("summary.json"), r#"{ "response_us": { "p50": 7000 } }"#).expect("writes");
        fs::write(study.join("study.yaml"), "vary: [{ field: scaling.stableWindow, values: [1s, 4s] }]\n")
            .expect("writes");
        let attempt = |id: &str, end: &str| format!(r#"{{ "run_id": "{id}", "end": "{end}" }}"#);
        let runs = [
            (0, attempt("20261127t100000000-0001", "sample")),
            (1, attempt("20261127t100000000-0002", "saturated")),
            (1, attempt("20261127t100000000-0003", "sample")),
            (0, String::new()),
        ];
        let runs = runs.map(|(cell, attempt)| {
            format!(r#"{{ "cell": {cell}, "repeat": 0, "round": 0, "seed": 1, "attempts": [{attempt}] }}"#)
        });
        let cells = r#"[{ "scaling.stableWindow": "1s" }, { "scaling.stableWindow": "4s" }]"#;
        let json = format!(
            r#"{{ "version": 1, "study_id": "study-1", "name": "window", "state": "succeeded", "cells": {cells}, "runs": [{}] }}"#,
            runs.join(",")
        );
        fs::write(study.join(FILE), json).expect("writes");
        (state, study)
    }

    #[test]
    fn a_directory_gives_what_the_daemon_gives() {
        let (_state, study) = state();
        assert!(is_directory(&study));
        let (found, figures) = read(&study).expect("reads");
        let outcomes: Vec<_> = found.runs.iter().map(v1::StudyRun::outcome).collect();
        assert_eq!(outcomes, [Sample, LeftOut, Sample, NotMade]);
        assert_eq!(figures.keys().collect::<Vec<_>>(), ["20261127t100000000-0001"]);
        let spec = found.spec.unwrap_or_default();
        assert_eq!((spec.name.as_str(), spec.vary[0].field.as_str()), ("window", "scaling.stableWindow"));
        // One of the samples is gone.
        assert!(sample_directories(&study).is_err_and(|failure| failure.to_string().contains("-0003 is not there")));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let (_state, study) = state();
        let path = study.join(FILE);
        let text = fs::read_to_string(&path).expect("reads");
        for (changed, said) in [
            (text.replace("\"version\": 1", "\"version\": 9"), "has version 9"),
            (text[..text.len() / 2].to_owned(), "study.json cannot be read"),
            (text.replace("20261127t100000000-0001", "../x"), ""),
        ] {
            fs::write(&path, changed).expect("writes");
            match read(&study) {
                Err(failure) => assert!(!said.is_empty() && failure.to_string().contains(said), "{failure}"),
                Ok((_, figures)) => assert!(said.is_empty() && figures.is_empty(), "{said}"),
            }
        }
    }
}
