//! The harness of the process tests: the built programs, started on ports that the system picks, and their files.
//!
//! Everything here panics where a test can't go on.
#![expect(clippy::expect_used, clippy::panic, reason = "this is for tests, which end by a panic")]

pub mod cluster;
mod daemon;
mod guide;
mod manager;
mod peer;
mod processes;
mod program;
mod proxy;
mod raw;
mod records;
pub mod server;
mod trace;
pub mod usage;
mod walk;

pub use daemon::Daemon;
pub use guide::{Block, Page};
pub use manager::Manager;
pub use peer::{ClosedPort, Peer};
pub use processes::{children, is_alive};
pub use program::{Ran, bin, root, run};
pub use proxy::Proxy;
pub use raw::{RawClient, field};
pub use records::Table;
pub use trace::even_trace;
pub use walk::Walk;

use std::{
    fmt::Debug,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Timeout of every wait in a test: far longer than any takes.
pub const TIMEOUT: Duration = Duration::from_secs(120);

/// Asks again and again until there is an answer.
///
/// # Panics
/// When there is none for [`TIMEOUT`].
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    eventually_ok(what, || ask().ok_or("not yet"))
}

/// Asks again and again until the answer is a good one.
///
/// # Panics
/// When it is none for [`TIMEOUT`], with the last answer.
pub fn eventually_ok<T, E: Debug>(what: &str, mut ask: impl FnMut() -> Result<T, E>) -> T {
    let deadline = now() + TIMEOUT;
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(not_yet) => assert!(now() < deadline, "timed out waiting: {what}: {not_yet:?}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The turn of a test that loads the whole machine: compiles, keeps a core busy, opens hundreds of connections, kills and restarts.
///
/// More tests run at once than there are cores, which is right for those that wait. Of those that do not, one runs at a time,
/// from this call until the guard is dropped.
pub fn heavy() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // A heavy test that failed has let go of the machine all the same.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::disallowed_types, reason = "these tests have no clock but the system's")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}
