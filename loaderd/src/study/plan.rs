//! A whole study, checked: its cells, its runs in their order, and the spec of each.

use std::collections::{BTreeMap, HashMap};

use loader_proto::{json::Fault, v1};

use super::{Axis, Cell, PlannedRun, Seeds, Settings, StudyRun, axes, base::Base, cells, order};
use crate::{
    plan,
    spec::{Check, DEFAULT_SEED, Defaults, Violation},
    units,
};

/// Most bytes of the specs of all runs together.
const MOST_BYTES: usize = 256 << 20;

/// A whole study, checked.
#[derive(Debug, Clone)]
pub struct StudyPlan {
    /// What it says of all of its runs.
    pub settings: Settings,
    /// What varies.
    pub axes: Vec<Axis>,
    /// The combinations of values.
    pub cells: Vec<Cell>,
    /// The runs, in the order in which they are made.
    pub runs: Vec<PlannedRun>,
    /// What cells are compared with: axes, each with the number of its value.
    baseline: Vec<(usize, u32)>,
    base: Base,
    /// Of each cell: the seed of its first run.
    seeds: Vec<u64>,
}

impl StudyPlan {
    /// Reads a study; `defaults` are those of its runs.
    ///
    /// # Errors
    /// Every fault, by field: of the study itself, or else of the specs of its cells.
    pub fn of(message: &v1::StudySpec, defaults: &Defaults) -> Result<Self, Vec<Violation>> {
        let mut check = Check::default();
        let base = Base::read(&mut check, message.base.as_ref());
        // Where there is none, the axes are checked on their own.
        let of_axes = base.clone().unwrap_or_default();
        let axes = axes::read(&mut check, &message.vary, &of_axes);
        let varies_seed = axes.iter().flatten().any(|axis| axis.field.to_string() == "seed");
        let settings = Settings::read(&mut check, message, varies_seed);
        let cells = axes.as_ref().zip(settings.as_ref()).and_then(|(axes, settings)| {
            cells::combine(&mut check, axes, settings.combine, &message.exclude, settings.repeats)
        });
        let baseline = axes.as_ref().and_then(|axes| cells::positions(&mut check, "baseline", &message.baseline, axes));
        let all = base.zip(axes).zip(settings).zip(cells).zip(baseline);
        let read = all.map(|((((base, axes), settings), cells), baseline)| {
            let runs = order::runs(units::to_u32(cells.len()), settings.repeats, settings.order, settings.seed);
            Self { settings, axes, cells, runs, baseline, base, seeds: Vec::new() }
        });
        let mut study = check.finish(read)?;
        study.check_size(message)?;
        let mut check = Check::default();
        study.seeds = study.check_cells(&mut check, defaults);
        check.finish(Some(study))
    }

    /// The spec of a run.
    pub fn spec(&self, run: PlannedRun) -> v1::RunSpec {
        let fields = self.cells.get(run.cell as usize).into_iter().flat_map(|cell| cell.fields(&self.axes));
        // Without faults: each cell was checked.
        let (mut spec, _) = self.base.with(fields);
        if spec.name.is_empty() {
            spec.name.clone_from(&self.settings.name);
        }
        if self.settings.seeds == Seeds::PerRepeat {
            spec.seed = Some(self.seed(run));
        }
        spec
    }

    /// The seed of a run.
    pub fn seed(&self, run: PlannedRun) -> u64 {
        let of_cell = self.seeds.get(run.cell as usize).copied().unwrap_or(DEFAULT_SEED);
        match self.settings.seeds {
            Seeds::Same => of_cell,
            Seeds::PerRepeat => of_cell.wrapping_add(run.repeat.into()),
        }
    }

    /// What cells are compared with: axes and values as they are called; empty where the study does not say.
    pub fn baseline(&self) -> BTreeMap<String, String> {
        let named = self.baseline.iter().filter_map(|&(axis, value)| {
            let axis = self.axes.get(axis)?;
            Some((axis.label.clone(), axis.labels.get(value as usize)?.clone()))
        });
        named.collect()
    }

    /// The runs, as they are written down before any is made.
    pub fn unmade(&self) -> Vec<StudyRun> {
        self.runs.iter().map(|&run| StudyRun::new(run, self.seed(run))).collect()
    }

    /// Checks that the specs of all runs together are not too large to be checked in a reasonable time.
    fn check_size(&self, message: &v1::StudySpec) -> Result<(), Vec<Violation>> {
        let base = message.base.as_ref().map_or(0, prost::Message::encoded_len);
        let longest = self.axes.iter().filter_map(|axis| axis.values.iter().map(String::len).max());
        let (bytes, runs) = (base + longest.sum::<usize>(), self.runs.len());
        if bytes.saturating_mul(runs) <= MOST_BYTES {
            return Ok(());
        }
        let description =
            format!("has specs of up to {bytes} bytes in {runs} runs; must be at most {MOST_BYTES} in all");
        Err(vec![Violation::new("study", description)])
    }

    /// Checks each run that has a spec of its own, which `check_run` is given with the number of runs that share it. A fault of several
    /// runs is reported once.
    ///
    /// # Errors
    /// Every fault, by field.
    pub fn check_runs(
        &self,
        mut check_run: impl FnMut(&v1::RunSpec, u32) -> Result<(), Vec<Violation>>,
    ) -> Result<(), Vec<Violation>> {
        let (repeats, each) = match self.settings.seeds {
            Seeds::Same => (1, self.settings.repeats),
            Seeds::PerRepeat => (self.settings.repeats, 1),
        };
        let mut faults = Faults::default();
        for run in self.runs.iter().filter(|run| run.repeat < repeats) {
            let Some(cell) = self.cells.get(run.cell as usize) else { continue };
            for fault in check_run(&self.spec(*run), each).err().unwrap_or_default() {
                faults.add(self.place(cell, &fault.field, fault.description), cell);
            }
        }
        let mut check = Check::default();
        faults.report(&mut check, self, ("runs", self.cells.len() * repeats as usize));
        check.finish(Some(()))
    }

    /// Checks the spec of each cell; returns their seeds.
    fn check_cells(&self, check: &mut Check, defaults: &Defaults) -> Vec<u64> {
        let (mut faults, mut seeds) = (Faults::default(), Vec::with_capacity(self.cells.len()));
        for cell in &self.cells {
            let (spec, unread) = self.base.with(cell.fields(&self.axes));
            seeds.push(spec.seed.unwrap_or(DEFAULT_SEED));
            let unread = unread.into_iter().map(|Fault { field, description }| (field, description));
            let invalid = plan::validate(&spec, defaults).err().unwrap_or_default().into_iter();
            let invalid = invalid.filter(|it| it.unnamed() == 0).map(|it| (it.field, it.description));
            for (field, description) in unread.chain(invalid) {
                faults.add(self.place(cell, &field, description), cell);
            }
        }
        faults.report(check, self, ("cells", self.cells.len()));
        seeds
    }

    /// Where a fault of a cell's spec is in the study: in the value of an axis, or in the base.
    fn place(&self, cell: &Cell, field: &str, description: String) -> (String, String) {
        let is_within = |axis: &Axis| {
            field
                .strip_prefix(&axis.field.to_string())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        match self.axes.iter().position(is_within) {
            Some(axis) => {
                let value = cell.values.get(axis).copied().unwrap_or_default();
                (format!("vary[{axis}].values[{value}]"), format!("{field}: {description}"))
            }
            None => (format!("base.{field}"), description),
        }
    }
}

/// The faults of several specs, each once.
#[derive(Default)]
struct Faults<'a> {
    /// Positions in the list, by field and description.
    known: HashMap<(String, String), usize>,
    /// Each fault with the first cell that has it, and how many specs have it.
    found: Vec<((String, String), &'a Cell, usize)>,
}

impl<'a> Faults<'a> {
    fn add(&mut self, fault: (String, String), cell: &'a Cell) {
        let known = *self.known.entry(fault.clone()).or_insert(self.found.len());
        match self.found.get_mut(known) {
            Some((.., count)) => *count += 1,
            None => self.found.push((fault, cell, 1)),
        }
    }

    /// Adds each to `check`, with the cells or runs that have it, of which there are `all`.
    fn report(self, check: &mut Check, study: &StudyPlan, (what, all): (&str, usize)) {
        for ((field, description), cell, count) in self.found {
            let first = cell.label(&study.axes);
            let specs = match count {
                _ if all == 1 => String::new(),
                count if count == all => format!(" (in all {all} {what})"),
                _ if first.is_empty() => format!(" (in {count} of {all} {what})"),
                1 if what == "cells" => format!(" (in the cell {first})"),
                count => format!(" (in {count} of {all} {what}, first {first})"),
            };
            check.fault(field, description + &specs);
        }
    }
}
