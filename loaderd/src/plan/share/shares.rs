use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
    sync::Arc,
};

use crate::{
    id::FunctionIndex,
    plan::{ColdPool, Outline},
};

/// Which invocations are whose.
///
/// A function's invocations all go to one worker, so that gaps and connections stay together, but for a function that carries too
/// much for that: its k-th invocation goes to worker k mod n. The k-th invocation that is meant to find a cold function goes to the
/// workers that own cold functions in turn, and finds one of those that its worker owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shares {
    workers: u32,
    /// By function: its worker, or the number of workers where all have it in turn.
    owners: Arc<[u32]>,
    /// Whole, before it is shared.
    pool: ColdPool,
}

/// Shares that are none: owners that there are not, or another number of functions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongShares {
    /// There is no such worker.
    #[error("function {function} belongs to worker {owner}, of {workers}")]
    Owner {
        /// The function's index.
        function: usize,
        /// As given.
        owner: u32,
        /// How many workers there are.
        workers: u32,
    },
    /// Another plan.
    #[error("shares of {shares} functions for a plan of {functions}")]
    Functions {
        /// Functions in the shares.
        shares: usize,
        /// Functions of the plan.
        functions: usize,
    },
}

/// What a worker has got so far: least loaded first, then of fewest functions, then by index.
type Bin = Reverse<(u64, u32, u32)>;

impl Shares {
    /// Shares a plan among `workers` (at least 1): functions with more than 1/(2n) of all invocations go to all of them in turn, the
    /// functions of the pool round robin, and the others, largest first, each to the least loaded worker.
    pub fn of(outline: &Outline, pool: ColdPool, workers: u32) -> Self {
        let workers = workers.max(1);
        let total: u128 = outline.functions.iter().map(|function| u128::from(function.invocations)).sum();
        let mut owners = vec![workers; outline.functions.len()];
        let mut bins: Vec<(u64, u32, u32)> = (0..workers).map(|worker| (0, 0, worker)).collect();
        let mut is_cold = vec![false; owners.len()];
        for number in 0..pool.len() {
            let (function, worker) = (pool.function(number) as usize, number % cold_owners(pool, workers));
            if let (Some(owner), Some(cold), Some(bin)) =
                (owners.get_mut(function), is_cold.get_mut(function), bins.get_mut(worker as usize))
            {
                (*owner, *cold) = (worker, true);
                bin.0 = bin.0.saturating_add(outline.functions[function].invocations);
                bin.1 += 1;
            }
        }
        let is_hot = |invocations: u64| u128::from(invocations) * 2 * u128::from(workers) > total;
        let mut whole: Vec<_> = (0..)
            .zip(&outline.functions)
            .map(|(index, function)| (Reverse(function.invocations), index))
            .filter(|&(Reverse(invocations), index): &(_, usize)| !is_cold[index] && !is_hot(invocations))
            .collect();
        whole.sort_unstable();
        let mut bins: BinaryHeap<Bin> = bins.into_iter().map(Reverse).collect();
        for (Reverse(invocations), function) in whole {
            let Some(mut least) = bins.peek_mut() else { break };
            let Reverse((load, functions, worker)) = &mut *least;
            owners[function] = *worker;
            *load = load.saturating_add(invocations);
            *functions += 1;
        }
        Self { workers, owners: owners.into(), pool }
    }

    /// Shares as they were made elsewhere, of a plan with this many functions and this pool.
    ///
    /// # Errors
    /// Shares that are not of this plan.
    pub fn from_owners(owners: Vec<u32>, workers: u32, functions: usize, pool: ColdPool) -> Result<Self, WrongShares> {
        if owners.len() != functions {
            return Err(WrongShares::Functions { shares: owners.len(), functions });
        }
        let workers = workers.max(1);
        match owners.iter().enumerate().find(|(_, owner)| **owner > workers) {
            Some((function, &owner)) => Err(WrongShares::Owner { function, owner, workers }),
            None => Ok(Self { workers, owners: owners.into(), pool }),
        }
    }

    /// How many workers share the plan.
    pub fn workers(&self) -> u32 {
        self.workers
    }

    /// By function, in the plan's order: its worker, or the number of workers where all have it in turn.
    pub fn owners(&self) -> &[u32] {
        &self.owners
    }

    /// The worker of a function; absent where all have it in turn, or the plan does not have it.
    pub fn owner(&self, function: FunctionIndex) -> Option<u32> {
        self.owners.get(function.as_usize()).copied().filter(|owner| *owner < self.workers)
    }

    /// By worker: its invocations of the plan that they were made for. Those that are meant to find a cold function count for the
    /// worker that looks for one.
    pub fn invocations(&self, outline: &Outline) -> Vec<u64> {
        let mut by_worker = vec![0_u64; self.workers as usize];
        let pool: HashSet<_> = (0..self.pool.len()).map(|number| self.pool.function(number)).collect();
        let mut cold = 0_u64;
        for ((index, function), &owner) in (0..).zip(&outline.functions).zip(&*self.owners) {
            if pool.contains(&index) {
                cold = cold.saturating_add(function.invocations);
            } else if let Some(owned) = by_worker.get_mut(owner as usize) {
                *owned = owned.saturating_add(function.invocations);
            } else {
                deal(function.invocations, &mut by_worker);
            }
        }
        let owners = cold_owners(self.pool, self.workers) as usize;
        deal(cold, &mut by_worker[..owners]);
        by_worker
    }

    /// The cold functions that a worker may take.
    pub(super) fn pool(&self, worker: u32) -> ColdPool {
        let owners = cold_owners(self.pool, self.workers);
        if worker < owners { self.pool.owned(worker, owners) } else { ColdPool::default() }
    }

    /// Whose the `number`-th invocation is that is meant to find a cold function.
    pub(super) fn cold(&self, number: u64) -> u32 {
        turn(number, cold_owners(self.pool, self.workers))
    }

    /// Whose the `number`-th invocation is of a function that all have in turn.
    pub fn in_turn(&self, number: u64) -> u32 {
        turn(number, self.workers)
    }
}

/// How many workers own cold functions: no more than there are of these.
fn cold_owners(pool: ColdPool, workers: u32) -> u32 {
    workers.min(pool.len()).max(1)
}

/// Gives invocations to workers in turn.
fn deal(invocations: u64, by_worker: &mut [u64]) {
    let workers = by_worker.len().max(1) as u64;
    for (worker, owned) in (0..workers).zip(by_worker) {
        *owned = owned.saturating_add(invocations / workers + u64::from(worker < invocations % workers));
    }
}

fn turn(number: u64, of: u32) -> u32 {
    // A remainder of a 32-bit number.
    u32::try_from(number % u64::from(of)).unwrap_or_default()
}
