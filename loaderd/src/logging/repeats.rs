//! Sums up warnings and errors that repeat.
//!
//! Of each kind of message the first few are logged. While more of them come, the rest is counted, and told in one line a
//! minute; after a minute without any, the kind is new again.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use log::{
    Level, Log, Record,
    kv::{Error, Key, Value, VisitSource},
};

/// How many of a kind are logged one by one.
const SHOWN: u64 = 5;

/// How often sums are told.
pub(super) const PERIOD: Duration = Duration::from_mins(1);

/// The fields that tell whose a message is: one run's, function's or source's trouble shall not hide another's.
const WHOSE: [&str; 4] = ["RUN_ID", "FUNCTION", "SOURCE", "WAY"];

/// What makes messages alike: where in the code they come from, and whose they are.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Kind {
    target: String,
    line: Option<u32>,
    whose: [Option<String>; WHOSE.len()],
}

impl Kind {
    fn of(record: &Record<'_>) -> Self {
        let whose = WHOSE.map(|name| record.key_values().get(Key::from(name)).map(|value| value.to_string()));
        Self { target: record.target().to_owned(), line: record.line(), whose }
    }
}

#[derive(Debug, Default)]
struct Count {
    /// How many were logged one by one.
    shown: u64,
    /// How many came since the last sums, logged or not.
    recent: u64,
    /// The last that was not logged, and how many there are.
    held: Option<(Held, u64)>,
}

/// A message that was not logged.
#[derive(Debug)]
struct Held {
    level: Level,
    words: String,
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
        let mut held = Self { level: record.level(), words: record.args().to_string(), fields: Vec::new() };
        // It fails only where a field can't be taken, which this one takes.
        let _whole = record.key_values().visit(&mut held);
        held
    }
}

/// What repeats.
#[derive(Debug, Default)]
pub(super) struct Repeats(Mutex<HashMap<Kind, Count>>);

impl Repeats {
    /// Whether a message is to be logged now; else it is counted.
    pub(super) fn admits(&self, record: &Record<'_>) -> bool {
        if record.level() > Level::Warn {
            return true;
        }
        let mut counts = self.counts();
        let count = counts.entry(Kind::of(record)).or_default();
        count.recent += 1;
        if count.shown < SHOWN {
            count.shown += 1;
            return true;
        }
        let before = count.held.take().map_or(0, |(_, many)| many);
        count.held = Some((Held::of(record), before + 1));
        false
    }

    /// Logs what was counted since the last time.
    pub(super) fn tell(&self, log: &dyn Log) {
        let mut sums = Vec::new();
        self.counts().retain(|kind, count| {
            sums.extend(count.held.take().map(|(held, many)| (kind.target.clone(), held, many)));
            std::mem::take(&mut count.recent) > 0
        });
        for (target, Held { level, words, fields }, many) in sums {
            let fields: Vec<_> = fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            let words = if many == 1 { words } else { format!("{many} times within a minute, the last: {words}") };
            let mut record = Record::builder();
            record.level(level).target(&target).key_values(&fields);
            log.log(&record.args(format_args!("{words}")).build());
        }
    }

    /// Nothing that holds the lock can panic.
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

    /// Messages `first` to `last` from one place, of one run.
    fn say(repeats: &Repeats, log: &Kept, level: Level, run: &str, numbers: std::ops::RangeInclusive<u32>) {
        for number in numbers {
            let fields = [("RUN_ID", run)];
            let log = |words: std::fmt::Arguments<'_>| {
                let mut record = Record::builder();
                record.level(level).target("here").line(Some(7)).key_values(&fields).args(words);
                let record = record.build();
                if repeats.admits(&record) {
                    log.log(&record);
                }
            };
            log(format_args!("no answer to {number}"));
        }
    }

    #[test]
    fn the_first_are_shown_and_the_rest_is_summed_up_until_it_ends() {
        let (repeats, log) = (Repeats::default(), Kept::default());
        say(&repeats, &log, Level::Warn, "a", 1..=100);
        let shown: Vec<_> = (1..=5).map(|number| format!("WARN a no answer to {number}")).collect();
        assert_eq!(log.take(), shown);
        repeats.tell(&log);
        assert_eq!(log.take(), ["WARN a 95 times within a minute, the last: no answer to 100"]);
        // It goes on: nothing is shown but its sum.
        say(&repeats, &log, Level::Warn, "a", 101..=101);
        assert_eq!(log.take(), [""; 0]);
        repeats.tell(&log);
        assert_eq!(log.take(), ["WARN a no answer to 101"]);
        // After a minute without any it is new.
        repeats.tell(&log);
        say(&repeats, &log, Level::Warn, "a", 200..=200);
        assert_eq!(log.take(), ["WARN a no answer to 200"]);
        repeats.tell(&log);
        assert_eq!(log.take(), [""; 0]);
    }

    #[test]
    fn what_is_of_another_run_is_of_another_kind_and_what_is_no_warning_is_never_held_back() {
        let (repeats, log) = (Repeats::default(), Kept::default());
        say(&repeats, &log, Level::Error, "a", 1..=6);
        say(&repeats, &log, Level::Error, "b", 1..=6);
        say(&repeats, &log, Level::Info, "a", 1..=20);
        assert_eq!(log.take().len(), 5 + 5 + 20);
        repeats.tell(&log);
        let mut sums = log.take();
        sums.sort();
        assert_eq!(sums, ["ERROR a no answer to 6", "ERROR b no answer to 6"]);
    }
}
