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

/// Filters by the configured level; from libraries, warnings only.
struct Leveled {
    inner: Box<dyn Log>,
    level: AtomicUsize,
    repeats: Repeats,
}

impl Leveled {
    fn level_of(&self, target: &str) -> usize {
        let level = self.level.load(Ordering::Relaxed);
        let ours = target.split("::").next() == Some("loaderd");
        if ours { level } else { level.min(LevelFilter::Warn as usize) }
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
