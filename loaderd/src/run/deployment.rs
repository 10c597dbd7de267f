//! What a run asks of its platform, and functions.csv.

use std::path::Path;

use crate::{
    endpoint::Endpoint,
    id::RunId,
    plan::PlannedFunction,
    platform::{Deploy, FunctionDeployment, Scaling},
    record::{CsvFile, RecordError},
    spec::RunSpec,
};

/// The columns of functions.csv.
const COLUMNS: [&str; 10] = [
    "function",
    "source_id",
    "trigger",
    "endpoint",
    "authority",
    "initial_scale",
    "cpu_request_millicores",
    "cpu_limit_millicores",
    "memory_request_mib",
    "planned_invocations",
];

/// Most instances of a function where the spec does not say.
const MAX_SCALE: u32 = 200;

/// The deployment of a plan's functions, as the spec wants them to scale.
pub(super) fn request(run: RunId, spec: &RunSpec, functions: &[PlannedFunction]) -> Deploy {
    let scaling = &spec.scaling;
    let max = scaling.max_scale.unwrap_or(MAX_SCALE);
    let functions = functions.iter().map(|function| FunctionDeployment {
        name: function.name.clone(),
        kind: spec.kind.as_str().to_owned(),
        peak_memory_mib: function.peak_memory_mib,
        scaling: Scaling {
            initial: scaling.initial_scale.unwrap_or(function.initial_scale),
            min: scaling.min_scale.unwrap_or(0),
            max: (max > 0).then_some(max),
            container_concurrency: scaling.container_concurrency.unwrap_or(1),
            stable_window: scaling.stable_window,
        },
    });
    Deploy { run, functions: functions.collect(), targets: spec.attach.clone() }
}

/// The rows of functions.csv. The three lists go along with each other.
pub(super) struct FunctionRows<'a> {
    pub(super) functions: &'a [PlannedFunction],
    pub(super) deploy: &'a Deploy,
    pub(super) endpoints: &'a [Endpoint],
}

impl FunctionRows<'_> {
    /// Writes functions.csv into the run's directory. Requests and limits are a cluster's; where there are none they are
    /// empty.
    ///
    /// # Errors
    /// What can't be written.
    pub(super) fn write(&self, directory: &Path) -> Result<(), RecordError> {
        let mut file = CsvFile::create(&directory.join("functions.csv"), &COLUMNS)?;
        let rows = self.functions.iter().zip(&self.deploy.functions).zip(self.endpoints);
        for ((function, deployment), endpoint) in rows {
            file.append([
                function.name.as_str(),
                &function.source_id,
                &function.trigger,
                &endpoint.address,
                &endpoint.authority,
                &deployment.scaling.initial.to_string(),
                "",
                "",
                "",
                &function.invocations.map(|count| count.to_string()).unwrap_or_default(),
            ])?;
        }
        file.sync()
    }
}
