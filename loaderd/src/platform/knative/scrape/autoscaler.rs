//! Samples of the autoscaler and the activator: from a Prometheus, else from their own endpoints.
//!
//! Knative renamed its metrics when it went over to OpenTelemetry (1.19). Both are read: each figure has its new
//! name and its old one (`metrics/OLD-VS-NEW.md`).

use std::{collections::HashSet, sync::Arc};

use futures_util::future::{join_all, try_join_all};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::{Api, api::ListParams};
use tokio_util::sync::CancellationToken;

use super::{
    super::{cluster::Cluster, cluster_error::ClusterError},
    pace::Pace,
};
use crate::scrape::{AutoscalerSample, Point, Prometheus, Sample, SourceError, points};

const SERVING: &str = "knative-serving";

/// Why there are no figures where the port of the metrics is closed, and what opens it.
const OFF: &str =
    "Knative's metrics are off: metrics-protocol in config-observability; `scripts/cluster/prepare --metrics`";

/// How values of several series become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fold {
    Sum,
    Mean,
}

/// A figure: its names, new and old, and how it is folded.
struct Figure {
    names: [&'static str; 2],
    fold: Fold,
    set: fn(&mut AutoscalerSample, f64),
}

const fn sum(new: &'static str, old: &'static str, set: fn(&mut AutoscalerSample, f64)) -> Figure {
    Figure { names: [new, old], fold: Fold::Sum, set }
}

const fn mean(new: &'static str, old: &'static str, set: fn(&mut AutoscalerSample, f64)) -> Figure {
    Figure { names: [new, old], fold: Fold::Mean, set }
}

/// The figures of Knative.
const FIGURES: [Figure; 11] = [
    sum("kn_revision_pods_desired", "autoscaler_desired_pods", |it, value| it.desired_pods = Some(value)),
    sum("kn_revision_pods_not_ready_count", "autoscaler_not_ready_pods", |it, value| it.unready_pods = Some(value)),
    sum("kn_revision_pods_pending_count", "autoscaler_pending_pods", |it, value| it.pending_pods = Some(value)),
    sum("kn_revision_pods_requested", "autoscaler_requested_pods", |it, value| it.requested_pods = Some(value)),
    sum("kn_revision_pods_count", "autoscaler_actual_pods", |it, value| it.running_pods = Some(value)),
    sum("kn_revision_request_queued", "activator_request_concurrency", |it, value| it.activator_queue = Some(value)),
    sum("http_server_request_duration_seconds_count", "activator_request_count", |it, value| {
        it.activator_request_count = Some(value);
    }),
    mean("kn_revision_concurrency_stable", "autoscaler_stable_request_concurrency", |it, value| {
        it.stable_concurrency = Some(value);
    }),
    mean("kn_revision_concurrency_panic", "autoscaler_panic_request_concurrency", |it, value| {
        it.panic_concurrency = Some(value);
    }),
    mean("kn_revision_rps_stable_per_second", "autoscaler_stable_requests_per_second", |it, value| {
        it.stable_rps = Some(value);
    }),
    mean("kn_revision_rps_panic_per_second", "autoscaler_panic_requests_per_second", |it, value| {
        it.panic_rps = Some(value);
    }),
];

/// A quantile of one of the scheduler's histograms, new name and old.
struct Quantile {
    names: [&'static str; 2],
    quantile: f64,
    set: fn(&mut AutoscalerSample, f64),
}

const ROUND: [&str; 2] =
    ["scheduler_scheduling_attempt_duration_seconds_bucket", "scheduler_e2e_scheduling_duration_seconds_bucket"];
const PLACEMENT: [&str; 2] =
    ["scheduler_pod_scheduling_sli_duration_seconds_bucket", "scheduler_pod_scheduling_duration_seconds_bucket"];

/// The figures of the scheduler. Its endpoint requires a separate identity, so they come from a Prometheus only.
const QUANTILES: [Quantile; 4] = [
    Quantile { names: ROUND, quantile: 0.5, set: |it, value| it.scheduling_p50_us = Some(value * 1e6) },
    Quantile { names: ROUND, quantile: 0.95, set: |it, value| it.scheduling_p95_us = Some(value * 1e6) },
    Quantile { names: PLACEMENT, quantile: 0.5, set: |it, value| it.placement_p50_us = Some(value * 1e6) },
    Quantile { names: PLACEMENT, quantile: 0.95, set: |it, value| it.placement_p95_us = Some(value * 1e6) },
];

/// The window of the scheduler's quantiles in PromQL.
const WINDOW: &str = "1m";

/// Samples the autoscaler, the activator and the scheduler.
pub(in super::super) struct AutoscalerSource {
    pub(in super::super) cluster: Arc<Cluster>,
    pub(in super::super) prometheus: Option<Prometheus>,
    pub(in super::super) namespace: String,
    /// The suffix of the names of the run's Services.
    pub(in super::super) suffix: String,
    pub(in super::super) services: HashSet<String>,
}

impl AutoscalerSource {
    /// Samples until it is stopped.
    pub(in super::super) async fn follow(self, pace: Pace) {
        let mut ticks = pace.ticks();
        loop {
            tokio::select! {
                () = pace.stop.cancelled() => return,
                _ = ticks.tick() => {
                    if !pace.send_sample("autoscaler", self.sample()).await {
                        return;
                    }
                }
            }
        }
    }

    /// Takes one sample.
    ///
    /// # Errors
    /// A source that does not answer, or is switched off.
    pub(in super::super) async fn sample(&self) -> Result<Sample, SourceError> {
        let sample = match &self.prometheus {
            Some(prometheus) => self.of_prometheus(prometheus).await.map_err(SourceError::Failed)?,
            None => self.of_endpoints().await?,
        };
        Ok(Sample::Autoscaler(sample))
    }

    async fn of_prometheus(&self, prometheus: &Prometheus) -> Result<AutoscalerSample, String> {
        let (namespace, suffix) = (self.namespace.as_str(), self.suffix.as_str());
        let asked = FIGURES.iter().map(|figure| (expression(figure, namespace, suffix), figure.set));
        let asked = asked.chain(QUANTILES.iter().map(|it| (quantile(it), it.set)));
        let answers =
            join_all(asked.map(|(expression, set)| async move {
                prometheus.number(&expression).await.map(|number| (number, set))
            }));
        let mut sample = AutoscalerSample::default();
        for answer in answers.await {
            if let (Some(value), set) = answer.map_err(|error| error.to_string())? {
                set(&mut sample, value);
            }
        }
        Ok(sample)
    }

    async fn of_endpoints(&self) -> Result<AutoscalerSample, SourceError> {
        match self.texts().await {
            Ok(texts) => Ok(fold(&texts, &self.namespace, &self.services)),
            Err(error) => Err(match (self.protocol().await, error.is_port_closed()) {
                (Ok(protocol), true) if protocol == "prometheus" => SourceError::Failed(format!(
                    "{error}: metrics-protocol is prometheus, and autoscaler and activator were not restarted since"
                )),
                (Ok(protocol), false) if protocol == "prometheus" => SourceError::Failed(error.to_string()),
                (Ok(_), _) | (Err(_), true) => SourceError::Off(OFF.to_owned()),
                (Err(_), false) => SourceError::Failed(error.to_string()),
            }),
        }
    }

    /// The metrics that autoscaler and activator expose, as text.
    async fn texts(&self) -> Result<Vec<String>, ClusterError> {
        let never = CancellationToken::new();
        let which = &ListParams::default().labels("app in (autoscaler,activator)");
        let pods = self.cluster.ask(self.cluster.now(), &never, |client| async move {
            Api::<Pod>::namespaced(client, SERVING).list_metadata(which).await
        });
        let pods = pods.await?.items;
        if pods.is_empty() {
            return Err(ClusterError::NoAutoscaler(SERVING));
        }
        let paths = pods.iter().map(|pod| {
            let name = pod.metadata.name.as_deref().unwrap_or_default();
            format!("/api/v1/namespaces/{SERVING}/pods/{name}:9090/proxy/metrics")
        });
        let paths: Vec<_> = paths.collect();
        try_join_all(paths.iter().map(|path| self.cluster.text(path))).await
    }

    /// How Knative exposes its metrics.
    async fn protocol(&self) -> Result<String, ClusterError> {
        let never = CancellationToken::new();
        let config = self.cluster.ask(self.cluster.now(), &never, |client| async move {
            Api::<ConfigMap>::namespaced(client, SERVING).get("config-observability").await
        });
        let data = config.await?.data.unwrap_or_default();
        // Before 1.19 they were on by default, under another key.
        let old = data.get("metrics.backend-destination");
        Ok(data.get("metrics-protocol").or(old).map_or("none", String::as_str).to_owned())
    }
}

/// The PromQL of a figure: the run's series under their new or their old name.
fn expression(figure: &Figure, namespace: &str, suffix: &str) -> String {
    let fold = match figure.fold {
        Fold::Sum => "sum",
        Fold::Mean => "avg",
    };
    let [new, old] = figure.names;
    // Some series of the activator have no label but the revision's.
    format!(
        "{fold}({new}{{k8s_namespace_name=\"{namespace}\",kn_revision_name=~\".*{suffix}-[0-9]+\"}} or \
         {old}{{namespace_name=\"{namespace}\",revision_name=~\".*{suffix}-[0-9]+\"}})"
    )
}

fn quantile(quantile: &Quantile) -> String {
    let [new, old] = quantile.names;
    format!("histogram_quantile({}, sum by (le) (rate({new}[{WINDOW}]) or rate({old}[{WINDOW}])))", quantile.quantile)
}

/// Whether a series is of one of the run's functions.
fn is_ours(point: &Point<'_>, namespace: &str, services: &HashSet<String>) -> bool {
    let of = |names: [&str; 2]| names.map(|name| point.label(name)).into_iter().find(|label| !label.is_empty());
    let here = of(["k8s_namespace_name", "namespace_name"]).is_none_or(|it| it == namespace);
    let revision = of(["kn_revision_name", "revision_name"]).and_then(|revision| revision.rsplit_once('-'));
    here && revision.is_some_and(|(service, _)| services.contains(service))
}

/// The figures in the metrics of autoscaler and activator. A figure's old name is ignored where its new one is present.
fn fold(texts: &[String], namespace: &str, services: &HashSet<String>) -> AutoscalerSample {
    let mut found = [[(0.0, 0_u32); 2]; FIGURES.len()];
    for point in texts.iter().flat_map(|text| points(text)) {
        let found_figure = FIGURES
            .iter()
            .enumerate()
            .find_map(|(index, figure)| Some((index, figure.names.iter().position(|name| *name == point.name)?)));
        if let Some((figure, name)) = found_figure
            && is_ours(&point, namespace, services)
        {
            let (total, count) = &mut found[figure][name];
            *total += point.value;
            *count += 1;
        }
    }
    let mut sample = AutoscalerSample::default();
    for (figure, values) in FIGURES.iter().zip(found) {
        if let Some((total, count)) = values.into_iter().find(|(_, count)| *count > 0) {
            (figure.set)(&mut sample, if figure.fold == Fold::Mean { total / f64::from(count) } else { total });
        }
    }
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services() -> HashSet<String> {
        ["hello-grpc".to_owned(), "hello-http".to_owned()].into()
    }

    /// Lines of autoscaler.two-revisions-rps-and-concurrency.prom and activator.under-load.prom.
    const NEW: [&str; 2] = [
        r#"kn_revision_concurrency_panic{k8s_namespace_name="default",kn_configuration_name="hello-grpc",kn_revision_name="hello-grpc-00001",kn_service_name="hello-grpc",otel_scope_version=""} 0.989903
kn_revision_concurrency_stable{k8s_namespace_name="default",kn_revision_name="hello-grpc-00001"} 2.475156
kn_revision_pods_count{k8s_namespace_name="default",kn_revision_name="hello-grpc-00001"} 6
kn_revision_pods_count{k8s_namespace_name="default",kn_revision_name="hello-http-00001"} 1
kn_revision_pods_count{k8s_namespace_name="default",kn_revision_name="somebodys-00001"} 50
kn_revision_pods_desired{k8s_namespace_name="default",kn_revision_name="hello-grpc-00001"} 4
kn_revision_pods_desired{k8s_namespace_name="elsewhere",kn_revision_name="hello-grpc-00001"} 40
kn_revision_pods_not_ready_count{k8s_namespace_name="default",kn_revision_name="hello-grpc-00001"} 0
"#,
        r#"http_server_request_duration_seconds_count{http_response_status_code="200",k8s_namespace_name="default",kn_revision_name="hello-grpc-00001"} 320
http_server_request_duration_seconds_count{http_response_status_code="503",k8s_namespace_name="default",kn_revision_name="hello-grpc-00001"} 2
kn_revision_request_concurrency{k8s_namespace_name="default",kn_revision_name="hello-grpc-00001"} 4.908428943398071
kn_revision_request_queued{k8s_namespace_name="default",kn_revision_name="hello-grpc-00001"} 3
"#,
    ];

    #[test]
    fn the_new_names_are_read_and_the_series_of_other_services_are_not() {
        let sample = fold(&NEW.map(str::to_owned), "default", &services());
        let expected = AutoscalerSample {
            desired_pods: Some(4.0),
            unready_pods: Some(0.0),
            running_pods: Some(7.0),
            activator_queue: Some(3.0),
            activator_request_count: Some(322.0),
            stable_concurrency: Some(2.475156),
            panic_concurrency: Some(0.989903),
            ..AutoscalerSample::default()
        };
        assert_eq!(sample, expected);
    }

    /// Lines of autoscaler.two-revisions-rps-and-concurrency.prom, with loads that differ from zero.
    #[test]
    fn functions_that_scale_by_rate_have_rates() {
        let text = r#"kn_revision_concurrency_stable{k8s_namespace_name="default",kn_revision_name="hello-grpc-00001"} 2.475156
kn_revision_rps_panic_per_second{k8s_namespace_name="default",kn_revision_name="hello-http-00001"} 41.5
kn_revision_rps_stable_per_second{k8s_namespace_name="default",kn_revision_name="hello-http-00001"} 35
kn_revision_rps_target_per_second{k8s_namespace_name="default",kn_revision_name="hello-http-00001"} 35
autoscaler_stable_requests_per_second{namespace_name="default",revision_name="hello-http-00001"} 7
"#;
        let expected = AutoscalerSample {
            stable_concurrency: Some(2.475156),
            stable_rps: Some(35.0),
            panic_rps: Some(41.5),
            ..AutoscalerSample::default()
        };
        assert_eq!(fold(&[text.to_owned()], "default", &services()), expected);
    }

    #[test]
    fn the_old_names_are_read_too() {
        let old = r#"autoscaler_desired_pods{configuration_name="hello-grpc",namespace_name="default",revision_name="hello-grpc-00001",service_name="hello-grpc"} 2
autoscaler_pending_pods{namespace_name="default",revision_name="hello-grpc-00001"} 1
activator_request_concurrency{namespace_name="default",revision_name="hello-grpc-00001"} 5
"#;
        let expected = AutoscalerSample {
            desired_pods: Some(2.0),
            pending_pods: Some(1.0),
            activator_queue: Some(5.0),
            ..AutoscalerSample::default()
        };
        assert_eq!(fold(&[old.to_owned()], "default", &services()), expected);
    }

    #[test]
    fn queries_contain_both_names() {
        let asked = expression(&FIGURES[0], "loader", "142501123-9f3a");
        assert_eq!(
            asked,
            "sum(kn_revision_pods_desired{k8s_namespace_name=\"loader\",kn_revision_name=~\".*142501123-9f3a-[0-9]+\"} or \
             autoscaler_desired_pods{namespace_name=\"loader\",revision_name=~\".*142501123-9f3a-[0-9]+\"})"
        );
        assert_eq!(
            quantile(&QUANTILES[1]),
            "histogram_quantile(0.95, sum by (le) (rate(scheduler_scheduling_attempt_duration_seconds_bucket[1m]) or \
             rate(scheduler_e2e_scheduling_duration_seconds_bucket[1m])))"
        );
    }
}
