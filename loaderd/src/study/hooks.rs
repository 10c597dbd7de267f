//! The executables that are run around a study and its runs, as the study names them.

use loader_proto::v1;

use crate::spec::Check;

/// Longest name of a hook, in bytes: that of a file.
const LONGEST_NAME: usize = 255;

/// The executables of a study, by their names in the daemon's directory of hooks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hooks {
    /// Run before the first run.
    pub before_study: Option<String>,
    /// Run after the last run.
    pub after_study: Option<String>,
    /// Run before each run.
    pub before_run: Option<String>,
    /// Run after each run.
    pub after_run: Option<String>,
}

impl Hooks {
    /// Reads the names of a study's hooks.
    pub(super) fn read(check: &mut Check, message: Option<&v1::StudyHooks>) -> Option<Self> {
        let Some(v1::StudyHooks { before_study, after_study, before_run, after_run }) = message else {
            return Some(Self::default());
        };
        let before_study = name(check, "hooks.beforeStudy", before_study);
        let after_study = name(check, "hooks.afterStudy", after_study);
        let before_run = name(check, "hooks.beforeRun", before_run);
        let after_run = name(check, "hooks.afterRun", after_run);
        Some(Self {
            before_study: before_study?,
            after_study: after_study?,
            before_run: before_run?,
            after_run: after_run?,
        })
    }

    /// The names, each with the field that has it.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let Self { before_study, after_study, before_run, after_run } = self;
        [
            ("hooks.beforeStudy", before_study),
            ("hooks.afterStudy", after_study),
            ("hooks.beforeRun", before_run),
            ("hooks.afterRun", after_run),
        ]
        .into_iter()
        .filter_map(|(field, name)| Some((field, name.as_deref()?)))
    }
}

/// The name of a file, without any folder; nothing where it is empty.
fn name(check: &mut Check, field: &str, name: &str) -> Option<Option<String>> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.is_empty() {
        return Some(None);
    }
    if name.len() <= LONGEST_NAME && !name.starts_with('.') && name.bytes().all(fits) {
        return Some(Some(name.to_owned()));
    }
    check.fault(
        field,
        format!(
            "is {name:?}; must be the name of an executable in the daemon's [hooks] directory: A-Z, a-z, 0-9, '.', '_' and '-'; \
             no command line"
        ),
    );
    None
}
