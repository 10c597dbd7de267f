//! Which of InVitro's files a document is, by its keys.

use serde_json::{Map, Value};

use super::keys::{KEYS, Key};

/// A kind of file of InVitro.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The loader's configuration.
    Loader,
    /// Many runs.
    MultiLoader,
    /// The older driver of experiments.
    Driver,
    /// What the loader's configuration names for platform Dirigent.
    Dirigent,
    /// What that file names for Dandelion's workflows.
    Workflow,
    /// A failure that is injected.
    Failure,
    /// The invocations of one function, as `--iatGeneration` writes them.
    Plan,
}

/// Keys by which files are told, kind by kind; the first kind with one of its keys in the document is taken. A driver's
/// configuration has keys of the loader's as well.
const TOLD_BY: &[(Kind, &[&str])] = &[
    (Kind::MultiLoader, &["Studies", "BaseConfigPath", "MasterNode", "LoaderNode"]),
    (Kind::Driver, &["loaderAddresses", "beginningFuncNum", "maxFuncNum", "loaderTracePath", "separateIATGeneration"]),
    (Kind::Failure, &["FailureEnabled", "FailAt", "FailComponent", "FailNode"]),
    (Kind::Plan, &["IAT", "PerMinuteCount", "RuntimeSpecification"]),
    (Kind::Workflow, &["Compositions"]),
    (Kind::Dirigent, &["Backend", "DirigentControlPlaneIP", "WorkflowConfigPath"]),
];

/// Keys of the loader's configuration that a faulty spec may well have, so that they tell nothing.
const OF_SPECS_TOO: &[&str] = &["Seed", "Platform", "Granularity", "CPULimit", "Width", "Depth"];

/// Fields that only a spec has at its top.
const OF_SPECS: &[&str] = &["trace", "rps", "burst", "coldstart", "function", "scaling"];

impl Kind {
    /// Which of InVitro's files a document is; `None` for all others.
    pub(crate) fn of(document: &Map<String, Value>) -> Option<Self> {
        let has = |names: &[&str]| document.keys().any(|key| names.iter().any(|name| name.eq_ignore_ascii_case(key)));
        if document.keys().any(|key| OF_SPECS.contains(&key.as_str())) {
            return None;
        }
        if let Some((kind, _)) = TOLD_BY.iter().find(|(_, names)| has(names)) {
            return Some(*kind);
        }
        let tells = |key: &String| Key::named(KEYS, key).is_some_and(|key| !OF_SPECS_TOO.contains(&key.name));
        document.keys().any(tells).then_some(Self::Loader)
    }

    /// Its name, for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Loader => "loader configuration",
            Self::MultiLoader => "multi-loader configuration",
            Self::Driver => "experiment driver configuration",
            Self::Dirigent => "Dirigent configuration",
            Self::Workflow => "workflow configuration",
            Self::Failure => "failure configuration",
            Self::Plan => "plan",
        }
    }

    /// Why it is no run by itself, and what to do; `None` for the loader's.
    pub(crate) fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Loader => None,
            Self::MultiLoader => Some(
                "is for a study of many runs: loaderctl study import FILE; one run is described by the configuration that \
                     BaseConfigPath names",
            ),
            Self::Driver => Some(
                "is for a study of many runs; one run is described by a configuration such as config_knative_trace.json",
            ),
            Self::Dirigent => Some("is for platform Dirigent, which this loader does not have"),
            Self::Workflow => {
                Some("is for workflows of Dandelion on platform Dirigent, which this loader does not have")
            }
            Self::Failure => Some(
                "is for a run that a loader configuration describes; loaderctl import CONFIG.json --failure FILE takes both",
            ),
            Self::Plan => {
                Some("has one function's invocations: --mode trace --trace DIR replays those of its directory")
            }
        }
    }
}
