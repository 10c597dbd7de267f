//! Whether a platform is as it was before the first run of a study.

use std::time::Duration;

use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{
    Stage,
    driver::{Driver, Halt},
};
use crate::{
    clock::Clock,
    id::RunId,
    platform::{Deploy, Platform, SamplingOptions},
    scrape::{HostScraper, NodeSample, Sample},
    study::StudyPlan,
};

/// From one look at the platform to the next.
const PERIOD: Duration = Duration::from_secs(5);

/// Over what time the CPU usage of the daemon's host is taken.
const HOST_SPAN: Duration = Duration::from_secs(1);

/// How much of their capacity the nodes may be busier than before the first run.
const TOLERANCE: f64 = 0.1;

/// Capacity of the channel of samples.
const SAMPLES: usize = 16;

/// How busy a platform is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usage {
    /// The CPU usage of its nodes, as a share of their capacity; absent where it is not known.
    pub(super) cpu: Option<f64>,
    /// The instances of the last run.
    pub(super) instances: usize,
}

impl Usage {
    /// Why the platform is not idle; nothing where it is, as far as is known.
    pub(super) fn remark(&self, at_first: Option<f64>) -> Option<String> {
        if self.instances > 0 {
            return Some(format!("{} instances of the last run are left", self.instances));
        }
        let (now, first) = self.cpu.zip(at_first)?;
        (now > first + TOLERANCE).then(|| {
            format!("{:.0} % of the CPU is in use, {:.0} % was before the first run", 100.0 * now, 100.0 * first)
        })
    }
}

impl Driver {
    /// Waits until the platform is as it was before the first run, where the study asks for it, and at most as long as it says.
    pub(super) async fn await_idle(&mut self, plan: &StudyPlan, index: usize, platform: &str) -> Result<(), Halt> {
        let Some(longest) = plan.settings.until_idle else { return Ok(()) };
        let Some(platform) = self.parts.platforms.get(platform).cloned() else { return Ok(()) };
        let last = self.file.run_ids().max().cloned();
        let clock = self.parts.clock;
        let Some(last) = last else {
            let usage = self.wait(usage(&*platform, None, clock)).await?;
            self.file.idle_cpu = usage.cpu;
            return Ok(());
        };
        let until = clock.now() + longest;
        loop {
            let usage = self.wait(usage(&*platform, Some(&last), clock)).await?;
            let Some(remark) = usage.remark(self.file.idle_cpu) else { return Ok(()) };
            if clock.now() + PERIOD > until {
                self.note(format!("the run after {last} began on a platform that was not idle: {remark}"));
                return Ok(());
            }
            let waiting_for = format!("an idle platform: {remark}");
            self.show(Stage { next: Some(index), waiting_for, ..Stage::default() });
            self.wait(tokio::time::sleep(PERIOD)).await?;
        }
    }
}

/// How busy a platform is, with the instances of `run`; on one that is not sampled, how busy the daemon's host is.
async fn usage(platform: &dyn Platform, run: Option<&RunId>, clock: Clock) -> Usage {
    let Some(sampling) = platform.sampling() else { return Usage { cpu: host(clock).await, instances: 0 } };
    let (out, mut samples) = mpsc::channel(SAMPLES);
    let stop = CancellationToken::new();
    let options = SamplingOptions { period: PERIOD, out, stop: stop.clone() };
    let run = run.cloned().unwrap_or_else(|| RunId::new(0, 0));
    let mut sources = JoinSet::new();
    for source in sampling.sources(&nothing(run), options).await {
        sources.spawn(source);
    }
    let nodes = async {
        while let Some(sampled) = samples.recv().await {
            if let Ok(Sample::Nodes { nodes, pods }) = sampled.outcome {
                return Some(Usage { cpu: busy(&nodes), instances: pods.len() });
            }
        }
        None
    };
    let found = tokio::time::timeout(3 * PERIOD, nodes).await.ok().flatten();
    stop.cancel();
    sources.shutdown().await;
    found.unwrap_or(Usage { cpu: None, instances: 0 })
}

/// What is sampled: the nodes, and what is left of a run.
fn nothing(run: RunId) -> Deploy {
    Deploy {
        run,
        functions: Vec::new(),
        targets: Vec::new(),
        image: None,
        timeout: Duration::ZERO,
        allow_failures: 0,
        await_pods: false,
        function_timeout: Duration::ZERO,
    }
}

/// The CPU usage of all nodes, as a share of their capacity; absent where one of them is not known.
fn busy(nodes: &[NodeSample]) -> Option<f64> {
    let used: f64 = nodes.iter().map(|node| node.cpu_millicores).sum::<Option<f64>>()?;
    let whole: f64 = nodes.iter().map(|node| node.cpu_allocatable_millicores).sum::<Option<f64>>()?;
    (whole > 0.0).then(|| used / whole)
}

/// The CPU usage of the daemon's host; absent where the kernel does not say.
async fn host(clock: Clock) -> Option<f64> {
    let mut scraper = HostScraper::new(clock.now()).ok()?;
    tokio::time::sleep(HOST_SPAN).await;
    scraper.sample(clock.now()).ok().map(|sample| sample.host_cpu_ratio)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scrape::Role;

    #[test]
    fn a_platform_is_idle_without_instances_and_within_a_tenth_of_its_capacity() {
        let usage = |cpu, instances| Usage { cpu, instances };
        for (now, first, remark) in [
            (usage(Some(0.1), 0), Some(0.02), None),
            (usage(Some(0.2), 0), Some(0.05), Some("20 % of the CPU is in use, 5 % was before the first run")),
            (usage(Some(0.0), 2), Some(0.05), Some("2 instances of the last run are left")),
            (usage(None, 0), Some(0.05), None),
            (usage(Some(0.9), 0), None, None),
        ] {
            assert_eq!(now.remark(first).as_deref(), remark, "{now:?} {first:?}");
        }
    }

    #[test]
    fn a_node_that_is_not_known_makes_the_usage_unknown() {
        let node = |cpu| NodeSample {
            node: "a".to_owned(),
            role: Role::Worker,
            cpu_millicores: cpu,
            cpu_allocatable_millicores: Some(4000.0),
            memory_mib: None,
            memory_allocatable_mib: None,
            pods: None,
        };
        assert_eq!(busy(&[node(Some(1000.0)), node(Some(3000.0))]), Some(0.5));
        assert_eq!((busy(&[node(Some(1000.0)), node(None)]), busy(&[])), (None, None));
    }
}
