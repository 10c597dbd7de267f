//! The functions of a run as they were deployed: functions.csv.

use std::path::Path;

use super::{CsvFile, RecordError};
use crate::{
    endpoint::Endpoint,
    plan::PlannedFunction,
    platform::{Deploy, Resources},
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

/// The rows of functions.csv. The three lists go along with each other.
pub(crate) struct FunctionRows<'a> {
    pub(crate) functions: &'a [PlannedFunction],
    pub(crate) deploy: &'a Deploy,
    /// Whether requests and limits mean anything where they are deployed.
    pub(crate) on_cluster: bool,
    pub(crate) endpoints: &'a [Result<Endpoint, String>],
}

impl FunctionRows<'_> {
    /// Writes functions.csv into the run's directory. Requests and limits are a cluster's; elsewhere they are empty, and so
    /// is the endpoint of a function that failed.
    ///
    /// # Errors
    /// What can't be written.
    pub(crate) fn write(&self, directory: &Path) -> Result<(), RecordError> {
        let mut file = CsvFile::create(&directory.join("functions.csv"), &COLUMNS)?;
        let rows = self.functions.iter().zip(&self.deploy.functions).zip(self.endpoints);
        for ((function, deployment), endpoint) in rows {
            let (address, authority) =
                endpoint.as_ref().map_or(("", ""), |it| (it.address.as_str(), it.authority.as_str()));
            let Resources { cpu_request_millicores, cpu_limit_millicores, memory_mib } = deployment.resources;
            let resources = [cpu_request_millicores, cpu_limit_millicores, memory_mib];
            let [request, limit, memory] =
                resources.map(|it| if self.on_cluster { it.to_string() } else { String::new() });
            file.append([
                function.name.as_str(),
                &function.source_id,
                &function.trigger,
                address,
                authority,
                &deployment.scaling.initial.to_string(),
                &request,
                &limit,
                &memory,
                &function.invocations.map(|count| count.to_string()).unwrap_or_default(),
            ])?;
        }
        file.sync()
    }
}
