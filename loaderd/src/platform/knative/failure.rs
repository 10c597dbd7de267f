//! Errors of requests to the API server: which are transient, and their description for users.

use kube::{Error, core::Status, runtime::watcher};

/// Whether a retry may help: the server or a webhook of it is unreachable or busy. All others are permanent: the request or the
/// configuration is wrong.
pub(super) fn is_transient(error: &Error) -> bool {
    matches!(error, Error::Api(status) if is_busy(status)) || is_of_the_connection(error)
}

/// Whether the request did not reach the server, or its answer did not come back.
pub(super) fn is_of_the_connection(error: &Error) -> bool {
    matches!(error, Error::HyperError(_) | Error::Service(_) | Error::ReadEvents(_))
}

fn is_busy(status: &Status) -> bool {
    let webhook_away = status.reason == "InternalError" && status.message.contains("failed calling webhook");
    // A new namespace without its default ServiceAccount.
    let account_to_come = status.code == 403 && status.message.contains("error looking up service account");
    let is_busy = matches!(status.code, 408 | 429 | 502 | 503 | 504) && !is_of_closed_port(status);
    webhook_away || account_to_come || is_busy
}

/// 503-pod-proxy-port-closed.json: the API server has reached the pod's host, which is an answer.
fn is_of_closed_port(status: &Status) -> bool {
    status.code == 503
        && status.message.starts_with("error trying to reach service")
        && status.message.ends_with("connection refused")
}

/// Whether a pod was asked through the API server that has closed the port.
pub(super) fn is_port_closed(error: &Error) -> bool {
    matches!(error, Error::Api(status) if is_of_closed_port(status))
}

/// Whether a request that is right may succeed later. A server that has just come back refuses for a moment what is allowed (403),
/// and does not serve all groups yet (404): it has not read the roles and the custom resources.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all others are of the connection or the configuration, which may be mended"
)]
pub(super) fn may_pass(error: &Error) -> bool {
    match error {
        Error::Api(status) => matches!(status.code, 401 | 403 | 404 | 408 | 429 | 500..),
        Error::SerdeError(_) | Error::BuildRequest(_) | Error::HttpError(_) => false,
        _ => true,
    }
}

/// Whether a server that has just come back answers so to a request that is allowed: its authoriser has not read the roles yet, or it
/// does not know the custom resources. A refusal by admission, such as of a quota, is none of these.
pub(super) fn is_of_startup(error: &Error) -> bool {
    let Error::Api(status) = error else { return false };
    is_unserved(status) || (status.code == 403 && status.message.contains(" cannot "))
}

/// Whether the object does not exist.
pub(super) fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 404 && !is_unserved(status))
}

/// Whether the identity may not do this.
pub(super) fn is_forbidden(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 403)
}

/// Whether there is an object of this name already.
pub(super) fn is_conflict(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 409)
}

/// Whether the server does not serve the resource: it answers that with a page, which is not a Status.
fn is_unserved(status: &Status) -> bool {
    status.code == 404 && status.reason != "NotFound"
}

/// Whether the server rejected the credentials.
pub(super) fn is_unauthorized(error: &Error) -> bool {
    matches!(error, Error::Api(status) if status.code == 401)
}

/// Whether a watch can't go on with its client: the server rejected the credentials.
pub(super) fn ends_a_watch(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => is_unauthorized(error),
        watcher::Error::WatchError(status) => status.code == 401,
        watcher::Error::NoResourceVersion => false,
    }
}

/// The server's message, or the error chain where it can't be reached; with a remedy, where one is known.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other errors are described by their chain")]
pub(super) fn describe(error: &Error) -> String {
    match error {
        Error::Api(status) => match (status.code, status.message.as_str()) {
            (401, _) => {
                "the API server rejected the credentials (401 Unauthorized): the token may have expired".to_owned()
            }
            (404, _) if is_unserved(status) => {
                "the API server does not serve this resource (404): what it belongs to is not installed, or the server has just started".to_owned()
            }
            (403, message) if message.contains("exceeded quota") => message.to_owned(),
            (403, message) => {
                format!(
                    "{message}; `loaderctl status` lists the missing permissions, the roles in config/kubernetes/ grant them"
                )
            }
            (409, message) => format!("{message}: another field manager owns these fields"),
            (_, message) if message.contains("must not set the field(s)") => format!(
                "{message}; enable the feature in the ConfigMap config-features of knative-serving, for nodeSelector it is \
                 kubernetes.podspec-nodeselector"
            ),
            (_, message) if message.contains("invalid value: 0") && message.contains("autoscaling.knative.dev") => {
                format!(
                    "{message}; an initial scale of 0 needs allow-zero-initial-scale: \"true\" in the ConfigMap config-autoscaler of \
                 knative-serving"
                )
            }
            (code, "") => format!("HTTP status {code}"),
            (_, message) => message.to_owned(),
        },
        other => crate::error_chain::of(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(code: u16, reason: &str, message: &str) -> Error {
        Error::Api(Status { code, reason: reason.to_owned(), message: message.to_owned(), ..Status::success() }.boxed())
    }

    /// The messages are those of errors/ and webhook-rejections.tsv.
    #[test]
    fn transient_errors_are_told_from_permanent_ones() {
        let webhook = "Internal error occurred: failed calling webhook \"webhook.serving.knative.dev\": failed to call webhook: \
                       Post \"https://webhook.knative-serving.svc:443/defaulting?timeout=10s\": connection refused";
        let closed = "error trying to reach service: dial tcp 10.244.1.10:9090: connect: connection refused";
        assert!(is_port_closed(&api(503, "ServiceUnavailable", closed)));
        assert!(!is_port_closed(&api(503, "ServiceUnavailable", "")));
        for (error, transient) in [
            (api(500, "InternalError", webhook), true),
            (api(500, "InternalError", "etcd is broken"), false),
            (api(504, "Timeout", "Too large resource version: 9, current: 3"), true),
            (api(429, "TooManyRequests", ""), true),
            (api(503, "ServiceUnavailable", "the server is currently unable to handle the request"), true),
            (api(503, "ServiceUnavailable", closed), false),
            (api(400, "BadRequest", "admission webhook denied the request: validation failed"), false),
            (api(401, "Unauthorized", "Unauthorized"), false),
            (api(404, "NotFound", "namespaces \"nons\" not found"), false),
        ] {
            assert_eq!(is_transient(&error), transient, "{error}");
        }
        assert!(is_not_found(&api(404, "NotFound", "")) && is_unauthorized(&api(401, "Unauthorized", "")));
    }

    #[test]
    fn a_clean_up_is_worth_another_try_unless_the_request_is_wrong() {
        let page = api(404, "Failed to parse error data", "404 page not found");
        for code in [401, 403, 404, 408, 429, 500, 502, 503, 504] {
            assert!(may_pass(&api(code, "", "")), "{code}");
        }
        for code in [400, 405, 409, 410, 415, 422] {
            assert!(!may_pass(&api(code, "", "")), "{code}");
        }
        assert!(may_pass(&Error::Service("connection refused".into())));
        // 403-serviceaccount-list-ksvc.json, and an admission plugin's refusal.
        let role = "services.serving.knative.dev is forbidden: User \"system:serviceaccount:loader:loaderd\" cannot list resource \"services\"";
        assert!(is_of_startup(&api(403, "Forbidden", role)) && is_of_startup(&page));
        assert!(!is_of_startup(&api(403, "Forbidden", "pods \"f\" is forbidden: exceeded quota: compute")));
        // 404-unknown-resource.json: that there is no such resource does not say that an object is gone.
        assert!(may_pass(&page) && !is_not_found(&page));
        assert!(describe(&page).contains("does not serve this resource"));
    }

    #[test]
    fn descriptions_name_a_remedy() {
        let rejected = "admission webhook \"validation.webhook.serving.knative.dev\" denied the request: validation failed: must not \
                        set the field(s): spec.template.spec.nodeSelector";
        assert!(describe(&api(400, "BadRequest", rejected)).contains("kubernetes.podspec-nodeselector"));
        let zero = "admission webhook \"validation.webhook.serving.knative.dev\" denied the request: validation failed: invalid \
                    value: 0: spec.template.metadata.annotations.autoscaling.knative.dev/initial-scale";
        assert!(describe(&api(400, "BadRequest", zero)).contains("allow-zero-initial-scale"));
        assert!(describe(&api(401, "Unauthorized", "Unauthorized")).contains("expired"));
        let forbidden = "services.serving.knative.dev is forbidden: User \"limited\" cannot list resource \"services\"";
        assert!(describe(&api(403, "Forbidden", forbidden)).starts_with(forbidden));
    }
}
