//! The functions of a run as they were deployed: functions.csv.

use std::path::Path;

use loader_proto::schema::{FunctionRecord, Functions};

use super::{CsvFile, RecordError};
use crate::{
    endpoint::Endpoint,
    plan::PlannedFunction,
    platform::{Deploy, Resources},
};

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
        let mut file = CsvFile::<Functions>::create(directory)?;
        let rows = self.functions.iter().zip(&self.deploy.functions).zip(self.endpoints);
        for ((function, deployment), endpoint) in rows {
            let (address, authority) =
                endpoint.as_ref().map_or(("", ""), |it| (it.address.as_str(), it.authority.as_str()));
            let Resources { cpu_request_millicores, cpu_limit_millicores, memory_mib } = deployment.resources;
            file.append(&FunctionRecord {
                function: function.name.as_str().into(),
                source_id: function.source_id.as_str().into(),
                trigger: function.trigger.as_str().into(),
                endpoint: address.into(),
                authority: authority.into(),
                initial_scale: deployment.scaling.initial,
                cpu_request_millicores: self.on_cluster.then_some(cpu_request_millicores),
                cpu_limit_millicores: self.on_cluster.then_some(cpu_limit_millicores),
                memory_request_mib: self.on_cluster.then_some(memory_mib),
                planned_invocations: function.invocations,
            })?;
        }
        file.sync()
    }
}
