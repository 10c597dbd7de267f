//! The daemon's log on standard error: one line an entry, in UTC, with its fields as `KEY=value` behind the words.

use std::io::Write as _;

use log::kv::{Error, Key, Value, VisitSource};

/// Fields as text.
struct Fields<'a>(&'a mut dyn std::io::Write);

impl<'kvs> VisitSource<'kvs> for Fields<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        Ok(write!(self.0, " {key}={value}")?)
    }
}

/// Logs from now on. `level` is this daemon's; libraries only warn.
pub fn init(level: log::LevelFilter) {
    let mut builder = env_logger::Builder::new();
    builder.filter_level(level.min(log::LevelFilter::Warn)).filter_module("loaderd", level).format(|out, record| {
        write!(out, "{} {:<5} {}", out.timestamp_millis(), record.level(), record.args())?;
        // Fields that can't be written are not worth losing the line for.
        let _unwritten = record.key_values().visit(&mut Fields(out));
        writeln!(out)
    });
    // Fails only where logging was set up before, which then stands.
    let _first_wins = builder.try_init();
}
