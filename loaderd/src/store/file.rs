//! run.json: a run's identity and state.

use serde::{Deserialize, Serialize};

use super::{State, StudyPlace};
use crate::{clock::UnixMicros, id::RunId};

/// Version of run.json that this program writes.
pub(super) const VERSION: u32 = 1;

/// What run.json holds: a run's identity and state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// Version of this layout.
    pub version: u32,
    /// The id of the run.
    pub run_id: RunId,
    /// The name of the run, from its spec.
    pub name: String,
    /// The mode of the run.
    pub mode: String,
    /// The name of the platform.
    pub platform: String,
    /// The state of the run.
    pub state: State,
    /// Why it failed or ended early; empty otherwise.
    pub reason: String,
    /// When it was submitted, Unix microseconds.
    pub submitted_unix_us: i64,
    /// When it left the queue.
    pub started_unix_us: Option<i64>,
    /// When it reached a terminal state.
    pub finished_unix_us: Option<i64>,
    /// The key by which it was submitted; empty when there was none.
    pub idempotency_key: String,
    /// Whether it is kept until it is unpinned.
    #[serde(default)]
    pub pinned: bool,
    /// Who submitted it; absent of a run of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The state in which it ends once it is cleaned; present where the daemon ended while only the clean-up was left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_as: Option<State>,
    /// Its place in a study; absent of a run that belongs to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub study: Option<StudyPlace>,
}

impl RunFile {
    /// The file of a run that was just submitted, as yet without an owner.
    pub fn new(run_id: RunId, names: (&str, &str, &str), submitted: UnixMicros, idempotency_key: &str) -> Self {
        let (name, mode, platform) = names;
        Self {
            version: VERSION,
            run_id,
            name: name.to_owned(),
            mode: mode.to_owned(),
            platform: platform.to_owned(),
            state: State::Queued,
            reason: String::new(),
            submitted_unix_us: submitted.0,
            started_unix_us: None,
            finished_unix_us: None,
            idempotency_key: idempotency_key.to_owned(),
            pinned: false,
            owner: None,
            ends_as: None,
            study: None,
        }
    }
}
