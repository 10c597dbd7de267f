//! The room of this machine for instances: their number, their memory, and its processors, which nothing shares out.

use std::thread::available_parallelism;

use super::{
    capacity::cost,
    platform::{Local, NAME},
};
use crate::platform::{Allocatable, Allocate, Amounts, FunctionDeployment, NodeRoom, PlatformError};

#[tonic::async_trait]
impl Allocate for Local {
    async fn allocatable(&self) -> Result<Allocatable, PlatformError> {
        let processors = available_parallelism().map_err(|error| PlatformError::Platform {
            platform: NAME,
            reason: format!("the number of processors is unknown: {error}"),
        })?;
        let (most, taken) = self.capacity.amounts();
        let millicores = processors.get() as u64 * 1000;
        let allocatable = Amounts { millicores, ..most };
        let node = NodeRoom { name: "this machine".to_owned(), allocatable, requested: taken };
        Ok(Allocatable { nodes: vec![node], stable_window: self.settings.stable_window })
    }

    fn requests(&self, functions: &[FunctionDeployment]) -> Result<Vec<Amounts>, PlatformError> {
        let request = |function: &FunctionDeployment| Amounts {
            millicores: 0,
            mib: cost(function.peak_memory_mib).into(),
            instances: 1,
        };
        Ok(functions.iter().map(request).collect())
    }
}
