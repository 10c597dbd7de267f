//! Runs: their states, their directories, the queue, and the one task that carries a run out.

mod deployment;
mod driver;
mod ending;
mod files;
mod home;
mod host;
mod load;
mod prepare;
mod registry;
mod retention;
mod samples;
mod scales;
mod starts;
mod state;
mod store;
mod story;
mod summary;
mod view;
mod warmup;

pub use driver::Context;
pub use files::raise_limit;
pub use home::{Home, HomeError};
pub use prepare::{Preparation, prepare};
pub use registry::{Activity, Ends, Page, Registry, RegistryError, RegistryTask, Selector, Submission, Submitted};
pub use retention::Retention;
pub use state::{Event, Forbidden, Machine, State, Verdict};
pub use store::{RunDirectory, RunFile, Store, StoreError};
pub use summary::{EncodeSummary, RunSummary};
pub use view::RunView;
