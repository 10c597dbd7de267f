//! Roles, and which one each method needs.

use std::{fmt, str::FromStr};

/// What a caller may do; each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// May read runs, studies, records, plans and the daemon's status.
    Read,
    /// May also submit and cancel runs and studies, pin runs, upload traces and delete its own, make single invocations.
    Submit,
    /// May also delete runs and studies, and clean up after runs.
    Admin,
}

/// The text is not a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be read, submit or admin")]
pub struct InvalidRole;

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        match text {
            "read" => Ok(Self::Read),
            "submit" => Ok(Self::Submit),
            "admin" => Ok(Self::Admin),
            _ => Err(InvalidRole),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Submit => "submit",
            Self::Admin => "admin",
        })
    }
}

/// The role that a method needs, by the path of its request: `/package.Service/Method`. `None`: no role is
/// needed, as for health alone. An unknown method needs the highest role.
pub fn needed(path: &str) -> Option<Role> {
    let (service, method) = path.trim_start_matches('/').split_once('/').unwrap_or((path, ""));
    match (service, method) {
        ("grpc.health.v1.Health", _) => None,
        ("grpc.reflection.v1.ServerReflection" | "grpc.reflection.v1alpha.ServerReflection", _) => Some(Role::Read),
        (
            "loader.v1.LoaderControl",
            "PlanRun" | "StreamPlan" | "PlanStudy" | "GetRun" | "ListRuns" | "WatchRun" | "StreamRecords"
            | "DownloadResults" | "GetStatus" | "QueryMetrics" | "ListTraces" | "GetStudy" | "ListStudies"
            | "WatchStudy" | "CreatePageAddress",
        ) => Some(Role::Read),
        (
            "loader.v1.LoaderControl",
            "SubmitRun" | "CancelRun" | "PinRun" | "UploadTrace" | "DeleteTrace" | "Invoke" | "SubmitStudy"
            | "CancelStudy" | "ProceedStudy",
        ) => Some(Role::Submit),
        ("loader.v1.LoaderControl", "DeleteRun" | "CleanRuns" | "DeleteStudy") => Some(Role::Admin),
        _ => Some(Role::Admin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_includes_the_ones_before() {
        assert!(Role::Read < Role::Submit && Role::Submit < Role::Admin);
        for role in [Role::Read, Role::Submit, Role::Admin] {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        assert_eq!("root".parse::<Role>(), Err(InvalidRole));
    }

    #[test]
    fn each_method_has_a_role_by_name() {
        let (api, here) = (include_str!("../../../proto/loader/v1/control.proto"), include_str!("role.rs"));
        let methods = api.lines().filter_map(|line| line.trim().strip_prefix("rpc ")?.split_once('('));
        for (method, _) in methods {
            assert!(here.contains(&format!("\"{method}\"")), "{method}");
        }
    }

    #[test]
    fn only_health_needs_no_role_and_an_unknown_method_needs_the_highest() {
        assert_eq!(needed("/grpc.health.v1.Health/Check"), None);
        assert_eq!(needed("/loader.v1.LoaderControl/GetRun"), Some(Role::Read));
        assert_eq!(needed("/loader.v1.LoaderControl/SubmitRun"), Some(Role::Submit));
        for path in ["/loader.v1.LoaderControl/DeleteRun", "/loader.v1.LoaderControl/New", "/other/GetRun", "", "/"] {
            assert_eq!(needed(path), Some(Role::Admin), "{path:?}");
        }
    }
}
