//! The daemon's log: to the journal with fields, or on standard error, one line for each entry, as text in UTC with the fields as
//! `KEY=value` after the message, or as JSON. Repeated warnings are summarized.

mod repeats;

use std::{
    borrow::Cow,
    io::Write as _,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use loader_proto::visible::{visible, visible_json};
use log::{
    LevelFilter, Log, Metadata, Record,
    kv::{Error, Key, Value, VisitSource},
};
use serde_json::json;
use systemd_journal_logger::{JournalLog, connected_to_journal};
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use self::repeats::Repeats;
use crate::config::LogFormat;

/// Writes the fields of a log line as text.
struct Fields<'a>(&'a mut dyn std::io::Write);

impl<'kvs> VisitSource<'kvs> for Fields<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        Ok(write!(self.0, " {key}={}", visible(&value.to_string()))?)
    }
}

/// Fields as members of an object.
struct Members<'a>(&'a mut serde_json::Map<String, serde_json::Value>);

impl<'kvs> VisitSource<'kvs> for Members<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        self.0.insert(key.as_str().to_lowercase(), value.to_string().into());
        Ok(())
    }
}

/// Shows what a terminal would act on, and ends of lines, by their numbers: messages have words of functions and platforms.
struct Visible(Box<dyn Log>);

impl Log for Visible {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        let text = record.args().to_string();
        match visible(&text) {
            Cow::Borrowed(_) => self.0.log(record),
            Cow::Owned(text) => self.0.log(&record.to_builder().args(format_args!("{text}")).build()),
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}

/// Parts of libraries whose warnings have no subject, such as `failed with status 503`. What they are about is returned as an error
/// too, and is logged by the caller, who knows which request failed.
const WITHOUT_SUBJECT: [&str; 3] = ["kube_client::client", "kube_client::client::builder", "kube_runtime::watcher"];

/// Filters by the configured level; from libraries, warnings only, and where they have no subject only for debugging.
struct Leveled {
    inner: Box<dyn Log>,
    level: AtomicUsize,
    repeats: Repeats,
}

impl Leveled {
    fn level_of(&self, target: &str) -> usize {
        let level = self.level.load(Ordering::Relaxed);
        if target.split("::").next() == Some("loaderd") {
            level
        } else if WITHOUT_SUBJECT.contains(&target) && level < LevelFilter::Debug as usize {
            LevelFilter::Off as usize
        } else {
            level.min(LevelFilter::Warn as usize)
        }
    }
}

impl Log for Leveled {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() as usize <= self.level_of(metadata.target())
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) && self.repeats.admits(record) {
            self.inner.log(record);
        }
    }

    fn flush(&self) {
        self.inner.flush();
    }
}

static LOG: OnceLock<Leveled> = OnceLock::new();

/// Installs the logger of the process, once; later calls only set the level.
pub fn init(level: LevelFilter, format: LogFormat) {
    let log = LOG.get_or_init(|| Leveled {
        inner: Box::new(Visible(logger(format))),
        level: AtomicUsize::new(level as usize),
        repeats: Repeats::default(),
    });
    // Fails only if a logger is already set, which is kept.
    let _first_wins = log::set_logger(log);
    set_level(level);
}

/// Changes the level from which on messages are logged.
pub fn set_level(level: LevelFilter) {
    if let Some(log) = LOG.get() {
        log.level.store(level as usize, Ordering::Relaxed);
    }
    log::set_max_level(level);
}

/// Logs summaries of repeated messages until `end`.
pub async fn summarize(end: CancellationToken) {
    let Some(log) = LOG.get() else { return };
    let mut ticks = interval(repeats::PERIOD);
    // The first tick is immediate.
    ticks.tick().await;
    loop {
        let ended = tokio::select! {
            () = end.cancelled() => true,
            _ = ticks.tick() => false,
        };
        log.repeats.report(&*log.inner);
        if ended {
            return;
        }
    }
}

fn logger(format: LogFormat) -> Box<dyn Log> {
    match format {
        LogFormat::Auto if connected_to_journal() => match JournalLog::new() {
            Ok(journal) => Box::new(journal.with_syslog_identifier("loaderd".to_owned())),
            // Standard error is connected to the journal, too.
            Err(_) => text(),
        },
        LogFormat::Auto | LogFormat::Text => text(),
        LogFormat::Json => json(),
    }
}

fn text() -> Box<dyn Log> {
    let mut builder = env_logger::Builder::new();
    builder.filter_level(LevelFilter::Trace).format(|out, record| {
        write!(out, "{} {:<5} {}", out.timestamp_millis(), record.level(), record.args())?;
        // A field that cannot be written must not lose the line.
        let _unwritten = record.key_values().visit(&mut Fields(out));
        writeln!(out)
    });
    Box::new(builder.build())
}

fn json() -> Box<dyn Log> {
    let mut builder = env_logger::Builder::new();
    builder.filter_level(LevelFilter::Trace).format(|out, record| {
        let mut line = serde_json::Map::new();
        line.insert("time".to_owned(), json!(out.timestamp_millis().to_string()));
        line.insert("level".to_owned(), json!(record.level().as_str().to_lowercase()));
        line.insert("message".to_owned(), json!(record.args().to_string()));
        let _unwritten = record.key_values().visit(&mut Members(&mut line));
        writeln!(out, "{}", visible_json(&serde_json::Value::Object(line).to_string()))
    });
    Box::new(builder.build())
}

#[cfg(test)]
mod tests {
    use log::Level;

    use super::*;

    #[test]
    fn libraries_may_warn_where_they_name_a_subject() {
        let log = |level: LevelFilter| Leveled {
            inner: Box::new(env_logger::Builder::new().build()),
            level: AtomicUsize::new(level as usize),
            repeats: Repeats::default(),
        };
        for (configured, target, level, expected) in [
            (LevelFilter::Info, "loaderd::run", Level::Info, true),
            (LevelFilter::Info, "kube_client::config", Level::Warn, true),
            (LevelFilter::Info, "kube_client::config", Level::Info, false),
            // "eof in poll", "failed with status 503", "watch list error with 403".
            (LevelFilter::Info, "kube_client::client", Level::Warn, false),
            (LevelFilter::Info, "kube_client::client::builder", Level::Error, false),
            (LevelFilter::Info, "kube_runtime::watcher", Level::Warn, false),
            (LevelFilter::Debug, "kube_client::client::builder", Level::Error, true),
            (LevelFilter::Debug, "kube_runtime::watcher", Level::Debug, false),
        ] {
            let metadata = Metadata::builder().level(level).target(target).build();
            assert_eq!(log(configured).enabled(&metadata), expected, "{configured} {target} {level}");
        }
    }
}
