//! Which runs a user means: directories, ids, and names with wildcards.

use std::path::{Path, PathBuf};

use loader_proto::v1::{ListRunsRequest, Run};
use loader_report::compare::unusable;
use wildmatch::WildMatch;

use super::session::Session;
use crate::Failure;

/// Runs in one response of the daemon.
const PAGE: u32 = 1000;

/// A run that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meant {
    /// It is in a directory.
    Directory(PathBuf),
    /// The daemon has it.
    Stored {
        /// Its id.
        id: String,
        /// Its name, or its id.
        label: String,
        /// How it ended; `None` where it succeeded.
        unusable: Option<&'static str>,
    },
}

/// Finds runs. The daemon is asked once, and only if a name is not that of a directory.
#[derive(Debug)]
pub(super) struct Finder<'s> {
    session: &'s Session,
    stored: Option<Vec<Run>>,
}

impl<'s> Finder<'s> {
    pub(super) fn new(session: &'s Session) -> Self {
        Self { session, stored: None }
    }

    /// The runs of these names, each once: directories as they are named, those of the daemon by time.
    ///
    /// # Errors
    /// A name that no run has, or a daemon that cannot be asked.
    pub(super) async fn find(&mut self, names: &[String]) -> Result<Vec<Meant>, Failure> {
        let mut found: Vec<Meant> = Vec::new();
        let mut unknown = Vec::new();
        for name in names {
            let path = Path::new(name);
            let meant = if path.is_dir() {
                directories(path)?
            } else if path.exists() || name.contains('/') {
                Vec::new()
            } else {
                matching(self.stored().await?, name)
            };
            if meant.is_empty() {
                unknown.push(format!("{name:?}"));
            }
            for run in meant {
                if !found.contains(&run) {
                    found.push(run);
                }
            }
        }
        if unknown.is_empty() {
            return Ok(found);
        }
        Err(Failure::Input(format!("no run has this name or id, and no directory of runs: {}", unknown.join(", "))))
    }

    /// All runs of the daemon, newest first.
    async fn stored(&mut self) -> Result<&[Run], Failure> {
        if self.stored.is_none() {
            let daemon = self.session.daemon().await?;
            let (mut runs, mut page_token) = (Vec::new(), String::new());
            loop {
                let request = ListRunsRequest { states: Vec::new(), page_size: PAGE, page_token };
                let listed = daemon.api.clone().list_runs(request).await.map_err(|status| daemon.failure(status))?;
                let page = listed.into_inner();
                runs.extend(page.runs);
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    break;
                }
            }
            self.stored = Some(runs);
        }
        Ok(self.stored.as_deref().unwrap_or_default())
    }
}

/// A run's directory, or the runs in it.
fn directories(path: &Path) -> Result<Vec<Meant>, Failure> {
    let is_run = |path: &Path| {
        ["run.json", "summary.json", "spec.yaml", "manifest.json"].iter().any(|name| path.join(name).is_file())
    };
    let failed = |source| Failure::System { doing: format!("cannot read {}", path.display()), source };
    if is_run(path) {
        // One directory may have several names.
        return Ok(vec![Meant::Directory(path.canonicalize().map_err(failed)?)]);
    }
    let mut runs = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let inner = entry.map_err(failed)?.path();
        if is_run(&inner) {
            runs.push(inner.canonicalize().map_err(failed)?);
        }
    }
    runs.sort_unstable();
    Ok(runs.into_iter().map(Meant::Directory).collect())
}

/// The runs of that id or name, oldest first. "latest" is the newest one, whatever its name.
fn matching(stored: &[Run], name: &str) -> Vec<Meant> {
    let pattern = WildMatch::new(name);
    let named = |run: &Run| run.spec.as_ref().map(|spec| spec.name.clone()).unwrap_or_default();
    let is_meant = |run: &&Run| pattern.matches(&run.run_id) || pattern.matches(&named(run));
    let meant = |run: &Run| {
        let label = Some(named(run)).filter(|name| !name.is_empty()).unwrap_or_else(|| run.run_id.clone());
        Meant::Stored { id: run.run_id.clone(), label, unusable: unusable(run.state()) }
    };
    if name == "latest" {
        return stored.iter().max_by(|one, other| one.run_id.cmp(&other.run_id)).map(meant).into_iter().collect();
    }
    let mut runs: Vec<&Run> = stored.iter().filter(is_meant).collect();
    runs.sort_by(|one, other| one.run_id.cmp(&other.run_id));
    runs.into_iter().map(meant).collect()
}

#[cfg(test)]
mod tests {
    use loader_proto::v1::RunSpec;

    use loader_proto::v1::RunState;

    use super::*;

    fn run(id: &str, name: &str, state: RunState) -> Run {
        let spec = Some(RunSpec { name: name.to_owned(), ..RunSpec::default() });
        Run { run_id: id.to_owned(), spec, state: state.into(), ..Run::default() }
    }

    #[test]
    fn names_have_wildcards_and_ids_are_names_too() {
        let stored = [
            run("04", "base-2", RunState::Running),
            run("03", "new", RunState::Failed),
            run("02", "", RunState::Succeeded),
            run("01", "base-1", RunState::Succeeded),
        ];
        let ids = |name: &str| {
            let found = matching(&stored, name).into_iter();
            let ids = found.filter_map(|meant| match meant {
                Meant::Stored { id, unusable, .. } => Some(format!("{id}{}", unusable.unwrap_or_default())),
                Meant::Directory(_) => None,
            });
            ids.collect::<Vec<_>>().join(" ")
        };
        for (name, expected) in [
            ("base-*", "01 04not ended"),
            ("base-?", "01 04not ended"),
            ("base-1", "01"),
            ("02", "02"),
            ("0*", "01 02 03failed 04not ended"),
            ("latest", "04not ended"),
            ("base", ""),
        ] {
            assert_eq!(ids(name), expected, "{name}");
        }
    }

    #[test]
    fn a_directory_of_runs_is_all_of_them() {
        let folder = tempfile::tempdir().expect("a directory");
        for name in ["b", "a", "other"] {
            std::fs::create_dir(folder.path().join(name)).expect("made");
        }
        for name in ["a", "b"] {
            std::fs::write(folder.path().join(name).join("run.json"), "{}").expect("written");
        }
        let root = folder.path().canonicalize().expect("is there");
        let of = |path: &Path| directories(path).expect("reads");
        assert_eq!(of(&root), [Meant::Directory(root.join("a")), Meant::Directory(root.join("b"))]);
        assert_eq!(of(&root.join("b/../a")), [Meant::Directory(root.join("a"))]);
        assert_eq!(of(&root.join("other")), []);
    }
}
