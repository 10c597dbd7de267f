//! The sources of samples for a run on a cluster: its nodes and pods, and the autoscaler.

use std::{collections::HashMap, sync::Arc};

use futures_util::future::BoxFuture;

use super::{
    names,
    platform::Knative,
    scrape::{AutoscalerSource, NodeSource, Pace},
};
use crate::platform::{Deploy, Sampling, SamplingOptions};

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
}
