//! The search for nested samples whose objectives are small: from an even spread over the load, by exchanging functions.
//!
//! Samples from the smallest on are tiers: a function of tier *t* is in the *t*th sample and all larger ones, one of the last
//! tier in none. A step takes a function of a tier out, and gives its tier to the function of a later one with which the sum of
//! all objectives is least; that may be itself. So a small sample is not chosen at the cost of a larger one, nor the other way
//! round. When steps find nothing any more, some functions are exchanged at random, and the descent begins again from there; what
//! is not better in the end is given up. Work is counted, not timed, so that the same seed finds the same samples on any machine.

use rand::RngExt;

use super::grid::Grid;
use super::order::{drawn, shuffle};
use super::population::Population;
use super::table::{Table, objective};
use crate::random::StreamRng;

/// Functions of about the same weight that are tried for one, where not all can be, and some of any.
const TRIED: usize = 32;
const TRIED_OF_ANY: usize = 8;
/// Passes that the work must suffice for, for all functions to be tried for each.
const PASSES: usize = 4;
/// A pass that lowers the objective by less than this share of it is the last.
const LEAST_GAIN: f64 = 1e-3;
/// Random exchanges without a gain after which the search ends.
const MOST_KICKS: u32 = 40;
/// Functions that each exchanges.
const KICKED: usize = 3;
/// Refreshing the thresholds of a row costs about as much as looking at this many.
const REFRESH: u64 = 16;

/// An amount that samples are to have.
#[derive(Debug, Clone)]
pub(super) struct Aim {
    /// Of each function.
    pub(super) amounts: Vec<f64>,
    /// Of each sample.
    pub(super) wanted: Vec<f64>,
    /// What the objective of a sample rises by when it has none of it.
    pub(super) weight: f64,
}

impl Aim {
    /// That of one sample.
    pub(super) fn of(&self, sample: usize) -> Self {
        Self { amounts: self.amounts.clone(), wanted: vec![self.wanted[sample]], weight: self.weight }
    }
}

/// A search in a population.
pub(super) struct Search<'a> {
    pub(super) population: &'a Population,
    pub(super) grid: &'a Grid,
    /// The functions that are exchanged, by weight.
    pub(super) weighty: &'a [u32],
    /// The place of each function in that order.
    pub(super) rank: &'a [u32],
    /// What the objective of each sample counts.
    pub(super) factors: &'a [f64],
    pub(super) aim: Option<Aim>,
    /// How many numbers may be looked at.
    pub(super) work: u64,
}

/// Functions in tiers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tiers {
    /// Of each function its tier.
    pub(super) of: Vec<usize>,
    /// Which functions stay in their tier.
    pub(super) is_fixed: Vec<bool>,
    /// How many samples there are; the number of the last tier.
    pub(super) samples: usize,
}

impl Tiers {
    /// Those of nested samples from the smallest, all of which have `fixed`.
    pub(super) fn of(functions: usize, fixed: &[u32], samples: &[Vec<u32>]) -> Self {
        let mut tiers =
            Self { of: vec![samples.len(); functions], is_fixed: vec![false; functions], samples: samples.len() };
        for (tier, members) in samples.iter().enumerate().rev() {
            members.iter().for_each(|&member| tiers.of[member as usize] = tier);
        }
        for &function in fixed {
            (tiers.of[function as usize], tiers.is_fixed[function as usize]) = (0, true);
        }
        tiers
    }

    /// The functions of a sample.
    pub(super) fn sample(&self, sample: usize) -> Vec<u32> {
        (0_u32..).zip(&self.of).filter(|&(_, &tier)| tier <= sample).map(|(function, _)| function).collect()
    }
}

/// Samples under change.
struct State<'a> {
    tiers: Tiers,
    tables: Vec<Table<'a>>,
    /// Of each sample what is aimed at.
    amounts: Vec<f64>,
    objective: f64,
}

impl Search<'_> {
    /// Better tiers, as far as exchanges of single functions go.
    pub(super) fn improved(&self, tiers: Tiers, rng: &mut StreamRng) -> Tiers {
        let mut work = self.work;
        let mut state = self.state(tiers);
        self.descend(&mut state, &mut work, rng);
        state.tiers
    }

    /// The same, and from there further after random exchanges.
    pub(super) fn kicked_on(&self, tiers: Tiers, rng: &mut StreamRng) -> Tiers {
        let mut work = self.work;
        let mut best = self.state(tiers);
        self.descend(&mut best, &mut work, rng);
        let mut kicks = 0;
        while work > 0 && kicks < MOST_KICKS {
            let mut next = self.state(self.kicked(&best.tiers, rng));
            self.descend(&mut next, &mut work, rng);
            kicks += 1;
            if next.objective < best.objective * (1.0 - 1e-6) {
                (best, kicks) = (next, 0);
            }
        }
        best.tiers
    }

    fn state(&self, tiers: Tiers) -> State<'_> {
        let (mut tables, mut amounts, mut sum) = (Vec::new(), Vec::new(), 0.0);
        for sample in 0..tiers.samples {
            let members = tiers.sample(sample);
            let amount = members.iter().map(|&member| self.amount(member)).sum();
            let own = objective(self.population, self.grid, &members).sum() + self.penalty(sample, amount);
            sum += own * self.factors[sample];
            tables.push(Table::of(self.population, self.grid, members.len(), &members));
            amounts.push(amount);
        }
        State { tiers, tables, amounts, objective: sum }
    }

    fn amount(&self, function: u32) -> f64 {
        self.aim.as_ref().map_or(0.0, |aim| aim.amounts[function as usize])
    }

    fn penalty(&self, sample: usize, amount: f64) -> f64 {
        self.aim.as_ref().map_or(0.0, |aim| (amount / aim.wanted[sample] - 1.0).abs() * aim.weight)
    }

    /// Exchanges functions until a pass over all of them gains nothing.
    fn descend(&self, state: &mut State<'_>, work: &mut u64, rng: &mut StreamRng) {
        loop {
            let before = state.objective;
            let mut functions: Vec<u32> = self.weighty.to_vec();
            functions.retain(|&function| {
                let function = function as usize;
                state.tiers.of[function] < state.tiers.samples && !state.tiers.is_fixed[function]
            });
            shuffle(&mut functions, rng);
            let all = self.all_can_be_tried(functions.len() * state.tiers.samples);
            for function in functions {
                if *work == 0 {
                    return;
                }
                // It may have been moved meanwhile.
                if state.tiers.of[function as usize] < state.tiers.samples {
                    self.exchange(state, function, all, work, rng);
                }
            }
            if before - state.objective < before * LEAST_GAIN {
                return;
            }
        }
    }

    fn all_can_be_tried(&self, free: usize) -> bool {
        let pass = (free as u64).saturating_mul(self.population.all_cells() as u64);
        pass.saturating_mul(PASSES as u64) <= self.work
    }

    /// Takes a function out of the samples of its tier, and gives that to the best one of a later tier.
    fn exchange(&self, state: &mut State<'_>, old: u32, all: bool, work: &mut u64, rng: &mut StreamRng) {
        let (tier, last) = (state.tiers.of[old as usize], state.tiers.samples);
        for sample in tier..last {
            state.tables[sample].remove_for_now(old);
            state.amounts[sample] -= self.amount(old);
        }
        let mut seen = 0;
        // What a function costs in the samples from `tier` up to `end`.
        let mut cost = |function: u32, end: usize| -> f64 {
            seen += (self.population.cells(function).len() as u64 + 1) * (end - tier) as u64;
            (tier..end).map(|sample| self.cost(state, sample, function)).sum()
        };
        // What the old one costs in the samples from each on.
        let mut old_from = vec![0.0; last + 1];
        for sample in (tier..last).rev() {
            old_from[sample] = old_from[sample + 1] + self.cost(state, sample, old);
        }
        let (mut best, mut least) = (old, old_from[tier]);
        let mut consider = |function: u32| {
            let other = state.tiers.of[function as usize];
            if other > tier && !state.tiers.is_fixed[function as usize] {
                let of_function = cost(function, other) + old_from[other];
                if of_function < least - 1e-12 {
                    (best, least) = (function, of_function);
                }
            }
        };
        if all {
            (0..u32::try_from(self.rank.len()).unwrap_or(u32::MAX)).for_each(&mut consider);
        } else {
            self.some(old, rng).into_iter().for_each(&mut consider);
        }
        let to = if best == old { tier } else { state.tiers.of[best as usize] };
        for sample in tier..last {
            if sample < to {
                state.tables[sample].add(best);
                state.amounts[sample] += self.amount(best);
            } else {
                state.tables[sample].undo(old);
                state.amounts[sample] += self.amount(old);
            }
        }
        state.tiers.of[old as usize] = to;
        state.tiers.of[best as usize] = tier;
        state.objective += least - old_from[tier];
        let changed = (self.population.cells(old).len() + self.population.cells(best).len()) * (last - tier);
        *work = work.saturating_sub(seen + changed as u64 * REFRESH);
    }

    /// What the objective of a sample rises by with a function.
    fn cost(&self, state: &State<'_>, sample: usize, function: u32) -> f64 {
        let (amount, more) = (state.amounts[sample], self.amount(function));
        let rise = state.tables[sample].cost(function) + self.penalty(sample, amount + more);
        rise * self.factors[sample]
    }

    /// Functions of about the weight of `function`, and others.
    fn some(&self, function: u32, rng: &mut StreamRng) -> Vec<u32> {
        let rank = self.rank[function as usize] as usize;
        let reach = (rank / 3).max(TRIED);
        let (from, to) = (rank.saturating_sub(reach), (rank + reach + 1).min(self.weighty.len()));
        let mut some: Vec<u32> = (0..TRIED).map(|_| self.weighty[rng.random_range(from..to)]).collect();
        let any = |rng: &mut StreamRng| self.weighty[rng.random_range(0..self.weighty.len())];
        some.extend((0..TRIED_OF_ANY).map(|_| any(rng)));
        some
    }

    /// `tiers` with some functions exchanged for any others of later tiers.
    fn kicked(&self, tiers: &Tiers, rng: &mut StreamRng) -> Tiers {
        let mut kicked = tiers.clone();
        let is_free = |function: &u32| !tiers.is_fixed[*function as usize];
        let inside = |function: &u32| tiers.of[*function as usize] < tiers.samples;
        let free: Vec<u32> = self.weighty.iter().copied().filter(is_free).collect();
        let members: Vec<u32> = free.iter().copied().filter(inside).collect();
        for place in drawn(members.len(), KICKED, rng) {
            let member = members[place as usize] as usize;
            let other = free[rng.random_range(0..free.len())] as usize;
            kicked.of.swap(member, other);
        }
        kicked
    }
}
