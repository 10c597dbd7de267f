//! Keeps what the platform's sources sample during the load: nodes.csv, pods.csv, autoscaler.csv.

use std::{collections::HashSet, path::Path, time::Duration};

use loader_proto::schema::{
    AutoscalerRecord, AutoscalerSamples, Fixed, NodeRecord, NodeSamples, PodRecord, PodSamples, Rounded,
};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::UnixMicros,
    id::RunId,
    metrics::{Metrics, NodeFigures},
    platform::{Deploy, Platform, SamplingOptions},
    record::{CsvFile, RecordError},
    scrape::{AutoscalerSample, Commitments, NodeSample, PodSample, Sample, Sampled, SourceError},
};

/// Maximum number of samples that wait to be written.
const WAITING: usize = 256;

/// The running sample sources of a run.
pub(crate) struct Samples {
    stop: CancellationToken,
    sources: JoinSet<()>,
    keeper: JoinSet<Result<(), RecordError>>,
}

impl Samples {
    /// Starts the platform's sources, if it has any. Their files are made in the run's directory.
    ///
    /// # Errors
    /// A file that cannot be created.
    pub(crate) async fn start(
        platform: &dyn Platform,
        deploy: &Deploy,
        period: Duration,
        directory: &Path,
        metrics: Metrics,
    ) -> Result<Self, RecordError> {
        let (out, samples) = mpsc::channel(WAITING);
        let stop = CancellationToken::new();
        let options = SamplingOptions { period, out, stop: stop.clone() };
        let found = match platform.sampling() {
            Some(sampling) => sampling.sources(deploy, options).await,
            None => Vec::new(),
        };
        let (mut sources, mut keeper) = (JoinSet::new(), JoinSet::new());
        if !found.is_empty() {
            keeper.spawn(Keeper::create(directory, deploy.run.clone(), metrics)?.follow(samples));
        }
        for source in found {
            sources.spawn(source);
        }
        Ok(Self { stop, sources, keeper })
    }

    /// Stops the sources and makes what they gave durable.
    ///
    /// # Errors
    /// What could not be written.
    pub(crate) async fn finish(mut self) -> Result<(), RecordError> {
        self.stop.cancel();
        while self.sources.join_next().await.is_some() {}
        match self.keeper.join_next().await {
            Some(Ok(kept)) => kept,
            // No sources, or a panic, which is logged where it happens.
            None | Some(Err(_)) => Ok(()),
        }
    }
}

/// Writes samples to their files and metrics.
struct Keeper {
    nodes: CsvFile<NodeSamples>,
    pods: CsvFile<PodSamples>,
    autoscaler: CsvFile<AutoscalerSamples>,
    run: RunId,
    metrics: Metrics,
    /// Sources that are switched off, which is logged once.
    off: HashSet<&'static str>,
}

impl Keeper {
    fn create(directory: &Path, run: RunId, metrics: Metrics) -> Result<Self, RecordError> {
        Ok(Self {
            nodes: CsvFile::create(directory)?,
            pods: CsvFile::create(directory)?,
            autoscaler: CsvFile::create(directory)?,
            run,
            metrics,
            off: HashSet::new(),
        })
    }

    async fn follow(mut self, mut samples: mpsc::Receiver<Sampled>) -> Result<(), RecordError> {
        let mut written = Ok(());
        while let Some(sampled) = samples.recv().await {
            let Sampled { source, at, took, outcome } = sampled;
            self.metrics.scraped(source, took, outcome.is_err());
            let kept = match outcome {
                Ok(Sample::Nodes { nodes, pods }) => self.nodes(at, &nodes).and_then(|()| self.pods(at, &pods)),
                Ok(Sample::Autoscaler(sample)) => self.autoscaler(at, &sample),
                Err(error) => {
                    self.warn(source, &error);
                    Ok(())
                }
            };
            written = written.and(kept);
        }
        self.metrics.nodes(&[]);
        written.and(self.nodes.sync()).and(self.pods.sync()).and(self.autoscaler.sync())
    }

    fn nodes(&mut self, at: UnixMicros, nodes: &[NodeSample]) -> Result<(), RecordError> {
        let mut figures = Vec::new();
        for node in nodes {
            let NodeSample {
                node,
                role,
                cpu_millicores,
                cpu_allocatable_millicores,
                memory_mib,
                memory_allocatable_mib,
                pods,
            } = node;
            let cpu_ratio = ratio(*cpu_millicores, *cpu_allocatable_millicores);
            let memory_ratio = ratio(*memory_mib, *memory_allocatable_mib);
            let of = |which: fn(&Commitments) -> f64| pods.as_ref().map(which).map(Rounded);
            let count = pods.map(|pods| pods.pods);
            self.nodes.append(&NodeRecord {
                unix_us: at.0,
                node: node.into(),
                role: role.as_str().into(),
                cpu_millicores: cpu_millicores.map(Rounded),
                cpu_ratio: cpu_ratio.map(Fixed),
                cpu_requests_millicores: of(|pods| pods.cpu_requests_millicores),
                cpu_limits_millicores: of(|pods| pods.cpu_limits_millicores),
                memory_mib: memory_mib.map(Rounded),
                memory_ratio: memory_ratio.map(Fixed),
                memory_requests_mib: of(|pods| pods.memory_requests_mib),
                memory_limits_mib: of(|pods| pods.memory_limits_mib),
                pods: count,
            })?;
            figures.push(NodeFigures { node: node.clone(), role: role.as_str(), cpu_ratio, memory_ratio, pods: count });
        }
        self.metrics.nodes(&figures);
        self.nodes.flush()
    }

    fn pods(&mut self, at: UnixMicros, pods: &[PodSample]) -> Result<(), RecordError> {
        for PodSample { pod, function, node, phase, cpu_millicores, memory_mib } in pods {
            self.pods.append(&PodRecord {
                unix_us: at.0,
                pod: pod.into(),
                function: function.into(),
                node: node.into(),
                phase: phase.into(),
                cpu_millicores: cpu_millicores.map(Rounded),
                memory_mib: memory_mib.map(Rounded),
            })?;
        }
        self.pods.flush()
    }

    fn autoscaler(&mut self, at: UnixMicros, sample: &AutoscalerSample) -> Result<(), RecordError> {
        let AutoscalerSample {
            desired_pods,
            unready_pods,
            pending_pods,
            requested_pods,
            running_pods,
            activator_queue,
            activator_request_count,
            stable_concurrency,
            panic_concurrency,
            scheduling_p50_us,
            scheduling_p95_us,
            placement_p50_us,
            placement_p95_us,
            stable_rps,
            panic_rps,
        } = *sample;
        self.autoscaler.append(&AutoscalerRecord {
            unix_us: at.0,
            desired_pods: desired_pods.map(Rounded),
            unready_pods: unready_pods.map(Rounded),
            pending_pods: pending_pods.map(Rounded),
            requested_pods: requested_pods.map(Rounded),
            running_pods: running_pods.map(Rounded),
            activator_queue: activator_queue.map(Rounded),
            activator_request_count: activator_request_count.map(Rounded),
            stable_concurrency: stable_concurrency.map(Rounded),
            panic_concurrency: panic_concurrency.map(Rounded),
            scheduling_p50_us: scheduling_p50_us.map(Fixed),
            scheduling_p95_us: scheduling_p95_us.map(Fixed),
            placement_p50_us: placement_p50_us.map(Fixed),
            placement_p95_us: placement_p95_us.map(Fixed),
            stable_rps: stable_rps.map(Rounded),
            panic_rps: panic_rps.map(Rounded),
        })?;
        self.autoscaler.flush()
    }

    fn warn(&mut self, source: &'static str, error: &SourceError) {
        if matches!(error, SourceError::Failed(_)) || self.off.insert(source) {
            log::warn!(RUN_ID = self.run.as_str(), SOURCE = source; "no sample of {source}: {error}");
        }
    }
}

fn ratio(part: Option<f64>, whole: Option<f64>) -> Option<f64> {
    Some(part? / whole.filter(|whole| *whole > 0.0)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        platform::{fake::FakePlatform, testkit},
        scrape::Role,
    };

    fn sampled(source: &'static str, outcome: Result<Sample, SourceError>) -> Sampled {
        Sampled { source, at: UnixMicros(7), took: Duration::from_millis(3), outcome }
    }

    #[tokio::test]
    async fn what_is_known_is_written_and_what_is_not_is_empty() {
        let node = NodeSample {
            node: "n1".to_owned(),
            role: Role::ControlPlane,
            cpu_millicores: Some(1261.805354),
            cpu_allocatable_millicores: Some(2000.0),
            memory_mib: Some(512.0),
            memory_allocatable_mib: None,
            pods: None,
        };
        let worker = NodeSample {
            node: "n2".to_owned(),
            role: Role::Worker,
            cpu_millicores: None,
            memory_allocatable_mib: Some(1024.0),
            pods: Some(Commitments { pods: 3, cpu_requests_millicores: 135.0, ..Commitments::default() }),
            ..node.clone()
        };
        let pod = PodSample {
            pod: "f-x".to_owned(),
            function: "f".to_owned(),
            node: "n1".to_owned(),
            phase: "Running".to_owned(),
            cpu_millicores: Some(11.12),
            memory_mib: None,
        };
        let autoscaler = AutoscalerSample {
            desired_pods: Some(4.0),
            stable_concurrency: Some(2.475156),
            placement_p95_us: Some(12_345.6),
            ..AutoscalerSample::default()
        };
        let failed = |text: &str| Err(SourceError::Failed(text.to_owned()));
        let samples = vec![
            sampled("nodes", Ok(Sample::Nodes { nodes: vec![node, worker], pods: vec![pod] })),
            sampled("autoscaler", Ok(Sample::Autoscaler(autoscaler))),
            sampled("autoscaler", failed("no answer")),
        ];
        let directory = tempfile::tempdir().unwrap();
        let metrics = Metrics::new();
        let platform = FakePlatform::new("local").with_samples(samples);
        let deploy = testkit::deploy(&["f"]);
        let samples = Samples::start(&platform, &deploy, Duration::from_secs(1), directory.path(), metrics.clone())
            .await
            .unwrap();
        samples.finish().await.unwrap();
        let rows = |file: &str| {
            let text = std::fs::read_to_string(directory.path().join(file)).unwrap();
            text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(
            rows("nodes.csv"),
            ["7,n1,control-plane,1261.805,0.6309,,,512,,,,", "7,n2,worker,,,135,0,512,0.5000,0,0,3"]
        );
        assert_eq!(rows("pods.csv"), ["7,f-x,f,n1,Running,11.12,"]);
        assert_eq!(rows("autoscaler.csv"), ["7,4,,,,,,,2.475,,,,,12346,,"]);
        let text = metrics.encode();
        assert!(text.contains("loader_scrape_errors_total{source=\"autoscaler\"} 1"), "{text}");
        assert!(text.contains("loader_scrape_errors_total{source=\"nodes\"} 0"), "{text}");
    }

    #[tokio::test]
    async fn a_platform_without_sources_leaves_no_files() {
        let directory = tempfile::tempdir().unwrap();
        let deploy = testkit::deploy(&["f"]);
        let metrics = Metrics::new();
        let attach = crate::platform::attach::Attach::default();
        let samples =
            Samples::start(&attach, &deploy, Duration::from_secs(1), directory.path(), metrics).await.unwrap();
        samples.finish().await.unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
