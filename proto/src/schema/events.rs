//! events.csv: disturbances.

use super::{Text, table::table};

table! {
    /// One row when a disturbance of the spec (`disturb`) was carried out, and one when it was undone. Only of runs that have some.
    Events in "events.csv", row EventRecord<'a> {
        /// Number of the disturbance in the spec, from 0.
        disturbance: u32,
        /// `begin`, when it was carried out, or `end`, when it was undone.
        stage: Text<'a>,
        /// When that was due. An `end` is due at the end of the load at the latest.
        due_unix_us: i64 [UnixMicros],
        /// When it was done.
        #[absent = "when it was not done"]
        done_unix_us: Option<i64> [UnixMicros],
        /// What was done, as `do` in the spec.
        action: Text<'a>,
        /// What it was done to, such as `1 of activator`.
        target: Text<'a>,
        /// `ok`, `failed`, or `not_due` when the load was over before.
        outcome: Text<'a>,
        /// The objects that were changed, or why it failed.
        #[absent = "when it was not due"]
        detail: Text<'a>,
    }
}
