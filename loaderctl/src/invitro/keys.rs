//! The keys of InVitro's configurations of the loader and of failures, and what is done with each. `docs/from-invitro.md` has
//! the same tables.

/// What is done with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// It sets fields of the spec.
    Taken,
    /// It is left out.
    Dropped,
    /// One or the other, by its value.
    ByValue,
    /// Refused where it is true, left out where it is false.
    RefusedWhereTrue,
}

/// A key of the configuration.
#[derive(Debug)]
pub(super) struct Key {
    /// Its name, as InVitro writes it; the reader takes any letter case.
    pub(super) name: &'static str,
    /// What is done with it.
    pub(super) done: Done,
    /// The fields that it sets, by their paths in a spec.
    pub(super) fields: &'static [&'static str],
    /// Why it is left out, where it is.
    pub(super) reason: &'static str,
}

const fn taken(name: &'static str, fields: &'static [&'static str], reason: &'static str) -> Key {
    Key { name, done: Done::Taken, fields, reason }
}

const fn by_value(name: &'static str, fields: &'static [&'static str], reason: &'static str) -> Key {
    Key { name, done: Done::ByValue, fields, reason }
}

const fn dropped(name: &'static str, reason: &'static str) -> Key {
    Key { name, done: Done::Dropped, fields: &[], reason }
}

const OF_RATE: &str = "belongs to mode RPS, and this is a trace";
const OF_DAGS: &str = "belongs to DAGMode";
const OF_DIRIGENT: &str = "belongs to Dirigent's file; InVitro ignores it here";
const NO_COLD_STARTS: &str = "no cold starts are requested, or this is a trace";

/// The keys of a failure configuration.
pub(super) static FAILURE_KEYS: &[Key] = &[
    by_value("FailureEnabled", &["disturb"], "nothing is disturbed"),
    by_value("FailAt", &["disturb.at"], "nothing is disturbed"),
    by_value("FailComponent", &["disturb.do", "disturb.of"], "nothing is disturbed"),
    by_value("FailNode", &["disturb.node"], "on Knative it is of worker_node alone"),
];

/// All keys of a loader configuration, in the order of InVitro's guide, and those of Dirigent's file that its loader configurations carry.
pub(super) static KEYS: &[Key] = &[
    taken("Seed", &["seed"], ""),
    taken("Platform", &["platform"], "--platform takes its place"),
    dropped("DirigentConfigPath", "there is no platform Dirigent"),
    taken("InvokeProtocol", &["function.protocol"], ""),
    by_value("YAMLSelector", &["function.kind"], "the manifest is a setting of the daemon: [knative] manifest"),
    dropped("EndpointPort", "the ingress is found by the daemon, or set: [knative] gateway"),
    taken("RpsTarget", &["rps.start", "rps.end"], OF_RATE),
    taken("RpsColdStartRatioPercentage", &["rps.coldStartRatio"], OF_RATE),
    by_value("RpsCooldownSeconds", &["rps.cooldown"], NO_COLD_STARTS),
    taken("RpsRuntimeMs", &["rps.runtime"], OF_RATE),
    taken("RpsMemoryMB", &["rps.memoryMib"], OF_RATE),
    dropped("RpsIterationMultiplier", "functions work until a deadline, not for a number of iterations"),
    taken("TracePath", &["trace.path"], "--trace takes its place"),
    by_value("Granularity", &["trace.granularity"], "the mode has no columns"),
    dropped("OutputPathPrefix", "files have the run's name: loaderctl results RUN --layout invitro --to DIR"),
    by_value("IATDistribution", &["arrivals"], "times are exact: InVitro ignores it here"),
    taken("CPULimit", &["deploy.cpuLimit"], ""),
    taken("ExperimentDuration", &["trace.duration", "rps.slot"], ""),
    taken("WarmupDuration", &["trace.duration", "rps.slot"], ""),
    taken("IsPartiallyPanic", &["scaling.panicWindowPercentage", "scaling.panicThresholdPercentage"], ""),
    dropped("EnableZipkinTracing", "spans are a setting of the daemon: [otlp]"),
    dropped("EnableMetricsScrapping", "samples are always taken"),
    dropped("MetricScrapingPeriodSeconds", "the period is a setting of the daemon: [scrape] period"),
    taken("AutoscalingMetric", &["scaling.metric"], ""),
    taken("GRPCConnectionTimeoutSeconds", &["connectTimeout"], ""),
    taken("GRPCFunctionTimeoutSeconds", &["functionTimeout"], ""),
    Key { name: "DAGMode", done: Done::RefusedWhereTrue, fields: &[], reason: "each function is invoked by itself" },
    dropped("EnableDAGDataset", OF_DAGS),
    dropped("Width", OF_DAGS),
    dropped("Depth", OF_DAGS),
    by_value("VSwarm", &["platform", "function.kind"], "functions are this loader's"),
    by_value(
        "BusyLoopOnSandboxStartup",
        &["function.startupBusyLoop"],
        "instances start without a busy loop, as they do by default",
    ),
    dropped("PrepullMode", OF_DIRIGENT),
    dropped("AsyncMode", OF_DIRIGENT),
    dropped("AsyncResponseURL", OF_DIRIGENT),
    dropped("AsyncWaitToCollectMin", OF_DIRIGENT),
    dropped("RpsImage", OF_DIRIGENT),
    dropped("RpsRequestedGpu", OF_DIRIGENT),
    dropped("RpsFile", OF_DIRIGENT),
    dropped("RpsDataSizeMB", OF_DIRIGENT),
];

impl Key {
    /// The key of this name among some, in any letter case.
    pub(super) fn named<'k>(keys: &'k [Self], name: &str) -> Option<&'k Self> {
        keys.iter().find(|key| key.name.eq_ignore_ascii_case(name))
    }
}
