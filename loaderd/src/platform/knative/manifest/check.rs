//! Invariants of every manifest.

#![expect(clippy::expect_used, reason = "a check ends in a panic; nothing of this is in the daemon")]

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Filling, ManifestError, service};
use crate::{
    id::RunId,
    platform::{FunctionDeployment, testkit},
};

/// A manifest, filled in for some run.
pub(super) fn filled_with(manifest: &str, function: &FunctionDeployment) -> Result<Value, ManifestError> {
    let run: RunId = "20261123t142501123-9f3a".parse().expect("an id");
    let selector = BTreeMap::from([("kind".to_owned(), "worker".to_owned())]);
    let filling = Filling {
        service: "steady-142501123-9f3a",
        namespace: "loader",
        run: &run,
        image: "registry.example/trace-func:1",
        function,
        timeout_seconds: 600,
        progress_deadline_seconds: 120,
        node_selector: &selector,
    };
    service(manifest, &filling)
}

/// A manifest is refused, or its Service carries the run's labels, by which it is cleaned up.
pub(crate) fn check_manifest(manifest: &str) {
    if let Ok(object) = filled_with(manifest, &testkit::function("steady")) {
        assert_eq!(object["metadata"]["labels"]["loader.dev/run"], "20261123t142501123-9f3a");
        assert_eq!(object["metadata"]["name"], "steady-142501123-9f3a");
        assert_eq!(object["metadata"]["namespace"], "loader");
    }
}
