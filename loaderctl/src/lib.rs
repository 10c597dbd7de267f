//! The command line of the loader daemon.
//!
//! ```text
//! cli ──▶ commands ──▶ spec (file and flags), upload, client ──▶ daemon
//!             └──────▶ watch (live), render (text), output     ending (exit codes)
//! ```
//! Commands know the API; renderers are pure, from the API's messages to text.

mod address;
mod check;
mod cli;
mod client;
mod commands;
mod credentials;
mod document;
mod ending;
mod file_name;
mod invitro;
mod junit;
mod output;
mod paper;
mod render;
mod spec;
mod study;
#[cfg(test)]
mod testkit;
mod upload;
mod watch;

pub use address::{Address, InvalidAddress};
pub use cli::Arguments;
pub use ending::{EXIT_CODES, Ending, Failure, exit_code};

/// Carries out a command.
///
/// # Errors
/// The command failed; see [`exit_code`].
pub async fn run(arguments: Arguments) -> Result<Ending, Failure> {
    commands::run(arguments).await
}
