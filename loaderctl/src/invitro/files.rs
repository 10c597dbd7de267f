//! The files that a configuration names, looked for where it lies.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::{
    kinds::Kind,
    loader::{Beside, Surroundings},
};

/// How many folders above a configuration its paths may start from: InVitro's start from the root of its repository, where
/// configurations lie in `cmd/` and `pkg/config/`.
const ABOVE: usize = 2;

/// Most characters of a run's name.
const LONGEST_NAME: usize = 63;

/// Looks for what a loader configuration names. `file` is where it lies; absent: it came from standard input.
pub(crate) fn surroundings(
    configuration: &Map<String, Value>,
    file: Option<&Path>,
    beside: Beside,
    lenient: bool,
) -> Surroundings {
    let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
    let text = |name: &str| {
        let found = configuration.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| value.as_str())
    };
    let trace = text("TracePath").and_then(|path| located(folder, path));
    let named_as_file = |path: &str| Path::new(path).extension().is_some_and(|it| it.eq_ignore_ascii_case("csv"));
    let trace_is_file = match &trace {
        Some(path) => folder.join(path).is_file(),
        None => text("TracePath").is_some_and(named_as_file),
    };
    Surroundings {
        name: file.and_then(Path::file_stem).and_then(|stem| stem.to_str()).map_or("invitro".to_owned(), name),
        trace: trace.and_then(|path| path.to_str().map(str::to_owned)),
        trace_is_file,
        workflow: text("DirigentConfigPath").is_some_and(|path| has_workflow(folder, path)),
        beside,
        lenient,
    }
}

/// A path from `folder` on, at which there is something: beside the configuration, or from a folder above it.
pub(crate) fn located(folder: &Path, path: &str) -> Option<PathBuf> {
    let from = |above: usize| (0..above).fold(PathBuf::new(), |up, _| up.join("..")).join(path);
    (0..=ABOVE).map(from).find(|path| folder.join(path).exists())
}

/// Whether a file of Dirigent's asks for a workflow.
fn has_workflow(folder: &Path, path: &str) -> bool {
    let text = located(folder, path).and_then(|path| fs::read_to_string(folder.join(path)).ok());
    let Some(Ok(document)) = text.as_deref().map(serde_json::from_str::<Map<String, Value>>) else { return false };
    Kind::of(&document) == Some(Kind::Dirigent)
        && document.iter().any(|(key, value)| key.eq_ignore_ascii_case("Workflow") && value == &Value::Bool(true))
}

/// The name of a run, from that of its configuration.
pub(super) fn name(stem: &str) -> String {
    let lower = stem.to_ascii_lowercase();
    let own = lower.strip_prefix("config_").unwrap_or(&lower);
    let label: String = own.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let label = label.trim_matches('-');
    let starts_well = label.starts_with(|first: char| first.is_ascii_lowercase());
    let label = if starts_well { label.to_owned() } else { format!("invitro-{label}") };
    let label: String = label.chars().take(LONGEST_NAME).collect();
    label.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_named_after_their_files() {
        for (stem, expected) in [
            ("config_knative_trace", "knative-trace"),
            ("test_config", "test-config"),
            ("2021", "invitro-2021"),
            ("config_", "invitro"),
            ("Azure Trace (1)", "azure-trace--1"),
        ] {
            assert_eq!(name(stem), expected);
        }
        assert_eq!(name(&"x".repeat(99)).len(), LONGEST_NAME);
    }

    #[test]
    fn paths_start_beside_the_configuration_or_above_it() {
        let root = tempfile::tempdir().expect("a folder");
        let cmd = root.path().join("cmd");
        fs::create_dir_all(root.path().join("data/traces")).expect("made");
        fs::create_dir_all(cmd.join("own")).expect("made");
        assert_eq!(located(&cmd, "data/traces"), Some("../data/traces".into()));
        assert_eq!(located(&cmd, "own"), Some("own".into()));
        assert_eq!(located(&cmd, "nowhere"), None);
        assert_eq!(located(Path::new("/"), "/nowhere"), None);
    }
}
