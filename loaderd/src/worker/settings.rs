use std::{path::PathBuf, sync::Arc, time::Duration};

use super::{WorkerArguments, clock::WorkerClock};
use crate::{
    clock::Clock,
    endpoint::Tls,
    id::RunId,
    secret::{self, SecretError},
};

/// How a worker reaches its coordinator, and what it knows of itself.
#[derive(Clone)]
pub struct Settings {
    /// `host:port` of the coordinator.
    pub coordinator: String,
    /// The run.
    pub run: RunId,
    /// Its number, from 0.
    pub index: u32,
    /// The run's token. Secret.
    pub token: Arc<str>,
    /// How the connection is secured; absent: it is not.
    pub tls: Option<Tls>,
    /// The directory for what was not handed over yet; absent: that for temporary files.
    pub spool_directory: Option<PathBuf>,
    /// Most bytes kept there; absent: as many as fit.
    pub spool_limit: Option<u64>,
    /// The machine that it runs on.
    pub node: String,
    /// Its pod; empty outside clusters.
    pub pod: String,
    /// Its clock.
    pub clock: WorkerClock,
    /// How long it looks for a coordinator before it knows what the run allows.
    pub patience: Duration,
}

/// A worker that cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Neither the flag nor the environment gives its number.
    #[error("--index is missing, and the environment has no valid JOB_COMPLETION_INDEX")]
    NoIndex,
    /// The token can't be used.
    #[error("--token-file {path}: {source}")]
    Token {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SecretError,
    },
    /// The file has no token.
    #[error("--token-file {0} has no token in it")]
    NoToken(PathBuf),
    /// The authority can't be used.
    #[error("--ca-file: {0}")]
    Authority(#[source] std::io::Error),
    /// What is no offset.
    #[error("LOADER_WORKER_CLOCK_OFFSET is {0:?}; must be a time such as +50ms, or a list of them")]
    ClockOffset(String),
}

impl Settings {
    /// By flags and environment.
    ///
    /// # Errors
    /// What is missing, or can't be read.
    pub fn new(
        arguments: &WorkerArguments,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SettingsError> {
        let WorkerArguments { coordinator, run, index, token_file, ca_file, spool_dir, die_with_parent: _ } = arguments;
        let given = || environment("JOB_COMPLETION_INDEX")?.parse().ok();
        let index = (*index).or_else(given).ok_or(SettingsError::NoIndex)?;
        let offsets = environment("LOADER_WORKER_CLOCK_OFFSET").unwrap_or_default();
        let offset_ns = offset_of(index, &offsets).ok_or(SettingsError::ClockOffset(offsets))?;
        let host = || nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
        let tls = ca_file.as_deref().map(|file| Tls::trusting(Some(file)).map_err(SettingsError::Authority));
        Ok(Self {
            coordinator: coordinator.clone(),
            run: run.clone(),
            index,
            token: token(token_file)?,
            tls: tls.transpose()?,
            spool_directory: spool_dir.clone(),
            spool_limit: None,
            node: environment("LOADER_NODE").unwrap_or_else(host),
            pod: environment("LOADER_POD").unwrap_or_default(),
            clock: WorkerClock::new(Clock, offset_ns),
            patience: Duration::from_secs(60),
        })
    }
}

fn token(path: &std::path::Path) -> Result<Arc<str>, SettingsError> {
    let bytes = secret::read(path).map_err(|source| SettingsError::Token { path: path.to_owned(), source })?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim();
    if text.is_empty() { Err(SettingsError::NoToken(path.to_owned())) } else { Ok(text.into()) }
}

/// What a worker's clock is set ahead by, nanoseconds: of a list, one for each worker from the first on, its own. Processes of one
/// machine have one environment; so tests give each of them a clock of its own.
fn offset_of(index: u32, offsets: &str) -> Option<i64> {
    let offsets: Vec<_> = offsets.split(',').map(nanos).collect::<Option<_>>()?;
    let own = usize::try_from(index).ok().and_then(|index| offsets.get(index));
    Some(match *offsets {
        [of_all] => of_all,
        _ => own.copied().unwrap_or_default(),
    })
}

/// A time with a sign, in nanoseconds; nothing is zero.
fn nanos(text: &str) -> Option<i64> {
    let (sign, length) = match text.strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if text.is_empty() {
        return Some(0);
    }
    let length = humantime::parse_duration(length).ok()?;
    Some(sign * i64::try_from(length.as_nanos()).ok()?)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn an_offset_has_a_sign() {
        for (text, expected) in
            [("", Some(0)), ("+50ms", Some(50_000_000)), ("-1us", Some(-1_000)), ("2s", Some(2_000_000_000))]
        {
            assert_eq!(nanos(text), expected, "{text}");
        }
        assert_eq!([nanos("50"), nanos("-"), nanos("x")], [None; 3]);
    }

    #[test]
    fn offsets_may_be_a_list_by_worker() {
        let each = |offsets| [0, 1, 2].map(|index| offset_of(index, offsets));
        assert_eq!(each(""), [Some(0); 3]);
        assert_eq!(each("-1ms"), [Some(-1_000_000); 3]);
        assert_eq!(each("-1ms,+2us"), [Some(-1_000_000), Some(2_000), Some(0)]);
        assert_eq!(each("-1ms,,x"), [None; 3]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let token = directory.path().join("token");
        fs::write(&token, "abc\n").unwrap();
        fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
        let arguments = |index, token_file: &std::path::Path| WorkerArguments {
            coordinator: "127.0.0.1:1".to_owned(),
            run: RunId::new(0, 0),
            index,
            token_file: token_file.to_owned(),
            ca_file: None,
            spool_dir: None,
            die_with_parent: None,
        };
        let with = |index, pair: (&str, &str)| {
            let settings = Settings::new(&arguments(index, &token), |name| (name == pair.0).then(|| pair.1.to_owned()));
            settings.map(|settings| (settings.index, settings.token.to_string())).map_err(|error| error.to_string())
        };
        assert_eq!(with(Some(2), ("JOB_COMPLETION_INDEX", "3")), Ok((2, "abc".to_owned())));
        assert_eq!(with(None, ("JOB_COMPLETION_INDEX", "3")), Ok((3, "abc".to_owned())));
        assert!(with(None, ("JOB_COMPLETION_INDEX", "x")).unwrap_err().starts_with("--index is missing"));
        assert!(with(Some(0), ("LOADER_WORKER_CLOCK_OFFSET", "x")).unwrap_err().contains("such as +50ms"));
        fs::write(&token, " \n").unwrap();
        assert!(with(Some(0), ("", "")).unwrap_err().ends_with("has no token in it"));
    }
}
