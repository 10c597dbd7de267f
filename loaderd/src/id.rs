//! Ids of runs, studies, functions and workers.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The id of a run. Ids sort by time of submission and are valid file names and Kubernetes label values.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

/// A text that is no run id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a run id: run ids look like 20261123t142501123-9f3a")]
pub struct InvalidRunId(String);

impl RunId {
    /// The id of a run that was submitted at `unix_ms`, milliseconds since the Unix epoch, with a random `suffix`.
    pub fn new(unix_ms: i64, suffix: u16) -> Self {
        let time = jiff::Timestamp::from_millisecond(unix_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let millis = unix_ms.rem_euclid(1000);
        Self(format!("{}{millis:03}-{suffix:04x}", time.strftime("%Y%m%dt%H%M%S")))
    }

    /// When it was submitted, according to the id, milliseconds since the Unix epoch.
    pub fn unix_ms(&self) -> i64 {
        // Every id has a time: it was made from one, or read.
        time_of(&self.0).unwrap_or_default()
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The time that a text of digits begins with, milliseconds since the Unix epoch, if it is valid.
fn time_of(text: &str) -> Option<i64> {
    let time = jiff::civil::DateTime::strptime("%Y%m%dt%H%M%S", text.get(..15)?).ok()?;
    let millis: i64 = text.get(15..18)?.parse().ok()?;
    Some(jiff::tz::TimeZone::UTC.to_timestamp(time).ok()?.as_millisecond() + millis)
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl TryFrom<String> for RunId {
    type Error = InvalidRunId;

    fn try_from(text: String) -> Result<Self, InvalidRunId> {
        text.parse()
    }
}

impl FromStr for RunId {
    type Err = InvalidRunId;

    /// Takes exactly what [`RunId::new`] makes, so that an id from outside is always safe as a file name.
    fn from_str(text: &str) -> Result<Self, InvalidRunId> {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        let valid = text.is_ascii()
            && text.len() == 23
            && digits(&text[..8])
            && &text[8..9] == "t"
            && digits(&text[9..18])
            && &text[18..19] == "-"
            && hex(&text[19..])
            && time_of(text).is_some();
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidRunId(text.to_owned())) }
    }
}

/// The id of a study. Ids sort by time of submission and are valid file names; no run has one of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StudyId(String);

/// A text that is no id of a study.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the id of a study: they look like study-20261123t142501123-9f3a")]
pub struct InvalidStudyId(String);

impl StudyId {
    /// What the id of a study begins with.
    const PREFIX: &str = "study-";

    /// The id of a study that was submitted at `unix_ms`, milliseconds since the Unix epoch, with a random `suffix`.
    pub fn new(unix_ms: i64, suffix: u16) -> Self {
        Self(format!("{}{}", Self::PREFIX, RunId::new(unix_ms, suffix)))
    }

    /// When it was submitted, according to the id, milliseconds since the Unix epoch.
    pub fn unix_ms(&self) -> i64 {
        self.0.strip_prefix(Self::PREFIX).and_then(time_of).unwrap_or_default()
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StudyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<StudyId> for String {
    fn from(id: StudyId) -> Self {
        id.0
    }
}

impl TryFrom<String> for StudyId {
    type Error = InvalidStudyId;

    fn try_from(text: String) -> Result<Self, InvalidStudyId> {
        text.parse()
    }
}

impl FromStr for StudyId {
    type Err = InvalidStudyId;

    /// Takes exactly what [`StudyId::new`] makes, so that an id from outside is always safe as a file name.
    fn from_str(text: &str) -> Result<Self, InvalidStudyId> {
        let is_valid = text.strip_prefix(Self::PREFIX).is_some_and(|rest| rest.parse::<RunId>().is_ok());
        if is_valid { Ok(Self(text.to_owned())) } else { Err(InvalidStudyId(text.to_owned())) }
    }
}

/// A function of a plan, by its index in the plan's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionIndex(pub u32);

impl FunctionIndex {
    /// The position of the function in a slice of all functions.
    pub fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// A worker of a run, by its number from 0: the completion index of its Job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct WorkerIndex(pub u16);

impl fmt::Display for WorkerIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_show_their_time_and_sort_by_it() {
        let early = RunId::new(1_795_444_301_123, 0xffff);
        let late = RunId::new(1_795_444_301_124, 0);
        assert_eq!(early.as_str(), "20261123t143141123-ffff");
        assert!(early < late);
        assert_eq!(early.as_str().parse(), Ok(early.clone()));
        for unix_ms in [0, 999, 1_795_444_301_123, 4_102_444_800_000] {
            assert_eq!(RunId::new(unix_ms, 7).unix_ms(), unix_ms);
        }
    }

    #[test]
    fn ids_of_studies_show_their_time_and_are_no_ids_of_runs() {
        let id = StudyId::new(1_795_444_301_123, 0xffff);
        assert_eq!((id.as_str(), id.unix_ms()), ("study-20261123t143141123-ffff", 1_795_444_301_123));
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        assert!(id.as_str().parse::<RunId>().is_err() && "20261123t143141123-ffff".parse::<StudyId>().is_err());
        assert!("study-../../etc".parse::<StudyId>().is_err());
    }

    #[test]
    fn nothing_else_is_an_id() {
        for text in ["", "latest", "../../../etc/passwd/aaa", "20261123t143141123-FFFF", "20261123t143141123-fff/", "é"]
            .into_iter()
            // No such day, no such hour.
            .chain(["20260230t143141123-ffff", "20261123t253141123-ffff", "99999999t999999999-ffff"])
        {
            assert!(text.parse::<RunId>().is_err(), "{text:?} was taken");
        }
    }
}
