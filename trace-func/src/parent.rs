//! Ties the life of this process to that of its parent.

use nix::{
    errno::Errno,
    sys::{prctl, signal::Signal},
    unistd::{Pid, getppid},
};

/// Why the process could not be tied to its parent.
#[derive(Debug, thiserror::Error)]
pub enum ParentError {
    /// The kernel refused to set the signal.
    #[error("the kernel refused to tie this process to its parent (PR_SET_PDEATHSIG)")]
    Refused(#[source] Errno),
    /// The parent died before the tie was made; there is no use in going on.
    #[error(
        "the parent, process {expected}, had ended before this process was tied to it; it has {actual} as parent now"
    )]
    Gone {
        /// The parent that was expected.
        expected: Pid,
        /// The parent that there is.
        actual: Pid,
    },
}

/// Makes the kernel kill this process (SIGKILL) when `expected` dies.
///
/// The signal follows the parent's **thread** that started this process, not the parent as a whole: start it from a
/// thread that lives as long as the parent does. A parent that died before the call sends nothing, which is why the
/// parent is compared afterwards.
pub fn die_with(expected: Pid) -> Result<(), ParentError> {
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(ParentError::Refused)?;
    match getppid() {
        actual if actual == expected => Ok(()),
        actual => Err(ParentError::Gone { expected, actual }),
    }
}
