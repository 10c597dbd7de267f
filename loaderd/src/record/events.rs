//! Disturbances as they are carried out and undone: events.csv.

use std::path::Path;

use loader_proto::schema::{EventRecord, Events};

use super::{CsvFile, RecordError};
use crate::{
    clock::UnixMicros,
    disturbance::{Action, Kind},
};

/// A disturbance that was carried out, or undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisturbanceEvent {
    /// Its number in the spec, from 0.
    pub number: u32,
    /// What was done of it.
    pub stage: Stage,
    /// When that was due.
    pub due: UnixMicros,
    /// When it was done; absent when it was not.
    pub done: Option<UnixMicros>,
    /// What was done.
    pub kind: Kind,
    /// What it was done to, for people.
    pub target: String,
    /// What came of it.
    pub outcome: EventOutcome,
    /// The objects that were changed, or why it failed.
    pub detail: String,
}

/// Which part of a disturbance an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It was carried out.
    Begin,
    /// It was undone.
    End,
}

impl Stage {
    /// As in events.csv.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::End => "end",
        }
    }
}

/// What came of a part of a disturbance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventOutcome {
    /// It was done.
    Ok,
    /// It could not be done.
    Failed,
    /// The load was over before it was due.
    NotDue,
}

impl EventOutcome {
    /// As in events.csv.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::NotDue => "not_due",
        }
    }
}

impl DisturbanceEvent {
    /// Part `stage` of disturbance `number`, which came to `done`: what was changed at which time, or why it failed.
    pub fn of(
        (number, action): (u32, &Action),
        stage: Stage,
        due: UnixMicros,
        done: Result<(UnixMicros, String), String>,
    ) -> Self {
        let (done, outcome, detail) = match done {
            Ok((at, changed)) => (Some(at), EventOutcome::Ok, changed),
            Err(reason) => (None, EventOutcome::Failed, reason),
        };
        Self { number, stage, due, done, kind: action.kind(), target: action.target(), outcome, detail }
    }

    /// Disturbance `number`, which the end of the load overtook.
    pub fn not_due((number, action): (u32, &Action), due: UnixMicros) -> Self {
        let (kind, target, outcome) = (action.kind(), action.target(), EventOutcome::NotDue);
        Self { number, stage: Stage::Begin, due, done: None, kind, target, outcome, detail: String::new() }
    }
}

/// Writes the events of one run.
pub(crate) struct EventRows(CsvFile<Events>);

impl EventRows {
    /// Makes events.csv in the run's directory.
    ///
    /// # Errors
    /// A file that cannot be created.
    pub(crate) fn create(directory: &Path) -> Result<Self, RecordError> {
        Ok(Self(CsvFile::create(directory)?))
    }

    /// Appends a row, which survives the death of the machine from then on.
    ///
    /// # Errors
    /// A row that cannot be written.
    pub(crate) fn append(&mut self, event: &DisturbanceEvent) -> Result<(), RecordError> {
        let DisturbanceEvent { number, stage, due, done, kind, target, outcome, detail } = event;
        self.0.append(&EventRecord {
            disturbance: *number,
            stage: stage.as_str().into(),
            due_unix_us: due.0,
            done_unix_us: done.map(|done| done.0),
            action: kind.as_str().into(),
            target: target.into(),
            outcome: outcome.as_str().into(),
            detail: detail.into(),
        })?;
        self.0.sync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disturbance::Count;

    #[test]
    fn each_part_of_a_disturbance_is_a_row() {
        let directory = tempfile::tempdir().unwrap();
        let mut rows = EventRows::create(directory.path()).unwrap();
        let action = Action::PauseInstances { count: Count::All, lasting: None };
        let entry = (1, &action);
        for event in [
            DisturbanceEvent::of(entry, Stage::Begin, UnixMicros(10), Ok((UnixMicros(11), "f-1, f-2".to_owned()))),
            DisturbanceEvent::of(entry, Stage::End, UnixMicros(20), Err("no answer".to_owned())),
            DisturbanceEvent::not_due(entry, UnixMicros(30)),
        ] {
            rows.append(&event).unwrap();
        }
        let text = std::fs::read_to_string(directory.path().join("events.csv")).unwrap();
        let expected = [
            "disturbance,stage,due_unix_us,done_unix_us,action,target,outcome,detail",
            "1,begin,10,11,pauseInstances,all of functions,ok,\"f-1, f-2\"",
            "1,end,20,,pauseInstances,all of functions,failed,no answer",
            "1,begin,30,,pauseInstances,all of functions,not_due,",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }
}
