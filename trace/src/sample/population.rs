//! The functions of a trace as the sampler sees them: what each does in the units in which it is invoked.

use std::ops::Range;

use rand::RngExt;

use super::SampleError;
use crate::describe::FunctionFigures;
use crate::random::StreamRng;
use crate::trace::Trace;

/// Brings resource values to the size of counts: a thousand invocations of 10 ms with 100 MB are one. It is InVitro's.
pub(super) const RESOURCE_NORM: f64 = 1e6;
/// Memory of functions of which none is known, in MiB, as a replay takes it.
const UNKNOWN_MEMORY_MIB: f64 = 200.0;

/// All functions, with their cells: a cell is a unit in which a function is invoked.
#[derive(Debug)]
pub(super) struct Population {
    /// How many units the trace has.
    pub(super) units: usize,
    /// What a unit lasts, in seconds.
    pub(super) unit_s: f64,
    pub(super) figures: Vec<FunctionFigures>,
    /// Mean run time of each function, in milliseconds.
    pub(super) runtime_ms: Vec<f64>,
    /// Mean memory of each function, in MiB.
    pub(super) memory_mib: Vec<f64>,
    /// How many functions have no memory of their own.
    pub(super) assumed_memory: usize,
    /// Where the cells of each function begin, and where the last one's end.
    starts: Vec<usize>,
    unit: Vec<u32>,
    count: Vec<u32>,
}

/// A cell, as units list them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Active {
    pub(super) function: u32,
    pub(super) count: u32,
    /// The number of the cell.
    pub(super) cell: usize,
}

impl Population {
    pub(super) fn of(trace: &Trace) -> Result<Self, SampleError> {
        let figures: Vec<FunctionFigures> = trace.functions.iter().map(FunctionFigures::of).collect();
        let lacking = figures.iter().filter(|figures| figures.runtime_ms.is_none()).count();
        if lacking > 0 {
            return Err(SampleError::NoRuntimes { lacking, functions: figures.len() });
        }
        let (mut starts, mut unit, mut count) = (vec![0], Vec::new(), Vec::new());
        for function in &trace.functions {
            function.load.each_active(|at, invocations| {
                unit.push(u32::try_from(at).unwrap_or(u32::MAX));
                count.push(invocations);
            });
            starts.push(unit.len());
        }
        Ok(Self {
            units: trace.units,
            unit_s: trace.unit.as_secs_f64(),
            runtime_ms: figures.iter().map(|figures| figures.runtime_ms.unwrap_or_default()).collect(),
            memory_mib: figures.iter().map(|figures| figures.memory_mib.unwrap_or(UNKNOWN_MEMORY_MIB)).collect(),
            assumed_memory: figures.iter().filter(|figures| figures.memory_mib.is_none()).count(),
            figures,
            starts,
            unit,
            count,
        })
    }

    /// The same functions with the cells of every `stride`th unit, or near it: of each run of so many units one, so that no
    /// rhythm of the trace is in step.
    pub(super) fn every(&self, stride: usize, rng: &mut StreamRng) -> Self {
        let stride = stride.max(1);
        let runs = self.units / stride;
        let kept: Vec<usize> = (0..runs).map(|run| run * stride + rng.random_range(0..stride)).collect();
        let (mut starts, mut unit, mut count) = (vec![0], Vec::new(), Vec::new());
        for function in 0..self.len() {
            for cell in self.starts[function]..self.starts[function + 1] {
                let run = self.unit[cell] as usize / stride;
                if kept.get(run) == Some(&(self.unit[cell] as usize)) {
                    unit.push(u32::try_from(run).unwrap_or(u32::MAX));
                    count.push(self.count[cell]);
                }
            }
            starts.push(unit.len());
        }
        Self {
            units: runs,
            unit_s: self.unit_s,
            figures: self.figures.clone(),
            runtime_ms: self.runtime_ms.clone(),
            memory_mib: self.memory_mib.clone(),
            assumed_memory: self.assumed_memory,
            starts,
            unit,
            count,
        }
    }

    /// How many functions there are.
    pub(super) fn len(&self) -> usize {
        self.figures.len()
    }

    /// How many cells there are.
    pub(super) fn all_cells(&self) -> usize {
        self.unit.len()
    }

    /// The numbers of a function's cells.
    pub(super) fn cells(&self, function: u32) -> Range<usize> {
        let function = function as usize;
        self.starts[function]..self.starts[function + 1]
    }

    /// The units of these cells.
    pub(super) fn units_of(&self, cells: Range<usize>) -> &[u32] {
        &self.unit[cells]
    }

    /// A function's units with its invocations in them.
    pub(super) fn active(&self, function: u32) -> impl Iterator<Item = (usize, u32)> {
        let cells = self.cells(function);
        self.unit[cells.clone()].iter().map(|&unit| unit as usize).zip(self.count[cells].iter().copied())
    }

    /// What an invocation of a function takes: run time times memory, normalised.
    pub(super) fn resource(&self, function: u32) -> f64 {
        let function = function as usize;
        self.runtime_ms[function] * self.memory_mib[function] / RESOURCE_NORM
    }

    /// Hands each unit of `units` to `each`, with its cells by function. Units are taken some at a time, for each of which
    /// all functions are gone through once.
    pub(super) fn each_unit(&self, units: Range<usize>, mut each: impl FnMut(usize, &[Active])) {
        const AT_ONCE: usize = 64;
        let mut next: Vec<usize> = (0..self.len())
            .map(|function| {
                let cells = self.starts[function]..self.starts[function + 1];
                cells.start + self.unit[cells].partition_point(|&unit| (unit as usize) < units.start)
            })
            .collect();
        let mut lists: Vec<Vec<Active>> = vec![Vec::new(); AT_ONCE];
        let mut begin = units.start;
        while begin < units.end {
            let end = (begin + AT_ONCE).min(units.end);
            lists.iter_mut().for_each(Vec::clear);
            for (function, next) in (0_u32..).zip(&mut next) {
                let last = self.starts[function as usize + 1];
                while *next < last && (self.unit[*next] as usize) < end {
                    let (unit, count) = (self.unit[*next] as usize, self.count[*next]);
                    lists[unit - begin].push(Active { function, count, cell: *next });
                    *next += 1;
                }
            }
            (begin..end).zip(&lists).for_each(|(unit, list)| each(unit, list));
            begin = end;
        }
    }
}
