//! The workers of a run: how many, where, and what becomes of the run without one of them.

use std::{collections::BTreeMap, time::Duration};

use loader_proto::v1;

use super::check::{Check, LONGEST};

/// Most workers of a run.
const MOST_WORKERS: u32 = 1000;

/// Most processors of a worker.
const MOST_CPU: f64 = 1024.0;

/// Least and most memory of a worker, in MiB.
const MEMORY_MIB: std::ops::RangeInclusive<u32> = 64..=1 << 20;

const SECOND: Duration = Duration::from_secs(1);
const MICROSECOND: Duration = Duration::from_micros(1);

/// The workers of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Workers {
    /// How many, at least 1.
    pub count: u32,
    /// What becomes of the run when one is lost.
    pub on_loss: OnWorkerLoss,
    /// The run is marked where a worker's clock is known to no better than this.
    pub max_clock_error: Duration,
    /// How long a worker goes on without the daemon.
    pub orphan_timeout: Duration,
    /// How long all together may take to be ready.
    pub start_timeout: Duration,
    /// On which nodes they run.
    pub placement: Placement,
    /// Their resources on a cluster.
    pub resources: WorkerResources,
}

/// What becomes of a run when a worker is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnWorkerLoss {
    /// It goes on; the worker's share from then on is recorded as not sent.
    Continue,
    /// It fails.
    Abort,
}

impl OnWorkerLoss {
    const ALL: [Self; 2] = [Self::Continue, Self::Abort];

    /// As in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::Abort => "abort",
        }
    }
}

/// On which nodes workers run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placement {
    /// Labels that their nodes must have.
    pub node_selector: BTreeMap<String, String>,
    /// Whether they may share nodes with functions.
    pub with_functions: Sharing,
    /// Whether two of them may share a node.
    pub with_workers: Sharing,
}

/// Whether a node may be shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sharing {
    /// Not while there are other nodes.
    #[default]
    Avoid,
    /// In no case.
    Never,
    /// As it comes.
    Allow,
}

impl Sharing {
    const ALL: [Self; 3] = [Self::Avoid, Self::Never, Self::Allow];

    /// As in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Avoid => "avoid",
            Self::Never => "never",
            Self::Allow => "allow",
        }
    }
}

/// The resources of a worker on a cluster: requests, and limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerResources {
    /// Thousandths of a processor.
    pub millicores: u32,
    /// Memory, in MiB.
    pub memory_mib: u32,
}

/// The workers; the inner value is absent when the spec has none. Each has a part of `max_in_flight`.
pub(super) fn workers(
    check: &mut Check,
    message: Option<&v1::Workers>,
    max_in_flight: Option<u32>,
) -> Option<Option<Workers>> {
    let Some(message) = message else { return Some(None) };
    let v1::Workers {
        count,
        on_worker_loss,
        max_clock_error,
        orphan_timeout,
        start_timeout,
        placement: placement_message,
        cpu,
        memory_mib,
    } = message;
    if count.is_none() {
        check.fault("workers.count", "is missing; must be the number of workers");
    }
    let count = check.count("workers.count", *count, 1, 1..=MOST_WORKERS);
    if let (Some(count), Some(most)) = (count, max_in_flight.filter(|most| count.is_some_and(|count| count > *most))) {
        check.fault(
            "workers.count",
            format!("is {count}; must be at most maxInFlight, {most}, of which each has a part"),
        );
    }
    let name = if on_worker_loss.is_empty() { OnWorkerLoss::Continue.as_str() } else { on_worker_loss };
    let on_loss = check.named("workers.onWorkerLoss", name, &OnWorkerLoss::ALL, OnWorkerLoss::as_str);
    let millisecond = Duration::from_millis(1);
    let max_clock_error =
        check.duration("workers.maxClockError", max_clock_error.as_ref(), millisecond, MICROSECOND..=LONGEST);
    let orphan_timeout =
        check.duration("workers.orphanTimeout", orphan_timeout.as_ref(), 30 * SECOND, SECOND..=LONGEST);
    let start_timeout = check.duration("workers.startTimeout", start_timeout.as_ref(), 300 * SECOND, SECOND..=LONGEST);
    let placement = placement(check, placement_message.as_ref());
    let cpu = check.positive("workers.cpu", *cpu, 1.0, MOST_CPU);
    let memory_mib = check.count("workers.memoryMib", *memory_mib, 512, MEMORY_MIB);
    Some(Some(Workers {
        count: count?,
        on_loss: on_loss?,
        max_clock_error: max_clock_error?,
        orphan_timeout: orphan_timeout?,
        start_timeout: start_timeout?,
        placement: placement?,
        resources: WorkerResources {
            millicores: crate::units::to_u32(crate::units::rounded((cpu? * 1e3).ceil())),
            memory_mib: memory_mib?,
        },
    }))
}

fn placement(check: &mut Check, message: Option<&v1::WorkerPlacement>) -> Option<Placement> {
    let v1::WorkerPlacement { node_selector, functions, workers } = message.cloned().unwrap_or_default();
    let node_selector: BTreeMap<_, _> = node_selector.into_iter().collect();
    let labels = node_selector.iter().filter(|(name, value)| !is_label_name(name) || !is_label_value(value));
    let wrong: Vec<_> = labels.map(|(name, value)| format!("{name:?}: {value:?}")).collect();
    if !wrong.is_empty() {
        check.fault("workers.placement.nodeSelector", format!("has {}; must be labels of nodes", wrong.join(", ")));
    }
    let mut sharing = |field, name: &str| {
        let name = if name.is_empty() { Sharing::default().as_str() } else { name };
        check.named(field, name, &Sharing::ALL, Sharing::as_str)
    };
    let with_functions = sharing("workers.placement.functions", &functions);
    let with_workers = sharing("workers.placement.workers", &workers);
    Some(Placement { node_selector, with_functions: with_functions?, with_workers: with_workers? })
}

/// Whether a node can have a label of this name: with or without a prefix, which is a domain.
fn is_label_name(name: &str) -> bool {
    let (prefix, name) = name.split_once('/').map_or((None, name), |(prefix, name)| (Some(prefix), name));
    let is_domain = |prefix: &str| {
        let fits = (1..=253).contains(&prefix.len());
        fits && prefix.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte))
    };
    !name.is_empty() && is_label_value(name) && prefix.is_none_or(is_domain)
}

/// Whether a label can have this value, which may be empty.
fn is_label_value(value: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
    let bytes = value.as_bytes();
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    value.len() <= 63 && bytes.iter().all(known) && edge(bytes.first()) && edge(bytes.last())
}

#[cfg(test)]
mod tests;
