//! `_cluster_usage_`: nodes, pods and the loader, one JSON object a sample of the nodes.

use std::{iter::Peekable, path::Path};

use loader_proto::schema::{HostRecord, NodeRecord, PodRecord};
use serde::Serialize;

use super::tables::rows;
use crate::results::piece::ExportError;

/// A node that uses less of its CPU, in percent, is not an active one there.
const ACTIVE: f64 = 5.0;

/// Bytes of a MiB.
const MIB: f64 = 1_048_576.0;

/// An object; what is not known is null. CPU is in cores, memory in bytes, shares in percent; usage is written as Kubernetes
/// writes quantities.
#[derive(Debug, Default, Serialize)]
pub(super) struct ClusterUsage {
    timestamp: i64,
    master_cpu_pct: Option<f64>,
    master_cpu_req: Option<f64>,
    master_cpu_lim: Option<f64>,
    master_mem_pct: Option<f64>,
    master_mem_req: Option<f64>,
    master_mem_lim: Option<f64>,
    master_pods: Option<u32>,
    cpu: Vec<String>,
    cpu_req: Vec<Option<f64>>,
    cpu_lim: Vec<Option<f64>>,
    cpu_pct_avg: Option<f64>,
    cpu_pct_max: Option<f64>,
    cpu_pct_active_avg: Option<f64>,
    memory: Vec<String>,
    memory_req: Vec<Option<f64>>,
    memory_lim: Vec<Option<f64>>,
    memory_pct: Option<f64>,
    pod_cpu: Vec<String>,
    pod_mem: Vec<String>,
    pods: Vec<Option<u32>>,
    loader_cpu: Option<f64>,
    /// Its share of the host's memory, which no sample has.
    loader_mem: Option<f64>,
}

/// The objects of a run, one by one: each sample of the nodes with the nearest ones of pods and loader.
pub(super) fn cluster_usages(
    directory: &Path,
) -> Result<impl Iterator<Item = Result<ClusterUsage, ExportError>> + use<>, ExportError> {
    let mut nodes = samples(rows::<NodeRecord<'static>>(directory)?, |node| node.unix_us);
    let mut pods = Nearest::new(samples(rows::<PodRecord<'static>>(directory)?, |pod| pod.unix_us));
    let mut hosts = Nearest::new(samples(rows::<HostRecord>(directory)?, |host| host.unix_us));
    Ok(std::iter::from_fn(move || {
        let sample = match nodes.next()? {
            Ok(sample) => sample,
            Err(error) => return Some(Err(error)),
        };
        let at = sample.at;
        let found = pods.at(at).and_then(|pods| Ok((pods, hosts.at(at)?)));
        Some(found.map(|(pods, host)| usage(&sample, pods, host.and_then(<[HostRecord]>::first))))
    }))
}

/// The rows of one instant.
struct Sample<R> {
    at: i64,
    rows: Vec<R>,
}

/// Rows, in samples.
fn samples<R>(
    rows: impl Iterator<Item = Result<R, ExportError>>,
    at: impl Fn(&R) -> i64,
) -> impl Iterator<Item = Result<Sample<R>, ExportError>> {
    let mut rows = rows.peekable();
    std::iter::from_fn(move || {
        let first = match rows.next()? {
            Ok(row) => row,
            Err(error) => return Some(Err(error)),
        };
        let mut sample = Sample { at: at(&first), rows: vec![first] };
        while let Some(Ok(row)) = rows.next_if(|row| row.as_ref().is_ok_and(|row| at(row) == sample.at)) {
            sample.rows.push(row);
        }
        Some(Ok(sample))
    })
}

/// Samples of another clock, of which the nearest is taken.
struct Nearest<R, I: Iterator<Item = Result<Sample<R>, ExportError>>> {
    later: Peekable<I>,
    current: Option<Sample<R>>,
}

impl<R, I: Iterator<Item = Result<Sample<R>, ExportError>>> Nearest<R, I> {
    fn new(samples: I) -> Self {
        Self { later: samples.peekable(), current: None }
    }

    /// The rows of the sample that is nearest to an instant, which is not before the last one that was asked for.
    fn at(&mut self, at: i64) -> Result<Option<&[R]>, ExportError> {
        let current = |current: &Option<Sample<R>>| current.as_ref().map_or(u64::MAX, |sample| sample.at.abs_diff(at));
        while let Some(next) = self.later.next_if(|next| {
            next.as_ref().map_or(true, |next: &Sample<R>| next.at.abs_diff(at) <= current(&self.current))
        }) {
            self.current = Some(next?);
        }
        Ok(self.current.as_ref().map(|sample| sample.rows.as_slice()))
    }
}

fn usage(sample: &Sample<NodeRecord<'_>>, pods: Option<&[PodRecord<'_>]>, host: Option<&HostRecord>) -> ClusterUsage {
    let nodes = &sample.rows;
    let cpu_pct: Vec<_> = nodes.iter().filter_map(|node| node.cpu_ratio).map(|ratio| percent(ratio.0)).collect();
    let active = nodes.iter().filter_map(|node| Some((percent(node.cpu_ratio?.0), percent(node.memory_ratio?.0))));
    let (active_cpu, active_mem): (Vec<_>, Vec<_>) = active.filter(|(cpu, _)| *cpu >= ACTIVE).unzip();
    let used = pods.into_iter().flatten().filter_map(|pod| Some((pod.cpu_millicores?.0, pod.memory_mib?.0)));
    let (pod_cpu, pod_mem) = used.map(|(cpu, memory)| (format!("{cpu:.0}m"), format!("{memory:.0}Mi"))).unzip();
    let mut usage = ClusterUsage {
        timestamp: sample.at,
        cpu_pct_avg: mean(&cpu_pct),
        cpu_pct_max: cpu_pct.iter().copied().reduce(f64::max),
        cpu_pct_active_avg: mean(&active_cpu),
        memory_pct: mean(&active_mem),
        pod_cpu,
        pod_mem,
        loader_cpu: host.and_then(|host| host.cpu_ratio).map(|ratio| percent(ratio.0)),
        ..ClusterUsage::default()
    };
    for node in nodes {
        usage.cpu.push(node.cpu_millicores.map_or_else(String::new, |millis| format!("{:.0}n", millis.0 * 1e6)));
        usage.memory.push(node.memory_mib.map_or_else(String::new, |mib| format!("{:.0}Ki", mib.0 * 1024.0)));
        usage.cpu_req.push(node.cpu_requests_millicores.map(|millis| millis.0 / 1e3));
        usage.cpu_lim.push(node.cpu_limits_millicores.map(|millis| millis.0 / 1e3));
        usage.memory_req.push(node.memory_requests_mib.map(|mib| mib.0 * MIB));
        usage.memory_lim.push(node.memory_limits_mib.map(|mib| mib.0 * MIB));
        usage.pods.push(node.pods);
    }
    // Without a node of this role, the first one, as there.
    let master = nodes.iter().position(|node| node.role == "control-plane").unwrap_or_default();
    let of_master = |values: &[Option<f64>]| values.get(master).copied().flatten();
    usage.master_cpu_req = of_master(&usage.cpu_req);
    usage.master_cpu_lim = of_master(&usage.cpu_lim);
    usage.master_mem_req = of_master(&usage.memory_req);
    usage.master_mem_lim = of_master(&usage.memory_lim);
    usage.master_pods = usage.pods.get(master).copied().flatten();
    if let Some(node) = nodes.get(master) {
        usage.master_cpu_pct = node.cpu_ratio.map(|ratio| percent(ratio.0));
        usage.master_mem_pct = node.memory_ratio.map(|ratio| percent(ratio.0));
    }
    usage
}

/// A share in percent, without the digits that a sample does not have.
fn percent(ratio: f64) -> f64 {
    (ratio * 1e4).round() / 100.0
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
