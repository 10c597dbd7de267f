//! nodes.csv, pods.csv and autoscaler.csv: samples of a cluster.

use super::{Fixed, Rounded, Text, table::table};

table! {
    /// One row per node and sample. Knative only.
    NodeSamples in "nodes.csv", row NodeRecord<'a> {
        /// When the sample was taken.
        unix_us: i64 [UnixMicros],
        /// Name of the node.
        node: Text<'a>,
        /// `control-plane` or `worker`.
        role: Text<'a>,
        /// CPU in use.
        #[absent = "when there are no usage metrics"]
        cpu_millicores: Option<Rounded<3>> [Millicores],
        /// CPU in use, as a share of what the node can allocate.
        #[absent = "when there are no usage metrics"]
        cpu_ratio: Option<Fixed<4>> [Ratio],
        /// CPU requests of the pods on the node that have not ended.
        #[absent = "when the pods could not be listed"]
        cpu_requests_millicores: Option<Rounded<3>> [Millicores],
        /// CPU limits of these pods.
        #[absent = "when the pods could not be listed"]
        cpu_limits_millicores: Option<Rounded<3>> [Millicores],
        /// Memory in use.
        #[absent = "when there are no usage metrics"]
        memory_mib: Option<Rounded<3>> [Mib],
        /// Memory in use, as a share of what the node can allocate.
        #[absent = "when there are no usage metrics"]
        memory_ratio: Option<Fixed<4>> [Ratio],
        /// Memory requests of these pods.
        #[absent = "when the pods could not be listed"]
        memory_requests_mib: Option<Rounded<3>> [Mib],
        /// Memory limits of these pods.
        #[absent = "when the pods could not be listed"]
        memory_limits_mib: Option<Rounded<3>> [Mib],
        /// Pods on the node that have not ended, of all namespaces.
        #[absent = "when the pods could not be listed"]
        pods: Option<u32>,
    }
}

table! {
    /// One row per pod of the run and sample. Knative only.
    PodSamples in "pods.csv", row PodRecord<'a> {
        /// When the sample was taken.
        unix_us: i64 [UnixMicros],
        /// Name of the pod.
        pod: Text<'a>,
        /// Name of the function.
        function: Text<'a>,
        /// Name of the node.
        #[absent = "when it was not scheduled yet"]
        node: Text<'a>,
        /// `Pending`, `Running`, `Terminating`, `Succeeded` or `Failed`.
        phase: Text<'a>,
        /// CPU in use.
        #[absent = "when there are no usage metrics, and when the pod has no sample yet"]
        cpu_millicores: Option<Rounded<3>> [Millicores],
        /// Memory in use.
        #[absent = "when there are no usage metrics, and when the pod has no sample yet"]
        memory_mib: Option<Rounded<3>> [Mib],
    }
}

table! {
    /// One row per sample of Knative's autoscaler and activator and of the Kubernetes scheduler. Counts are sums over the
    /// functions of the run. Knative only.
    AutoscalerSamples in "autoscaler.csv", row AutoscalerRecord {
        /// When the sample was taken.
        unix_us: i64 [UnixMicros],
        /// Instances that the autoscaler wants, before bounds.
        #[absent = "when the metric could not be scraped"]
        desired_pods: Option<Rounded<3>>,
        /// Instances that are not ready.
        #[absent = "when the metric could not be scraped"]
        unready_pods: Option<Rounded<3>>,
        /// Instances that are not scheduled.
        #[absent = "when the metric could not be scraped"]
        pending_pods: Option<Rounded<3>>,
        /// Instances that the autoscaler requested from Kubernetes.
        #[absent = "when the metric could not be scraped"]
        requested_pods: Option<Rounded<3>>,
        /// Instances that run.
        #[absent = "when the metric could not be scraped"]
        running_pods: Option<Rounded<3>>,
        /// Invocations that wait in the activator.
        #[absent = "when the metric could not be scraped"]
        activator_queue: Option<Rounded<3>>,
        /// Invocations that the activator has forwarded so far.
        #[absent = "when the metric could not be scraped"]
        activator_request_count: Option<Rounded<3>>,
        /// Concurrency over the stable window, mean of the functions.
        #[absent = "when the metric could not be scraped, and when no function scales by `concurrency`"]
        stable_concurrency: Option<Rounded<3>>,
        /// Concurrency over the panic window, mean of the functions.
        #[absent = "when the metric could not be scraped, and when no function scales by `concurrency`"]
        panic_concurrency: Option<Rounded<3>>,
        /// Duration of a scheduling attempt, median.
        #[absent = "when the metric could not be scraped"]
        scheduling_p50_us: Option<Fixed<0>> [Micros],
        /// Duration of a scheduling attempt, 95th percentile.
        #[absent = "when the metric could not be scraped"]
        scheduling_p95_us: Option<Fixed<0>> [Micros],
        /// Time from a pod's creation until it is scheduled, median.
        #[absent = "when the metric could not be scraped"]
        placement_p50_us: Option<Fixed<0>> [Micros],
        /// Time from a pod's creation until it is scheduled, 95th percentile.
        #[absent = "when the metric could not be scraped"]
        placement_p95_us: Option<Fixed<0>> [Micros],
        /// Requests per second over the stable window, mean of the functions.
        #[absent = "when the metric could not be scraped, and when no function scales by `rps`"]
        stable_rps: Option<Rounded<3>> [PerSecond],
        /// Requests per second over the panic window, mean of the functions.
        #[absent = "when the metric could not be scraped, and when no function scales by `rps`"]
        panic_rps: Option<Rounded<3>> [PerSecond],
    }
}
