//! Names of Services: valid, and unique to the run. Pure.

use sha2::{Digest as _, Sha256};

use crate::id::RunId;

/// The label of everything that a loaderd manages.
pub(super) const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "loaderd");
/// The label with the run's id.
pub(super) const RUN: &str = "loader.dev/run";
/// Knative's label of everything that belongs to a Service.
pub(super) const SERVICE: &str = "serving.knative.dev/service";

/// The label of the workers of runs, which functions do not have.
pub(super) const WORKER: (&str, &str) = ("app.kubernetes.io/component", "worker");

/// Longest part of a name that is the function's. With the run's part, and what Knative adds for a revision, a name stays below
/// the 63 characters of a label's value.
const FUNCTION_PART: usize = 40;

/// The name of a function's Service: the function's name, made a DNS-1035 label, and the part of the run's id that
/// distinguishes runs of a day.
pub(super) fn service(function: &str, run: &RunId) -> String {
    let label: String =
        function.to_ascii_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let label = label.trim_matches('-');
    let starts_well = label.starts_with(|first: char| first.is_ascii_lowercase());
    let label = if starts_well { label.to_owned() } else { format!("f-{label}") };
    let label = if label.len() <= FUNCTION_PART && label == function {
        label
    } else {
        // Two functions whose names differ only in what is cut or replaced must not share a Service.
        let digest = Sha256::digest(function.as_bytes());
        let kept: String = label.chars().take(FUNCTION_PART - 7).collect();
        format!("{}-{:02x}{:02x}{:02x}", kept.trim_end_matches('-'), digest[0], digest[1], digest[2])
    };
    format!("{label}-{}", suffix(run))
}

/// The suffix of the names of a run's Services: of `20261123t142501123-9f3a` what follows the date.
pub(super) fn suffix(run: &RunId) -> &str {
    let run = run.as_str();
    run.split_once('t').map_or(run, |(_, rest)| rest)
}

/// The name of the Job of a run's workers, and of its Secret.
pub(super) fn workers(run: &RunId) -> String {
    format!("workers-{}", suffix(run))
}

/// The label selector of the pods of a run's workers.
pub(super) fn workers_of_run(run: &RunId) -> String {
    let (component, worker) = WORKER;
    format!("{},{component}={worker}", of_run(run))
}

/// The label selector of a run's objects.
pub(super) fn of_run(run: &RunId) -> String {
    let (managed_by, loaderd) = MANAGED_BY;
    format!("{managed_by}={loaderd},{RUN}={run}")
}

/// The label selector of the objects of all runs.
pub(super) fn of_any_run() -> String {
    let (managed_by, loaderd) = MANAGED_BY;
    format!("{managed_by}={loaderd},{RUN}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_labels_that_leave_room_and_differ() {
        let run: RunId = "20261123t142501123-9f3a".parse().unwrap();
        let long = "a-function-whose-name-is-as-long-as-a-label-may-be-at-the-very-most";
        for (function, expected) in [
            ("steady", "steady-142501123-9f3a"),
            ("0f3e", "f-0f3e-15429c-142501123-9f3a"),
            ("A_b.c", "a-b-c-e0a7cf-142501123-9f3a"),
            (long, "a-function-whose-name-is-as-long-053927-142501123-9f3a"),
        ] {
            assert_eq!(service(function, &run), expected);
        }
        assert!(service(&long[..41], &run) != service(&long[..42], &run));
        assert!(service(long, &run).len() + "-00001".len() <= 63);
    }
}
