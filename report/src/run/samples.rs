//! What a run's smaller tables hold: slots, scales, samples of the cluster and of the loader's host, cold starts, events.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use super::{
    remark::Remark,
    table::{self, Row},
    track::Track,
};
use crate::aggregate::Distribution;

/// Most slots, nodes, functions and events that are kept.
const MOST: usize = 100_000;

/// One slot, as slots.csv has it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SlotFigures {
    /// Its number.
    pub slot: u32,
    /// `warmup` or `measure`.
    pub phase: String,
    /// When it began, Unix microseconds.
    pub start_unix_us: i64,
    /// How long it lasted, microseconds.
    pub duration_us: i64,
    /// The planned rate, invocations per second.
    pub rps: f64,
    /// Greatest memory that invocations in flight asked for together, MiB; absent in files of earlier versions.
    pub memory_peak_mib: Option<f64>,
}

/// The samples of one node.
#[derive(Debug, Clone, Default)]
pub struct NodeSeries {
    /// `control-plane` or `worker`.
    pub role: String,
    /// CPU and memory in use, as shares of what the node can allocate; CPU requests of its pods in millicores, and CPU in use.
    pub usage: Track<4>,
}

/// The stages of a cold start, in order, with the columns in which each begins and ends.
pub const STAGES: [(&str, &str, &str); 5] = [
    ("decision to pod", "desired_unix_us", "created_unix_us"),
    ("scheduling", "created_unix_us", "scheduled_unix_us"),
    ("image and sandbox", "scheduled_unix_us", "started_unix_us"),
    ("start of the container", "started_unix_us", "ready_unix_us"),
    ("first response", "ready_unix_us", "first_reply_unix_us"),
];

/// The cold starts of a run, by stage.
#[derive(Debug, Clone, Default)]
pub struct ColdStarts {
    /// Pods that were created.
    pub pods: u64,
    /// By stage of [`STAGES`]: how long it took, microseconds.
    pub stages: [Distribution; STAGES.len()],
    /// By function: sum and number of each stage, microseconds.
    pub functions: BTreeMap<String, [(f64, u64); STAGES.len()]>,
    /// By pod that got ready: microseconds since the first one was created.
    pub ready: Distribution,
}

/// A disturbance of the platform, carried out or undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, Unix microseconds.
    pub unix_us: i64,
    /// What was done to what, and how it came out.
    pub text: String,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Samples {
    /// Slots, in order.
    pub slots: Vec<SlotFigures>,
    /// Instances of all functions: desired, running, pending, and invocations that wait for one.
    pub instances: Track<4>,
    /// The loader's host: CPU of the daemon and of all processes as shares of all cores, invocations in flight, MiB of the daemon.
    pub host: Track<4>,
    /// Nodes by name.
    pub nodes: BTreeMap<String, NodeSeries>,
    /// CPU in millicores and memory in MiB of all pods of the run.
    pub pods: Track<2>,
    /// The autoscaler: desired and running pods, its activator's queue, panic concurrency.
    pub autoscaler: Track<4>,
    /// Cold starts by stage.
    pub cold_starts: ColdStarts,
    /// Disturbances.
    pub events: Vec<Event>,
}

impl Samples {
    /// Reads them; what is wrong with them goes to `remarks`.
    pub(super) fn read(directory: &Path, remarks: &mut Vec<Remark>) -> Self {
        let mut samples = Self::default();
        table::each(directory, "slots.csv", remarks, |row| samples.slot(row));
        let mut scales = Scales::default();
        table::each(directory, "scales.csv", remarks, |row| scales.add(row, &mut samples.instances));
        table::each(directory, "loader.csv", remarks, |row| {
            let columns = ["cpu_ratio", "host_cpu_ratio", "in_flight", "rss_mib"];
            put(&mut samples.host, row, columns);
        });
        table::each(directory, "nodes.csv", remarks, |row| samples.node(row));
        let mut pods = Pods::default();
        table::each(directory, "pods.csv", remarks, |row| pods.add(row, &mut samples.pods));
        pods.finish(&mut samples.pods);
        table::each(directory, "autoscaler.csv", remarks, |row| {
            let columns = ["desired_pods", "running_pods", "activator_queue", "panic_concurrency"];
            put(&mut samples.autoscaler, row, columns);
        });
        samples.cold_starts = cold_starts(directory, remarks);
        table::each(directory, "events.csv", remarks, |row| samples.event(row));
        samples
    }

    fn slot(&mut self, row: &Row<'_>) {
        let (Some(slot), Some(start)) = (row.integer("slot"), row.integer("start_unix_us")) else { return };
        if self.slots.len() >= MOST {
            return;
        }
        self.slots.push(SlotFigures {
            slot: u32::try_from(slot).unwrap_or_default(),
            phase: row.text("phase").unwrap_or_default().to_owned(),
            start_unix_us: start,
            duration_us: row.integer("duration_us").unwrap_or_default(),
            rps: row.number("rps").unwrap_or_default(),
            memory_peak_mib: row.number("memory_peak_mib"),
        });
    }

    fn node(&mut self, row: &Row<'_>) {
        let Some(name) = row.text("node") else { return };
        if self.nodes.len() >= MOST {
            return;
        }
        let node = self.nodes.entry(name.to_owned()).or_default();
        row.text("role").unwrap_or_default().clone_into(&mut node.role);
        put(&mut node.usage, row, ["cpu_ratio", "memory_ratio", "cpu_requests_millicores", "cpu_millicores"]);
    }

    fn event(&mut self, row: &Row<'_>) {
        // What was not done is no event; one that failed is.
        let tried = || row.integer("due_unix_us").filter(|_| row.text("outcome") == Some("failed"));
        let Some(unix_us) = row.integer("done_unix_us").or_else(tried) else { return };
        if self.events.len() >= MOST {
            return;
        }
        let words = ["stage", "action", "target"].map(|column| row.text(column).unwrap_or_default());
        let failed = row.text("outcome").filter(|outcome| *outcome != "ok").map(|outcome| format!("({outcome})"));
        let words = words.into_iter().filter(|word| !word.is_empty()).map(str::to_owned).chain(failed);
        self.events.push(Event { unix_us, text: words.collect::<Vec<_>>().join(" ") });
    }
}

/// Takes a sample, column by column.
fn put<const N: usize>(track: &mut Track<N>, row: &Row<'_>, columns: [&str; N]) {
    if let Some(at) = row.integer("unix_us") {
        track.put(at, columns.map(|column| row.number(column)));
    }
}

/// The last known scale of each function, and their sums.
#[derive(Default)]
struct Scales {
    functions: HashMap<String, [f64; 4]>,
    sums: [f64; 4],
}

impl Scales {
    fn add(&mut self, row: &Row<'_>, instances: &mut Track<4>) {
        let (Some(at), Some(function)) = (row.integer("unix_us"), row.text("function")) else { return };
        let now = ["desired", "running", "pending", "queue"].map(|column| row.number(column).unwrap_or_default());
        let before = match self.functions.get_mut(function) {
            Some(known) => std::mem::replace(known, now),
            None => self.functions.insert(function.to_owned(), now).unwrap_or_default(),
        };
        for ((sum, now), before) in self.sums.iter_mut().zip(now).zip(before) {
            *sum += now - before;
        }
        instances.put(at, self.sums.map(Some));
    }
}

/// The pods of one sample, which all have its instant.
#[derive(Default)]
struct Pods {
    at: Option<i64>,
    sums: [Option<f64>; 2],
}

impl Pods {
    fn add(&mut self, row: &Row<'_>, pods: &mut Track<2>) {
        let Some(at) = row.integer("unix_us") else { return };
        if self.at != Some(at) {
            self.finish(pods);
            *self = Self { at: Some(at), sums: [None; 2] };
        }
        for (sum, column) in self.sums.iter_mut().zip(["cpu_millicores", "memory_mib"]) {
            if let Some(value) = row.number(column) {
                *sum = Some(sum.unwrap_or_default() + value);
            }
        }
    }

    fn finish(&self, pods: &mut Track<2>) {
        if let Some(at) = self.at {
            pods.put(at, self.sums);
        }
    }
}

fn cold_starts(directory: &Path, remarks: &mut Vec<Remark>) -> ColdStarts {
    let (mut found, mut first, mut ready) = (ColdStarts::default(), i64::MAX, Vec::new());
    table::each(directory, "cold_starts.csv", remarks, |row| {
        found.pods += 1;
        first = row.integer("created_unix_us").map_or(first, |created| first.min(created));
        ready.extend(row.integer("ready_unix_us").filter(|_| ready.len() < MOST));
        let mut stages = [None; STAGES.len()];
        for (stage, (_, begin, end)) in stages.iter_mut().zip(STAGES) {
            let length = row.integer(end).zip(row.integer(begin)).map(|(end, begin)| end - begin);
            *stage = length.and_then(|length| u64::try_from(length).ok());
        }
        let function = row.text("function").unwrap_or_default();
        let known = found.functions.len();
        let sums = match found.functions.get_mut(function) {
            Some(sums) => Some(sums),
            None if known < MOST => Some(found.functions.entry(function.to_owned()).or_default()),
            None => None,
        };
        let mut sums = sums;
        for (place, length) in stages.into_iter().enumerate().filter_map(|(place, stage)| Some((place, stage?))) {
            found.stages[place].add(length);
            if let Some(sums) = &mut sums {
                sums[place].0 += length as f64;
                sums[place].1 += 1;
            }
        }
    });
    found.stages.iter_mut().for_each(Distribution::sort);
    found.ready = ready.into_iter().filter_map(|at: i64| u64::try_from(at - first).ok()).collect();
    found
}
