//! Joins records with the samples of a cluster's nodes: each with the sample of its instance's node that is nearest to its due
//! time. The node of an instance is the one on which pods.csv last saw it.

use std::{collections::HashMap, path::Path};

use loader_proto::schema::{Fixed, InvocationRecord, NodeRecord, PodRecord};

use super::{growing::GrowingTable, reader::ReadError};

/// What a node was like at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeState {
    /// The node's name.
    pub node: String,
    /// When that was sampled, in microseconds since the Unix epoch.
    pub sampled_unix_us: i64,
    /// CPU in use, as a share of what the node can allocate.
    pub cpu_ratio: Option<f64>,
    /// Memory in use, as a share of what the node can allocate.
    pub memory_ratio: Option<f64>,
    /// Pods on the node that had not ended.
    pub pods: Option<u32>,
}

/// The samples of a run's nodes, and which instance was where, as far as they were read.
#[derive(Debug)]
pub struct Nodes {
    pod_rows: GrowingTable<PodRecord<'static>>,
    node_rows: GrowingTable<NodeRecord<'static>>,
    /// By instance.
    nodes: HashMap<String, String>,
    /// By node, in order of time.
    samples: HashMap<String, Vec<NodeState>>,
}

impl Nodes {
    /// The samples in a run's directory, of which none is read yet. Without any, no node is known.
    pub fn new(directory: &Path) -> Self {
        Self {
            pod_rows: GrowingTable::new(directory),
            node_rows: GrowingTable::new(directory),
            nodes: HashMap::new(),
            samples: HashMap::new(),
        }
    }

    /// Reads what was written since.
    ///
    /// # Errors
    /// A file that cannot be read, or a row that is none.
    pub fn update(&mut self) -> Result<(), ReadError> {
        let Self { pod_rows, node_rows, nodes, samples } = self;
        pod_rows.each_new(|PodRecord { pod, node, .. }| {
            if !node.is_empty() {
                nodes.insert(pod.into_owned(), node.into_owned());
            }
        })?;
        node_rows.each_new(|sample| {
            let NodeRecord { unix_us, node, cpu_ratio, memory_ratio, pods, .. } = sample;
            let state = NodeState {
                node: node.into_owned(),
                sampled_unix_us: unix_us,
                cpu_ratio: cpu_ratio.map(|Fixed(ratio)| ratio),
                memory_ratio: memory_ratio.map(|Fixed(ratio)| ratio),
                pods,
            };
            samples.entry(state.node.clone()).or_default().push(state);
        })
    }

    /// The nearest sample of a record's node; absent where its instance, or the node of that, is not known.
    pub fn nearest(&self, record: &InvocationRecord<'_>) -> Option<&NodeState> {
        let samples = self.samples.get(self.nodes.get(&*record.instance)?)?;
        let after = samples.partition_point(|sample| sample.sampled_unix_us < record.due_unix_us);
        let neighbours = [after.checked_sub(1), Some(after)].into_iter().flatten();
        let distance = |sample: &&NodeState| sample.sampled_unix_us.abs_diff(record.due_unix_us);
        neighbours.filter_map(|index| samples.get(index)).min_by_key(distance)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _};

    use super::*;

    const NODES: &str = "unix_us,node,role,cpu_millicores,cpu_ratio,memory_ratio,pods\n\
        1000,a,worker,1,0.1000,,\n2000,a,worker,1,0.2000,0.5000,7\n2000,b,worker,1,0.9000,0.5000,7\n4000,a,worker,,,,\n";
    const PODS: &str =
        "unix_us,pod,function,node,phase\n500,f-1,f,,Pending\n1000,f-1,f,a,Running\n1000,f-2,f,,Pending\n";

    fn read(nodes: &str, pods: &str) -> Result<Nodes, String> {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("nodes.csv"), nodes).unwrap();
        fs::write(directory.path().join("pods.csv"), pods).unwrap();
        let mut found = Nodes::new(directory.path());
        found.update().map_err(|error| error.to_string())?;
        Ok(found)
    }

    fn nearest(nodes: &Nodes, instance: &str, due_unix_us: i64) -> Option<(i64, Option<f64>)> {
        let record = InvocationRecord { instance: instance.into(), due_unix_us, ..InvocationRecord::default() };
        nodes.nearest(&record).map(|state| (state.sampled_unix_us, state.cpu_ratio))
    }

    #[test]
    fn a_record_gets_the_nearest_sample_of_its_own_node() {
        let nodes = read(NODES, PODS).unwrap();
        for (due, expected) in [(0, 1000), (1499, 1000), (1501, 2000), (2999, 2000), (3001, 4000), (9999, 4000)] {
            assert_eq!(nearest(&nodes, "f-1", due).map(|(at, _)| at), Some(expected), "due at {due}");
        }
        assert_eq!(nearest(&nodes, "f-1", 2000), Some((2000, Some(0.2))));
        assert_eq!(nearest(&nodes, "f-1", 4000), Some((4000, None)), "an unknown ratio is none");
        for unknown in ["", "f-2", "f-3"] {
            assert_eq!(nearest(&nodes, unknown, 2000), None, "{unknown:?}");
        }
    }

    #[test]
    fn what_is_written_later_is_read_later() {
        let directory = tempfile::tempdir().unwrap();
        let mut nodes = Nodes::new(directory.path());
        nodes.update().unwrap();
        assert_eq!(nearest(&nodes, "f-1", 0), None, "there are no files yet");
        fs::write(directory.path().join("pods.csv"), PODS).unwrap();
        let mut file = fs::File::create(directory.path().join("nodes.csv")).unwrap();
        for (text, latest) in [(NODES, 4000), ("5000,a,wor", 4000), ("ker,,,,\n6000,a,worker,,,,\n", 6000)] {
            file.write_all(text.as_bytes()).unwrap();
            nodes.update().unwrap();
            assert_eq!(nearest(&nodes, "f-1", 9999).map(|(at, _)| at), Some(latest), "{text:?}");
        }
        assert_eq!(nearest(&nodes, "f-1", 5100).map(|(at, _)| at), Some(5000));
    }

    #[test]
    fn another_file_is_named_with_its_row() {
        assert_eq!(nearest(&read("", "").unwrap(), "f-1", 0), None);
        let error = read(&NODES.replace("2000,b", "soon,b"), PODS).unwrap_err();
        assert!(error.ends_with("nodes.csv: record 3: column unix_us: \"soon\" is not of type integer"), "{error}");
    }
}
