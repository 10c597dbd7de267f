//! Platforms that know how much can be allocated to instances.

use std::{ops::Add, time::Duration};

use crate::platform::{deployment::FunctionDeployment, error::PlatformError};

/// Knows the room for instances, and what an instance takes of it.
#[tonic::async_trait]
pub trait Allocate: Send + Sync {
    /// What can be allocated, and what of it is requested now.
    async fn allocatable(&self) -> Result<Allocatable, PlatformError>;

    /// What an instance of each function requests, in the order of `functions`.
    ///
    /// # Errors
    /// A manifest that can't be used.
    fn requests(&self, functions: &[FunctionDeployment]) -> Result<Vec<Amounts>, PlatformError>;
}

/// The room of a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocatable {
    /// Where instances are placed.
    pub nodes: Vec<NodeRoom>,
    /// How long an idle instance is kept, of functions without a stable window of their own.
    pub stable_window: Duration,
}

/// What a node has, or instances request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amounts {
    /// CPU, in thousandths of a processor.
    pub millicores: u64,
    /// Memory, in whole MiB.
    pub mib: u64,
    /// Instances: pods of a cluster, processes of a host.
    pub instances: u64,
}

impl Add for Amounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.with(other, u64::saturating_add)
    }
}

impl Amounts {
    /// The amounts of two, combined each by each.
    pub fn with(self, other: Self, each: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            millicores: each(self.millicores, other.millicores),
            mib: each(self.mib, other.mib),
            instances: each(self.instances, other.instances),
        }
    }

    /// What is left of it; nothing, where more is taken than there is.
    pub fn less(self, other: Self) -> Self {
        self.with(other, u64::saturating_sub)
    }

    /// So many times as much.
    pub fn times(self, number: u64) -> Self {
        self.with(self, |amount, _| amount.saturating_mul(number))
    }

    /// How often a size fits into it.
    pub fn fits(self, size: Self) -> u64 {
        let times = |all: u64, one: u64| all.checked_div(one).unwrap_or(u64::MAX);
        times(self.millicores, size.millicores)
            .min(times(self.mib, size.mib))
            .min(times(self.instances, size.instances))
    }
}

/// The room of a node on which instances can be placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRoom {
    /// The node's name.
    pub name: String,
    /// What the node can allocate.
    pub allocatable: Amounts,
    /// What the instances on it request, and their number.
    pub requested: Amounts,
}

impl NodeRoom {
    /// What is free.
    pub fn free(&self) -> Amounts {
        self.allocatable.less(self.requested)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_fits_as_often_as_the_scarcest_of_it() {
        let free = Amounts { millicores: 1000, mib: 1000, instances: 7 };
        for (millicores, mib, times) in [(125, 100, 7), (200, 100, 5), (125, 500, 2), (2000, 1, 0), (0, 0, 7)] {
            assert_eq!(free.fits(Amounts { millicores, mib, instances: 1 }), times, "{millicores} {mib}");
        }
    }
}
