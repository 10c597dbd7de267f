//! Keeps the threads that send apart from everything else: on processors of their own, and first in line there.
//!
//! Only the pacer runs in real time. It sleeps until shortly before an invocation is due and spins no longer than
//! [`super::sleeper::Spin`] allows, because a real-time thread that only spins is throttled by the kernel for tens of
//! milliseconds at a time.

use std::io;

use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};
use thread_priority::{
    Error, RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// What the threads that send get.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Isolation {
    /// The processors of pacer and workers, by number; none given: all.
    pub cpus: Vec<usize>,
    /// The pacer's real-time priority (`SCHED_FIFO`), 1 to 99; none given: it is scheduled like any thread.
    pub realtime: Option<u8>,
}

/// Isolation that the system refuses.
#[derive(Debug, thiserror::Error)]
pub enum IsolationError {
    /// Processors that this process is not allowed to use.
    #[error("isolation.cpus: this process cannot run on processors {}: {source}", list(cpus))]
    Cpus {
        /// The processors that were requested.
        cpus: Vec<usize>,
        /// The error of the kernel.
        source: io::Error,
    },
    /// A real-time priority without permission.
    #[error(
        "isolation.realtime: the kernel refuses real-time priority {priority} ({reason}); give the daemon CAP_SYS_NICE or \
         LimitRTPRIO={priority}, or remove the setting"
    )]
    Realtime {
        /// The priority that was requested.
        priority: u8,
        /// The error of the kernel, as text.
        reason: String,
    },
    /// A thread for the check.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
}

fn list(cpus: &[usize]) -> String {
    cpus.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

impl Isolation {
    /// Tries on a thread of its own whether the system allows all of it.
    ///
    /// # Errors
    /// What the system refuses, and what to do about it.
    pub fn check(&self) -> Result<(), IsolationError> {
        let this = self.clone();
        let tried = std::thread::Builder::new().name("isolation".to_owned()).spawn(move || this.isolate_pacer())?;
        // The thread does nothing that could panic; if it did all the same, the pacer reports it.
        tried.join().unwrap_or(Ok(()))
    }

    /// Keeps the calling thread off the processors of those that send, and with it every thread and process that it starts from
    /// now on, unless no processor were left.
    ///
    /// # Errors
    /// When the kernel refuses that.
    pub fn make_room(&self) -> io::Result<()> {
        if self.cpus.is_empty() {
            return Ok(());
        }
        let this = Pid::from_raw(0);
        let allowed = sched_getaffinity(this)?;
        let (mut others, mut some) = (CpuSet::new(), false);
        for cpu in 0..CpuSet::count() {
            if allowed.is_set(cpu)? && !self.cpus.contains(&cpu) {
                others.set(cpu)?;
                some = true;
            }
        }
        if some { Ok(sched_setaffinity(this, &others)?) } else { Ok(()) }
    }

    /// Gives the calling thread the pacer's processors and priority.
    pub(super) fn isolate_pacer(&self) -> Result<(), IsolationError> {
        self.isolate_worker()?;
        self.realtime.map_or(Ok(()), make_realtime)
    }

    /// Gives the calling thread the workers' processors.
    pub(super) fn isolate_worker(&self) -> Result<(), IsolationError> {
        if self.cpus.is_empty() {
            return Ok(());
        }
        let failed = |source: nix::Error| IsolationError::Cpus { cpus: self.cpus.clone(), source: source.into() };
        let mut set = CpuSet::new();
        for cpu in &self.cpus {
            set.set(*cpu).map_err(failed)?;
        }
        // 0 is the calling thread.
        sched_setaffinity(Pid::from_raw(0), &set).map_err(failed)
    }
}

fn make_realtime(priority: u8) -> Result<(), IsolationError> {
    let failed = |reason: String| IsolationError::Realtime { priority, reason };
    let value = ThreadPriorityValue::try_from(priority).map_err(|error| failed(error.to_owned()))?;
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let set = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Crossplatform(value), policy);
    set.map_err(|error| match error {
        Error::OS(code) => failed(io::Error::from_raw_os_error(code).to_string()),
        Error::Priority(reason) => failed(reason.to_owned()),
        Error::PriorityNotInRange(range) => failed(format!("it allows {} to {}", range.start(), range.end())),
        Error::Ffi(reason) => failed(reason.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use nix::sched::sched_getaffinity;

    use super::*;

    /// The processors that the calling thread may run on.
    fn allowed() -> Vec<usize> {
        let set = sched_getaffinity(Pid::from_raw(0)).expect("can be read");
        (0..CpuSet::count()).filter(|cpu| set.is_set(*cpu).expect("in range")).collect()
    }

    #[test]
    fn a_thread_runs_where_it_should_and_others_where_they_did() {
        let before = allowed();
        let isolation = Isolation { cpus: vec![before[0]], realtime: None };
        assert!(isolation.check().is_ok());
        let there = std::thread::spawn(move || {
            isolation.isolate_worker().expect("is allowed");
            allowed()
        });
        assert_eq!(there.join().expect("ends"), before[..1]);
        assert_eq!(allowed(), before);
    }

    #[test]
    fn others_make_room_where_there_is_some() {
        let before = allowed();
        let after = |cpus: &[usize]| {
            let isolation = Isolation { cpus: cpus.to_vec(), realtime: None };
            let there = std::thread::spawn(move || {
                isolation.make_room().expect("is allowed");
                // Those that send go to their processors all the same.
                let others = std::thread::spawn(allowed).join().expect("ends");
                isolation.isolate_worker().expect("is allowed");
                (others, allowed())
            });
            there.join().expect("ends")
        };
        if before.len() > 1 {
            assert_eq!(after(&before[..1]), (before[1..].to_vec(), before[..1].to_vec()));
        }
        assert_eq!(after(&before), (before.clone(), before.clone()));
        assert_eq!(after(&[]), (before.clone(), before));
    }

    #[test]
    fn unavailable_isolation_is_refused_by_its_key() {
        let nowhere = Isolation { cpus: vec![CpuSet::count() - 1], realtime: None };
        let refused = nowhere.check().expect_err("no such processor").to_string();
        assert!(refused.starts_with("isolation.cpus: this process cannot run on processors 1023: "), "{refused}");
        assert!(Isolation { cpus: vec![1 << 20], realtime: None }.check().is_err());
    }
}
