//! Between the domain and the wire. Every struct is taken apart in full, so that a new field breaks the build here.

mod counts;
mod disturbances;
mod plan;
mod progress;
mod room;
mod run;
mod spec;
mod status;
mod stored;
mod study;
mod summary;
mod time;
mod trace_stage;
mod values;
mod workers;

pub(super) use plan::{plan, planned};
pub(super) use room::{known_room, unknown_room};
pub(super) use run::{listed, run, state};
pub use status::StatusFacts;
pub(super) use status::status;
pub use stored::WireCodec;
pub(super) use study::{followed, study, study_plan};
pub(super) use time::timestamp;
pub(super) use trace_stage::trace_stage;
pub(super) use values::{metric_value, nearest_node, record};
