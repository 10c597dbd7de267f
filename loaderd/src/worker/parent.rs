//! A worker that was started as a process ends with the daemon that started it.

use nix::{
    sys::{prctl, signal::Signal},
    unistd::getppid,
};

use super::WorkerArguments;

/// A worker that cannot end with its parent.
#[derive(Debug, thiserror::Error)]
pub enum ParentError {
    /// The kernel refuses.
    #[error("the kernel refused to tie this process to its parent (PR_SET_PDEATHSIG)")]
    Refused(#[from] nix::Error),
    /// It has ended already.
    #[error("the process {0} that started this one has ended")]
    Gone(i32),
}

/// Asks the kernel to kill this process when its parent ends, where the arguments say so.
///
/// # Errors
/// When the kernel refuses, or the parent has ended before.
pub fn follow_parent(arguments: &WorkerArguments) -> Result<(), ParentError> {
    let Some(parent) = arguments.die_with_parent else { return Ok(()) };
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    // It may have ended before that.
    if getppid().as_raw() == parent { Ok(()) } else { Err(ParentError::Gone(parent)) }
}
