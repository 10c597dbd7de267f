//! The search for a sample whose objective is small: from an even spread over the load, by exchanging functions.
//!
//! A step takes a function out and puts the one in that costs least, which may be the same. When that finds nothing any
//! more, some functions are exchanged at random, and the descent begins again from there; what is not better in the end is
//! given up. Work is counted, not timed, so that the same seed finds the same sample on any machine.

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

/// An amount that a sample is to have.
#[derive(Debug, Clone)]
pub(super) struct Aim {
    /// Of each function.
    pub(super) amounts: Vec<f64>,
    /// Of the sample.
    pub(super) wanted: f64,
    /// What the objective rises by when it has none of it.
    pub(super) weight: f64,
}

impl Aim {
    fn penalty(&self, amount: f64) -> f64 {
        (amount / self.wanted - 1.0).abs() * self.weight
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
    pub(super) aim: Option<Aim>,
    /// How many numbers may be looked at for one size.
    pub(super) work: u64,
}

/// A sample under change.
struct State<'a> {
    table: Table<'a>,
    members: Vec<u32>,
    is_member: Vec<bool>,
    amount: f64,
    objective: f64,
}

impl Search<'_> {
    /// A better sample than `start`, which has all of `fixed`, as far as exchanges of single functions go.
    pub(super) fn improved(&self, start: Vec<u32>, fixed: &[u32], rng: &mut StreamRng) -> Vec<u32> {
        let mut state = self.state(start);
        let mut work = self.work;
        self.descend(&mut state, &self.marks(fixed), &mut work, rng);
        state.members
    }

    /// The same, and from there further after random exchanges.
    pub(super) fn kicked_on(&self, start: Vec<u32>, fixed: &[u32], rng: &mut StreamRng) -> Vec<u32> {
        let is_fixed = self.marks(fixed);
        let mut work = self.work;
        let mut best = self.state(start);
        self.descend(&mut best, &is_fixed, &mut work, rng);
        let mut kicks = 0;
        while work > 0 && kicks < MOST_KICKS {
            let mut next = self.state(self.kicked(&best.members, &is_fixed, rng));
            self.descend(&mut next, &is_fixed, &mut work, rng);
            kicks += 1;
            if next.objective < best.objective * (1.0 - 1e-6) {
                (best, kicks) = (next, 0);
            }
        }
        best.members
    }

    fn marks(&self, functions: &[u32]) -> Vec<bool> {
        let mut marks = vec![false; self.population.len()];
        functions.iter().for_each(|&function| marks[function as usize] = true);
        marks
    }

    fn state(&self, members: Vec<u32>) -> State<'_> {
        let amount = members.iter().map(|&member| self.amount(member)).sum();
        State {
            table: Table::of(self.population, self.grid, members.len(), &members),
            is_member: self.marks(&members),
            objective: objective(self.population, self.grid, &members).sum() + self.penalty(amount),
            amount,
            members,
        }
    }

    fn amount(&self, function: u32) -> f64 {
        self.aim.as_ref().map_or(0.0, |aim| aim.amounts[function as usize])
    }

    fn penalty(&self, amount: f64) -> f64 {
        self.aim.as_ref().map_or(0.0, |aim| aim.penalty(amount))
    }

    /// Exchanges functions until a pass over all of them gains nothing.
    fn descend(&self, state: &mut State<'_>, is_fixed: &[bool], work: &mut u64, rng: &mut StreamRng) {
        loop {
            let before = state.objective;
            let mut places: Vec<usize> = (0..state.members.len()).collect();
            places.retain(|&place| {
                let member = state.members[place] as usize;
                !is_fixed[member] && (self.rank[member] as usize) < self.weighty.len()
            });
            shuffle(&mut places, rng);
            let all = self.all_can_be_tried(places.len());
            for place in places {
                if *work == 0 {
                    return;
                }
                self.exchange(state, place, all, work, rng);
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

    /// Takes the function at `place` out, and the best one in.
    fn exchange(&self, state: &mut State<'_>, place: usize, all: bool, work: &mut u64, rng: &mut StreamRng) {
        let old = state.members[place];
        state.table.remove_for_now(old);
        state.is_member[old as usize] = false;
        state.amount -= self.amount(old);
        let mut seen = 0;
        let mut cost = |function: u32| {
            seen += self.population.cells(function).len() as u64 + 1;
            state.table.cost(function) + self.penalty(state.amount + self.amount(function))
        };
        let of_old = cost(old);
        let (mut best, mut least) = (old, of_old);
        let mut consider = |function: u32| {
            if !state.is_member[function as usize] && function != old {
                let of_function = cost(function);
                if of_function < least - 1e-9 {
                    (best, least) = (function, of_function);
                }
            }
        };
        if all {
            (0..u32::try_from(self.rank.len()).unwrap_or(u32::MAX)).for_each(&mut consider);
        } else {
            self.some(old, rng).into_iter().for_each(&mut consider);
        }
        if best == old {
            state.table.undo(old);
        } else {
            state.table.add(best);
        }
        state.members[place] = best;
        state.is_member[best as usize] = true;
        state.amount += self.amount(best);
        state.objective += least - of_old;
        let changed = self.population.cells(old).len() + self.population.cells(best).len();
        *work = work.saturating_sub(seen + changed as u64 * REFRESH);
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

    /// `members` with some of those that are not fixed exchanged for any others.
    fn kicked(&self, members: &[u32], is_fixed: &[bool], rng: &mut StreamRng) -> Vec<u32> {
        let mut kicked = members.to_vec();
        let is_member = self.marks(members);
        let mut others: Vec<u32> = self.weighty.iter().copied().filter(|&other| !is_member[other as usize]).collect();
        let free: Vec<usize> = (0..kicked.len()).filter(|&place| !is_fixed[kicked[place] as usize]).collect();
        for place in drawn(free.len(), KICKED, rng) {
            if others.is_empty() {
                break;
            }
            let other = others.swap_remove(rng.random_range(0..others.len()));
            kicked[free[place as usize]] = other;
        }
        kicked
    }
}
