//! functions.csv, scales.csv and cold_starts.csv: the functions and their instances.

use super::{Text, table::table};

table! {
    /// One row per function, in the order of the plan.
    Functions in "functions.csv", row FunctionRecord<'a> {
        /// Name of the function.
        function: Text<'a>,
        /// Its id in the trace.
        #[absent = "outside mode trace"]
        source_id: Text<'a>,
        /// Its trigger in the trace.
        #[absent = "when the trace has no triggers"]
        trigger: Text<'a>,
        /// Address that invocations are sent to, `host:port`.
        #[absent = "when its deployment failed"]
        endpoint: Text<'a>,
        /// The `:authority` of its requests.
        #[absent = "when its deployment failed"]
        authority: Text<'a>,
        /// Instances that it starts with.
        initial_scale: u32,
        /// CPU request of an instance.
        #[absent = "outside Knative"]
        cpu_request_millicores: Option<u32> [Millicores],
        /// CPU limit of an instance.
        #[absent = "outside Knative"]
        cpu_limit_millicores: Option<u32> [Millicores],
        /// Memory request of an instance.
        #[absent = "outside Knative"]
        memory_request_mib: Option<u32> [Mib],
        /// Its invocations in the plan.
        #[absent = "when the length of the plan is not known in advance"]
        planned_invocations: Option<u64>,
    }
}

table! {
    /// One row per change of a function's instances, as reported by the platform; only the header where it reports none.
    Scales in "scales.csv", row ScaleRecord<'a> {
        /// When the change was observed; where `source` is `object`, when it happened, a whole second.
        unix_us: i64 [UnixMicros],
        /// Name of the function.
        function: Text<'a>,
        /// Instances that the autoscaler wants.
        desired: u32,
        /// Instances that are ready.
        running: u32,
        /// Instances that were started and are not ready yet.
        unready: u32,
        /// Instances that wait to be scheduled.
        pending: u32,
        /// Instances that are terminating.
        terminating: u32,
        /// Invocations that wait for an instance.
        #[absent = "when the platform does not report it"]
        queue: Option<u32>,
        /// `watch` where the change was observed as it happened, `object` where that was learned later, from the objects.
        #[absent = "outside Knative"]
        source: Text<'a>,
    }
}

table! {
    /// One row per pod that was created during the run, also when it never became ready. Knative only.
    ColdStarts in "cold_starts.csv", row ColdStartRecord<'a> {
        /// Name of the function.
        function: Text<'a>,
        /// Name of the pod; `instance` in invocations.csv.
        instance: Text<'a>,
        /// When the increase of the desired scale that it was created for was observed.
        #[absent = "when it was not observed before the pod"]
        desired_unix_us: Option<i64> [UnixMicros],
        /// When it was created.
        created_unix_us: i64 [UnixMicros],
        /// When it was scheduled to a node.
        #[absent = "when it was not scheduled"]
        scheduled_unix_us: Option<i64> [UnixMicros],
        /// When its container started.
        #[absent = "when it did not start"]
        started_unix_us: Option<i64> [UnixMicros],
        /// When it was ready.
        #[absent = "when it did not get ready"]
        ready_unix_us: Option<i64> [UnixMicros],
        /// When the response to its first invocation was received; filled in after the load.
        #[absent = "when it did not respond"]
        first_reply_unix_us: Option<i64> [UnixMicros],
        /// `watch` where its stages were observed as they happened, `object` where any was learned later, from the objects: then
        /// its time is a whole second.
        source: Text<'a>,
    }
}
