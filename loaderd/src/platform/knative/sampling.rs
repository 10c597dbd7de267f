//! The sources of samples for a run on a cluster: its nodes and pods, and the autoscaler.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use futures_util::future::BoxFuture;

use super::{
    clean::by_run,
    error::refused,
    names,
    platform::Knative,
    scrape::{AutoscalerSource, NodeSource, Pace},
};
use crate::{
    id::RunId,
    platform::{Deploy, PlatformError, Sampling, SamplingOptions},
};

#[tonic::async_trait]
impl Sampling for Knative {
    async fn sources(&self, deploy: &Deploy, options: SamplingOptions) -> Vec<BoxFuture<'static, ()>> {
        let Ok(namespace) = self.namespace().await else { return Vec::new() };
        let SamplingOptions { period, out, stop } = options;
        let pace = Pace { period, out, stop, clock: self.clock };
        let functions: HashMap<_, _> = (deploy.functions.iter())
            .map(|function| (names::service(&function.name, &deploy.run), function.name.clone()))
            .collect();
        let autoscaler = AutoscalerSource {
            cluster: Arc::clone(&self.cluster),
            prometheus: self.settings.prometheus.clone(),
            namespace: namespace.clone(),
            suffix: names::suffix(&deploy.run).to_owned(),
            services: functions.keys().cloned().collect(),
        };
        let (run, cluster) = (deploy.run.clone(), Arc::clone(&self.cluster));
        let nodes = NodeSource { run, cluster, namespace, functions, pace: pace.clone() };
        vec![Box::pin(nodes.follow()), Box::pin(autoscaler.follow(pace))]
    }

    async fn instances(&self) -> Result<BTreeMap<RunId, usize>, PlatformError> {
        let namespace = self.namespace().await.map_err(|error| refused(&error))?;
        let pods = self.cleaner(&namespace).pods(&names::of_any_run()).await;
        Ok(by_run(&pods.map_err(|error| refused(&error))?))
    }
}
