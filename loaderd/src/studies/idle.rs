//! Whether a platform is as it was before the first run of a study.

use std::{collections::BTreeSet, time::Duration};

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

/// How busy a platform is; what is not known is absent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usage {
    /// The CPU usage of its nodes, as a share of their capacity.
    pub(super) cpu: Option<f64>,
    /// The instances that are left of the study's runs.
    pub(super) instances: Option<usize>,
}

impl Usage {
    /// Why the platform is not idle; nothing where it is. `at_first` is the CPU usage before the first run, which is not looked at where it
    /// was not known then.
    pub(super) fn remark(&self, at_first: Option<f64>) -> Option<String> {
        match self.instances {
            Some(0) => {}
            Some(left) => return Some(format!("instances of earlier runs are left: {left}")),
            None => return Some("the platform does not say whether instances of earlier runs are left".to_owned()),
        }
        let first = at_first?;
        let Some(now) = self.cpu else { return Some("the CPU usage is not known".to_owned()) };
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
        let attempts = self.file.runs.iter().flat_map(|run| &run.attempts).filter(|attempt| !attempt.reused);
        let made: BTreeSet<RunId> = attempts.map(|attempt| attempt.run_id.clone()).collect();
        let Some(last) = made.last() else { return self.note_idle(&*platform).await };
        let clock = self.parts.clock;
        let until = clock.now() + longest;
        loop {
            let mut usage = Usage { cpu: None, instances: self.wait(instances(&*platform, &made)).await? };
            if self.file.idle_cpu.is_some() {
                usage.cpu = self.wait(cpu(&*platform, clock)).await?;
            }
            let Some(remark) = usage.remark(self.file.idle_cpu) else { return Ok(()) };
            let left = until.saturating_duration_since(clock.now());
            if left.is_zero() {
                self.note(format!("the run after {last} began on a platform that was not idle: {remark}"));
                return Ok(());
            }
            let waiting_for = format!("an idle platform: {remark}");
            self.show(Stage { next: Some(index), waiting_for, ..Stage::default() });
            self.wait(tokio::time::sleep(left.min(PERIOD))).await?;
        }
    }

    /// Keeps how busy the platform is before the first run.
    async fn note_idle(&mut self, platform: &dyn Platform) -> Result<(), Halt> {
        self.file.idle_cpu = self.wait(cpu(platform, self.parts.clock)).await?;
        let unknown = "the CPU usage before the first run is not known: only instances of earlier runs are waited for";
        if self.file.idle_cpu.is_none() && !self.file.notes.iter().any(|note| note == unknown) {
            self.note(unknown.to_owned());
        }
        Ok(())
    }
}

/// How many instances are left of `runs`; absent where the platform does not say.
async fn instances(platform: &dyn Platform, runs: &BTreeSet<RunId>) -> Option<usize> {
    // Nothing outlives a run where there is nothing to be sampled.
    let Some(sampling) = platform.sampling() else { return Some(0) };
    match sampling.instances().await {
        Ok(found) => Some(found.iter().filter(|(run, _)| runs.contains(run)).map(|(_, instances)| instances).sum()),
        Err(error) => {
            log::warn!("cannot find out whether instances of earlier runs are left: {error}");
            None
        }
    }
}

/// The CPU usage of a platform's nodes; on one that is not sampled, that of the daemon's host.
async fn cpu(platform: &dyn Platform, clock: Clock) -> Option<f64> {
    let Some(sampling) = platform.sampling() else { return host(clock).await };
    let (out, mut samples) = mpsc::channel(SAMPLES);
    let stop = CancellationToken::new();
    let options = SamplingOptions { period: PERIOD, out, stop: stop.clone() };
    let mut sources = JoinSet::new();
    for source in sampling.sources(&nothing(), options).await {
        sources.spawn(source);
    }
    // Where usage comes from counters, the first sample has none.
    let nodes = async {
        while let Some(sampled) = samples.recv().await {
            if let Ok(Sample::Nodes { nodes, pods: _ }) = sampled.outcome
                && let Some(busy) = busy(&nodes)
            {
                return Some(busy);
            }
        }
        None
    };
    let found = tokio::time::timeout(3 * PERIOD, nodes).await.ok().flatten();
    stop.cancel();
    sources.shutdown().await;
    found
}

/// What is sampled: the nodes, and no functions.
fn nothing() -> Deploy {
    Deploy {
        run: RunId::new(0, 0),
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
            (usage(Some(0.1), Some(0)), Some(0.02), None),
            (usage(Some(0.2), Some(0)), Some(0.05), Some("20 % of the CPU is in use, 5 % was before the first run")),
            (usage(Some(0.0), Some(2)), Some(0.05), Some("instances of earlier runs are left: 2")),
            (
                usage(Some(0.0), None),
                Some(0.05),
                Some("the platform does not say whether instances of earlier runs are left"),
            ),
            (usage(None, Some(0)), Some(0.05), Some("the CPU usage is not known")),
            (usage(Some(0.9), Some(0)), None, None),
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
