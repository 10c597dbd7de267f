//! Summarizes repeated warnings and errors.
//!
//! The first few messages of each kind are logged. Further ones are counted, and reported in one line a minute; after a minute
//! without any, the count starts again.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use log::{
    Level, Log, Record,
    kv::{Error, Key, Value, VisitSource},
};

/// Messages of a kind that are logged individually.
const SHOWN: u64 = 5;

/// Interval of the summaries.
pub(super) const PERIOD: Duration = Duration::from_mins(1);

/// The fields that distinguish kinds, so that messages about one run, function, source or client do not hide those about another.
const SUBJECT: [&str; 6] = ["RUN_ID", "FUNCTION", "SOURCE", "WAY", "CLIENT", "METHOD"];

/// Most kinds that are told apart by their subject, as addresses are the clients' choice; further ones by their position alone.
const MOST_KINDS: usize = 10_000;

/// The kind of a message: its position in the code, and its subject.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Kind {
    target: String,
    line: Option<u32>,
    subject: [Option<String>; SUBJECT.len()],
}

impl Kind {
    fn of(record: &Record<'_>) -> Self {
        let subject = SUBJECT.map(|name| record.key_values().get(Key::from(name)).map(|value| value.to_string()));
        Self { subject, ..Self::of_position(record) }
    }

    fn of_position(record: &Record<'_>) -> Self {
        let subject = Default::default();
        Self { target: record.target().to_owned(), line: record.line(), subject }
    }
}

#[derive(Debug, Default)]
struct Count {
    /// Messages that were logged individually.
    shown: u64,
    /// Messages since the last summary, logged or not.
    recent: u64,
    /// The last message that was not logged, and the number of those.
    held: Option<(Held, u64)>,
}

/// A message that was not logged.
#[derive(Debug)]
struct Held {
    level: Level,
    message: String,
    fields: Vec<(String, String)>,
}

impl<'kvs> VisitSource<'kvs> for Held {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        self.fields.push((key.to_string(), value.to_string()));
        Ok(())
    }
}

impl Held {
    fn of(record: &Record<'_>) -> Self {
        let mut held = Self { level: record.level(), message: record.args().to_string(), fields: Vec::new() };
        // `visit_pair` never fails.
        let _infallible = record.key_values().visit(&mut held);
        held
    }
}

/// Counts of messages by kind.
#[derive(Debug, Default)]
pub(super) struct Repeats(Mutex<HashMap<Kind, Count>>);

impl Repeats {
    /// Whether a message is to be logged now; else it is counted.
    pub(super) fn admits(&self, record: &Record<'_>) -> bool {
        if record.level() > Level::Warn {
            return true;
        }
        let mut counts = self.counts();
        let mut kind = Kind::of(record);
        if counts.len() >= MOST_KINDS && !counts.contains_key(&kind) {
            kind = Kind::of_position(record);
        }
        let count = counts.entry(kind).or_default();
        count.recent += 1;
        if count.shown < SHOWN {
            count.shown += 1;
            return true;
        }
        let before = count.held.take().map_or(0, |(_, many)| many);
        count.held = Some((Held::of(record), before + 1));
        false
    }

    /// Logs what was counted since the last summary.
    pub(super) fn report(&self, log: &dyn Log) {
        let mut sums = Vec::new();
        self.counts().retain(|kind, count| {
            sums.extend(count.held.take().map(|(held, many)| (kind.target.clone(), held, many)));
            std::mem::take(&mut count.recent) > 0
        });
        for (target, Held { level, message, fields }, many) in sums {
            let fields: Vec<_> = fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            let message =
                if many == 1 { message } else { format!("{many} times within a minute, the last: {message}") };
            let mut record = Record::builder();
            record.level(level).target(&target).key_values(&fields);
            log.log(&record.args(format_args!("{message}")).build());
        }
    }

    /// Never poisoned: nothing panics while it holds the lock.
    fn counts(&self) -> MutexGuard<'_, HashMap<Kind, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use log::Metadata;

    use super::*;

    /// Keeps what is logged.
    #[derive(Default)]
    struct Kept(Mutex<Vec<String>>);

    impl Kept {
        fn take(&self) -> Vec<String> {
            std::mem::take(&mut self.0.lock().unwrap())
        }
    }

    impl Log for Kept {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &Record<'_>) {
            let run = record.key_values().get(Key::from("RUN_ID")).map_or("-".to_owned(), |run| run.to_string());
            self.0.lock().unwrap().push(format!("{} {run} {}", record.level(), record.args()));
        }

        fn flush(&self) {}
    }

    /// Logs messages with these numbers from one position, about one run.
    fn emit(repeats: &Repeats, log: &Kept, level: Level, run: &str, numbers: std::ops::RangeInclusive<u32>) {
        for number in numbers {
            let fields = [("RUN_ID", run)];
            let log = |message: std::fmt::Arguments<'_>| {
                let mut record = Record::builder();
                record.level(level).target("here").line(Some(7)).key_values(&fields).args(message);
                let record = record.build();
                if repeats.admits(&record) {
                    log.log(&record);
                }
            };
            log(format_args!("no answer to {number}"));
        }
    }

    #[test]
    fn the_first_messages_are_logged_and_the_rest_is_summarized() {
        let (repeats, log) = (Repeats::default(), Kept::default());
        emit(&repeats, &log, Level::Warn, "a", 1..=100);
        let expected: Vec<_> = (1..=5).map(|number| format!("WARN a no answer to {number}")).collect();
        assert_eq!(log.take(), expected);
        repeats.report(&log);
        assert_eq!(log.take(), ["WARN a 95 times within a minute, the last: no answer to 100"]);
        // While it continues, only the summary is logged.
        emit(&repeats, &log, Level::Warn, "a", 101..=101);
        assert_eq!(log.take(), [""; 0]);
        repeats.report(&log);
        assert_eq!(log.take(), ["WARN a no answer to 101"]);
        // After a minute without any, the count starts again.
        repeats.report(&log);
        emit(&repeats, &log, Level::Warn, "a", 200..=200);
        assert_eq!(log.take(), ["WARN a no answer to 200"]);
        repeats.report(&log);
        assert_eq!(log.take(), [""; 0]);
    }

    #[test]
    fn kinds_are_bounded() {
        let (repeats, log) = (Repeats::default(), Kept::default());
        for run in 0..MOST_KINDS + 100 {
            emit(&repeats, &log, Level::Warn, &run.to_string(), 1..=1);
        }
        // One more kind, of all that are above the bound.
        assert_eq!(repeats.counts().len(), MOST_KINDS + 1);
        assert_eq!(log.take().len(), MOST_KINDS + 5);
        repeats.report(&log);
        assert_eq!(log.take().len(), 1);
        repeats.report(&log);
        assert_eq!(repeats.counts().len(), 0);
    }

    #[test]
    fn messages_of_another_run_are_of_another_kind_and_only_warnings_are_held_back() {
        let (repeats, log) = (Repeats::default(), Kept::default());
        emit(&repeats, &log, Level::Error, "a", 1..=6);
        emit(&repeats, &log, Level::Error, "b", 1..=6);
        emit(&repeats, &log, Level::Info, "a", 1..=20);
        assert_eq!(log.take().len(), 5 + 5 + 20);
        repeats.report(&log);
        let mut sums = log.take();
        sums.sort();
        assert_eq!(sums, ["ERROR a no answer to 6", "ERROR b no answer to 6"]);
    }
}
