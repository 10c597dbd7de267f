//! Studies as they are carried out: many ordinary runs, made one after the other through the registry.
//!
//! ```text
//! StudiesTask ──the next study──▶ Driver ──next (study)──▶ reuse | pause, idle, hook ──▶ write down ──▶ submit ──▶ await ──▶ judge
//!      ▲ commands (Studies)          └──▶ study.json, results, the published view
//! ```
//! One study is carried out at a time, in the order of their submission. A run's id is reserved and written to study.json before the run
//! is submitted under it, so that after a crash at any instant each run is found again, and none is made twice.

mod awaiting;
mod carrying;
mod driver;
mod executable;
mod handle;
mod hooks;
mod idle;
mod judge;
mod making;
mod parts;
mod recovering;
mod results;
mod task;
mod view;

pub use executable::{HookFault, HookSettings};
pub use handle::{Studies, StudiesError, StudyPage, StudySelector, StudySubmission};
pub use parts::StudyParts;
pub use task::StudiesTask;
pub use view::{ClientStage, Stage, StudyView};

#[cfg(test)]
mod tests;
