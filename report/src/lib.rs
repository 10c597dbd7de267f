//! Reports of runs: from a run's directory to figures and pages. Pure and synchronous, and the same bytes for the same run: no clock is
//! read, nothing is random. It needs no daemon; the daemon and the command line both use it.
//!
//! ```text
//! directory ──rows, run──▶ Run { documents, samples, aggregates, remarks }
//!                            │ catalogue: a figure by its name, of one run or of several
//!                            ▼
//!                          Figure ──figure──▶ SVG, CSV
//!                            │ page: panels with captions, verdicts first
//!                            ▼
//!                          HTML
//! ```
//!
//! Why figures are drawn by a grammar of our own: the SVG of `plotters` has no title, description, role or classes, which screen
//! readers, dark mode and printing need, and dashes are cut into pieces. `charton` is young, and what it draws changes with its
//! version, where figures here are tested byte by byte, also when a page draws them once a second.

pub mod aggregate;
pub mod catalogue;
pub mod compare;
pub mod expectation;
pub mod figure;
pub mod indicator;
pub mod live;
mod number;
pub mod page;
mod rows;
pub mod run;
pub mod spreadsheet;
pub mod statistics;
pub mod study;
