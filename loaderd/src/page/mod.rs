//! The live page, under `/` of the HTTP server: the run under way, the queue, the list of runs with their reports and comparisons,
//! the platforms. It changes nothing.
//!
//! ```text
//! request ──▶ origin (Host, Origin, Sec-Fetch-Site) ──▶ reader (session, role) ──▶ views ──▶ list, reports
//!                                                                            └──▶ stream ◀── live: a look each second
//! ```
//! What takes time runs on threads of low priority, so that a viewer disturbs no measurement: the figures of a second are drawn once,
//! whoever looks at them, and a viewer that does not keep up misses seconds. All HTML is made by `loader-report`.

mod background;
mod cookie;
mod entrance;
mod gate;
mod handles;
mod headers;
mod history;
mod list;
mod live;
mod login;
mod look;
mod origin;
mod outlooks;
mod reports;
mod router;
mod stream;
mod views;

pub use entrance::Entrance;
pub use handles::{Page, PageHandles};
pub use live::Ticker;
pub use origin::Hosts;
pub use router::router;

#[cfg(test)]
mod tests;
