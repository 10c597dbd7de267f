//! What each worker is told to do.

use std::time::Duration;

use loader_proto::worker::{Assignment, Shares as WireShares, WireTrace};

use super::{TraceFiles, wire};
use crate::{
    endpoint::Endpoint,
    plan::{Plan, Shares},
};

/// Bounds of a run over all of its workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of invocations in flight.
    pub in_flight: u32,
    /// Maximum memory that they ask for together, in MiB; absent: no bound.
    pub memory_in_flight_mib: Option<u32>,
    /// Sending threads of each worker.
    pub sending_threads: usize,
    /// Connections to each address.
    pub connections: usize,
}

impl Limits {
    /// The part of one of `workers`: whole parts, the rest to the first of them, and at least one.
    fn part(whole: u32, worker: u32, workers: u32) -> u32 {
        let workers = workers.max(1);
        (whole / workers + u32::from(worker < whole % workers)).max(1)
    }
}

/// What the workers of a run are assigned.
#[derive(Debug, Clone)]
pub struct Assigned {
    /// The run's spec, encoded.
    pub spec: Vec<u8>,
    /// The daemon's default platform.
    pub default_platform: String,
    /// How many workers there are.
    pub workers: u32,
    /// Which invocations are whose.
    pub shares: Shares,
    /// By function: its name, and where it is reached; absent for one that was not deployed.
    pub functions: Vec<(String, Option<Endpoint>)>,
    /// By which both sides know that they have the same plan.
    pub plan_hash: [u8; 32],
    /// Bounds over all workers.
    pub limits: Limits,
    /// How long a worker goes on without a coordinator.
    pub orphan_timeout: Duration,
    /// Certificates that functions are verified by (PEM); empty: those of the worker's machine.
    pub function_roots_pem: Vec<u8>,
}

impl Assigned {
    /// The assignment of a worker, from this batch on.
    pub(super) fn of(&self, worker: u32, next_batch: u64, trace: Option<&TraceFiles>) -> Assignment {
        let Self {
            spec,
            default_platform,
            workers,
            shares,
            functions,
            plan_hash,
            limits,
            orphan_timeout,
            function_roots_pem,
        } = self;
        let part = |whole| Limits::part(whole, worker, *workers);
        Assignment {
            spec: spec.clone(),
            default_platform: default_platform.clone(),
            workers: *workers,
            shares: Some(WireShares { owners: shares.owners().to_vec() }),
            functions: functions.iter().map(|(name, endpoint)| wire::function(name, endpoint.as_ref())).collect(),
            trace: trace.map(|trace| WireTrace {
                hash: trace.hash().to_vec(),
                files: trace.names().to_vec(),
                focus: trace.focus().to_owned(),
                folder: trace.folder().to_owned(),
            }),
            plan_hash: plan_hash.to_vec(),
            max_in_flight: part(limits.in_flight),
            max_memory_in_flight_mib: limits.memory_in_flight_mib.map(part),
            sending_threads: crate::units::to_u32(limits.sending_threads),
            connections: crate::units::to_u32(limits.connections),
            orphan_timeout: prost_types::Duration::try_from(*orphan_timeout).ok(),
            function_roots_pem: function_roots_pem.clone(),
            next_batch,
        }
    }
}

/// The facts of a plan that a coordinator needs, once the plan itself is given away.
#[derive(Debug, Clone)]
pub struct PlanFacts {
    pub(super) functions: usize,
    pub(super) needs_outcomes: bool,
    pub(super) has_cold_pool: bool,
    pub(super) decoder: wire::Decoder,
}

impl PlanFacts {
    /// Of a plan.
    pub fn of(plan: &dyn Plan) -> Self {
        Self {
            functions: plan.functions().len(),
            needs_outcomes: plan.needs_outcomes(),
            has_cold_pool: !plan.cold_pool().is_empty(),
            decoder: wire::Decoder::new(plan),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_whole_and_none_is_empty() {
        for (whole, workers) in [(10_u32, 3_u32), (9, 3), (100_000, 7), (8, 8)] {
            let parts: Vec<_> = (0..workers).map(|worker| Limits::part(whole, worker, workers)).collect();
            assert_eq!(parts.iter().sum::<u32>(), whole, "{parts:?}");
        }
        assert_eq!(Limits::part(1, 3, 4), 1, "a worker without room could send nothing");
    }
}
