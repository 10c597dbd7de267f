//! One run: from its turn in the queue to its end, station by station.
//!
//! The [`Driver`] is the one task that owns a run. It makes its plan ([`Planner`]), deploys the plan's functions (`deploy`), sends
//! the load (`load`), by workers where the spec has some (`workers`), cleans up, completes the records and publishes how it ended (`ending`). Each station takes its own part of
//! [`Stations`] and fails with errors of its own (`failure`), of which the run's state keeps the first as text.

mod clean_up;
mod confined;
mod deploy;
mod disturb;
mod driver;
mod ending;
mod failure;
mod interruptible;
mod load;
mod memory;
mod open_files;
mod prepare;
mod progress;
mod room;
mod stage_spans;
mod state;
mod stations;
mod view;
mod warmup;
mod workers;

pub(crate) use clean_up::{CleanUp, CleanedUp, Step, Stops};
pub(crate) use driver::Driver;
pub use failure::{Failure, LoadError};
pub use memory::allowed as allowed_memory;
pub use open_files::raise_limit;
pub use prepare::{Planner, Preparation};
pub use progress::RunProgress;
pub use room::{Fitting, RoomQuestion};
pub use state::{Event, Forbidden, Machine, Verdict};
pub(crate) use stations::Interrupts;
pub use stations::{DrainLimits, LoadSettings, Stations, Telemetry};
pub use view::RunView;
