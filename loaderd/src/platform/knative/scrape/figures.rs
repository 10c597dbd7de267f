//! The figures that the sources give, read from their responses.

use std::collections::HashMap;

use serde::Deserialize;

use super::super::quantity::amount;
use crate::scrape::points;

const MIB: f64 = 1_048_576.0;

/// The usage of a node or pod.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Used {
    pub(super) cpu_millicores: Option<f64>,
    pub(super) memory_mib: Option<f64>,
}

/// The usage of all: nodes by name, pods by namespace and name.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct InUse {
    pub(super) nodes: HashMap<String, Used>,
    pub(super) pods: HashMap<(String, String), Used>,
}

/// A counter of CPU time in seconds, and its time in Unix milliseconds.
pub(super) type Counter = (f64, i64);

/// A list of `metrics.k8s.io/v1beta1` (not recorded: the shapes are those of its published API).
#[derive(Deserialize)]
pub(super) struct MetricsList {
    items: Vec<Metrics>,
}

#[derive(Deserialize)]
struct Metrics {
    metadata: Named,
    usage: Option<Amounts>,
    #[serde(default)]
    containers: Vec<ContainerMetrics>,
}

#[derive(Deserialize)]
struct ContainerMetrics {
    usage: Amounts,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(default)]
    namespace: String,
}

#[derive(Deserialize)]
struct Amounts {
    cpu: String,
    memory: String,
}

impl Amounts {
    fn used(&self) -> Used {
        Used {
            cpu_millicores: amount(&self.cpu).map(|cores| cores * 1000.0),
            memory_mib: amount(&self.memory).map(|bytes| bytes / MIB),
        }
    }
}

/// The sum, if both are known.
fn plus(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    Some(a? + b?)
}

pub(super) fn of_metrics_server(nodes: MetricsList, pods: MetricsList) -> InUse {
    let node = |it: Metrics| (it.metadata.name, it.usage.as_ref().map(Amounts::used).unwrap_or_default());
    let pod = |it: Metrics| {
        let zero = Used { cpu_millicores: Some(0.0), memory_mib: Some(0.0) };
        let used = it.containers.iter().map(|container| container.usage.used()).fold(zero, |sum, used| Used {
            cpu_millicores: plus(sum.cpu_millicores, used.cpu_millicores),
            memory_mib: plus(sum.memory_mib, used.memory_mib),
        });
        ((it.metadata.namespace, it.metadata.name), used)
    };
    InUse { nodes: nodes.items.into_iter().map(node).collect(), pods: pods.items.into_iter().map(pod).collect() }
}

#[derive(Deserialize)]
struct Summary {
    node: SummaryOf,
    #[serde(default)]
    pods: Vec<SummaryPod>,
}

#[derive(Deserialize, Default)]
struct SummaryOf {
    cpu: Option<SummaryCpu>,
    memory: Option<SummaryMemory>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SummaryPod {
    pod_ref: Named,
    #[serde(flatten)]
    of: SummaryOf,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SummaryCpu {
    usage_nano_cores: Option<f64>,
    usage_core_nano_seconds: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SummaryMemory {
    working_set_bytes: Option<f64>,
}

impl SummaryOf {
    /// A kubelet that has no sample of a new pod writes zeros. Nothing that runs takes no memory, nor has taken no CPU since its start.
    fn used(&self) -> Used {
        let is_zero = |value: Option<f64>| value == Some(0.0);
        if is_zero(self.memory.as_ref().and_then(|memory| memory.working_set_bytes))
            || is_zero(self.cpu.as_ref().and_then(|cpu| cpu.usage_core_nano_seconds))
        {
            return Used::default();
        }
        Used {
            cpu_millicores: self.cpu.as_ref().and_then(|cpu| cpu.usage_nano_cores).map(|nano| nano / 1e6),
            memory_mib: self.memory.as_ref().and_then(|memory| memory.working_set_bytes).map(|bytes| bytes / MIB),
        }
    }
}

/// kubelet-stats-summary.under-load.json.
pub(super) fn read_summary(node: &str, text: &str, used: &mut InUse) -> Result<(), serde_json::Error> {
    let summary: Summary = serde_json::from_str(text)?;
    used.nodes.insert(node.to_owned(), summary.node.used());
    for SummaryPod { pod_ref, of } in summary.pods {
        used.pods.insert((pod_ref.namespace, pod_ref.name), of.used());
    }
    Ok(())
}

/// kubelet-resource.under-load.prom: counters, of which CPU in use is the difference to the scrape before.
pub(super) fn read_resource(
    node: &str,
    text: &str,
    before: &HashMap<(String, String), Counter>,
    now: &mut HashMap<(String, String), Counter>,
    used: &mut InUse,
) {
    for point in points(text) {
        let pod = || (point.label("namespace").to_owned(), point.label("pod").to_owned());
        let (key, is_cpu) = match point.name {
            "node_cpu_usage_seconds_total" => ((String::new(), node.to_owned()), true),
            "node_memory_working_set_bytes" => ((String::new(), node.to_owned()), false),
            "pod_cpu_usage_seconds_total" => (pod(), true),
            "pod_memory_working_set_bytes" => (pod(), false),
            _ => continue,
        };
        let entry = if key.0.is_empty() {
            used.nodes.entry(key.1.clone()).or_default()
        } else {
            used.pods.entry(key.clone()).or_default()
        };
        if is_cpu {
            let counter = (point.value, point.unix_ms.unwrap_or_default());
            entry.cpu_millicores = before.get(&key).and_then(|before| rate(*before, counter));
            now.insert(key, counter);
        } else {
            // Zero: no sample yet.
            entry.memory_mib = Some(point.value / MIB).filter(|mib| *mib > 0.0);
        }
    }
}

/// Millicores between two counters; absent where no time has passed, or the counter was reset.
fn rate((before, then): Counter, (value, now): Counter) -> Option<f64> {
    let milliseconds = u32::try_from(now.checked_sub(then)?).ok().filter(|passed| *passed > 0)?;
    // Seconds of CPU in milliseconds: a thousand times a thousand millicores.
    (value >= before).then(|| (value - before) * 1e6 / f64::from(milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(cpu: f64, memory: f64) -> Used {
        Used { cpu_millicores: Some(cpu), memory_mib: Some(memory) }
    }

    /// Figures of the recorded summary.
    #[test]
    fn a_summary_gives_what_is_in_use() {
        let text = r#"{"node": {"nodeName": "node1", "cpu": {"usageNanoCores": 1261805354}, "memory": {"workingSetBytes": 4679102464}},
            "pods": [{"podRef": {"name": "webhook-x", "namespace": "knative-serving", "uid": "u"}, "startTime": "2026-11-23T07:04:13Z",
                      "cpu": {"usageNanoCores": 11120394}, "memory": {"workingSetBytes": 18800640}},
                     {"podRef": {"name": "new", "namespace": "default", "uid": "v"}, "cpu": {"usageCoreNanoSeconds": 1}}]}"#;
        let mut all = InUse::default();
        read_summary("node1", text, &mut all).unwrap();
        assert_eq!(all.nodes["node1"], used(1261.805354, 4679102464.0 / MIB));
        assert_eq!(
            all.pods[&("knative-serving".to_owned(), "webhook-x".to_owned())],
            used(11.120394, 18800640.0 / MIB)
        );
        assert_eq!(all.pods[&("default".to_owned(), "new".to_owned())], Used::default());
    }

    /// Pods of kubelet-summary-new-pods-zero.json: one that has just started, one that is idle, one that works.
    #[test]
    fn a_pod_without_a_sample_has_no_figures() {
        let text = r#"{"node": {"nodeName": "node1"}, "pods": [
            {"podRef": {"name": "new", "namespace": "loader", "uid": "a"}, "startTime": "2026-11-26T18:05:49Z",
             "cpu": {"time": "2026-11-26T18:05:49Z", "usageNanoCores": 0, "usageCoreNanoSeconds": 0},
             "memory": {"time": "2026-11-26T18:05:49Z", "usageBytes": 0, "workingSetBytes": 0}},
            {"podRef": {"name": "idle", "namespace": "loader", "uid": "b"},
             "cpu": {"usageNanoCores": 0, "usageCoreNanoSeconds": 229369056}, "memory": {"workingSetBytes": 7766016}},
            {"podRef": {"name": "busy", "namespace": "loader", "uid": "c"},
             "cpu": {"usageNanoCores": 250345159, "usageCoreNanoSeconds": 3402485016}, "memory": {"workingSetBytes": 185131008}}]}"#;
        let mut all = InUse::default();
        read_summary("node1", text, &mut all).unwrap();
        let pod = |name: &str| all.pods[&("loader".to_owned(), name.to_owned())];
        assert_eq!(pod("new"), Used::default());
        assert_eq!(pod("idle"), used(0.0, 7766016.0 / MIB));
        assert_eq!(pod("busy"), used(250.345159, 185131008.0 / MIB));
        assert_eq!(all.nodes["node1"], Used::default());
    }

    #[test]
    fn counters_give_rates_from_the_second_time_on() {
        let text = |seconds: f64, ms: i64| {
            format!(
                "node_cpu_usage_seconds_total {seconds} {ms}\nnode_memory_working_set_bytes 1048576 {ms}\n\
                 pod_cpu_usage_seconds_total{{namespace=\"default\",pod=\"f\"}} {} {ms}\n",
                seconds / 10.0
            )
        };
        let (mut first, mut second) = (HashMap::new(), HashMap::new());
        let mut all = InUse::default();
        read_resource("n", &text(100.0, 1_000), &HashMap::new(), &mut first, &mut all);
        assert_eq!(all.nodes["n"], Used { cpu_millicores: None, memory_mib: Some(1.0) });
        read_resource("n", &text(105.0, 11_000), &first, &mut second, &mut all);
        assert_eq!(all.nodes["n"].cpu_millicores, Some(500.0));
        let pod = all.pods[&("default".to_owned(), "f".to_owned())];
        assert!((pod.cpu_millicores.unwrap() - 50.0).abs() < 1e-6);
        // A kubelet that was restarted.
        read_resource("n", &text(1.0, 21_000), &second, &mut first, &mut all);
        assert_eq!(all.nodes["n"].cpu_millicores, None);
    }

    #[test]
    fn a_metrics_server_gives_nodes_and_containers() {
        let nodes =
            r#"{"items": [{"metadata": {"name": "n"}, "usage": {"cpu": "1261805354n", "memory": "4569436Ki"}}]}"#;
        let pods = r#"{"items": [{"metadata": {"name": "f", "namespace": "default"}, "containers": [
            {"name": "a", "usage": {"cpu": "10m", "memory": "16Mi"}}, {"name": "b", "usage": {"cpu": "5m", "memory": "8Mi"}}]}]}"#;
        let all = of_metrics_server(serde_json::from_str(nodes).unwrap(), serde_json::from_str(pods).unwrap());
        assert!((all.nodes["n"].cpu_millicores.unwrap() - 1261.805354).abs() < 1e-6);
        assert_eq!(all.pods[&("default".to_owned(), "f".to_owned())], used(15.0, 24.0));
    }
}
