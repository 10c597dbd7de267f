//! The lines of the log about requests: who changed what.

use std::{collections::HashSet, sync::LazyLock};

use http::Response;
use prost::Message as _;
use prost_types::{FileDescriptorSet, MethodDescriptorProto, ServiceDescriptorProto};
use tonic::{Status, body::Body};

use crate::{
    access::{Caller, ListenerKind, Peer},
    id::{RunId, StudyId},
};

/// The paths of all methods of the control API.
static METHODS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let files = FileDescriptorSet::decode(loader_proto::DESCRIPTORS).unwrap_or_default().file;
    let paths = files.iter().flat_map(|file| {
        let path = |service: &ServiceDescriptorProto, method: &MethodDescriptorProto| {
            format!("/{}.{}/{}", file.package(), service.name(), method.name())
        };
        file.service.iter().flat_map(move |service| service.method.iter().map(move |method| path(service, method)))
    });
    paths.collect()
});

/// The name of a method, for the log; paths are the clients' choice.
pub(super) fn method(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or_default();
    let of_library = path.starts_with("/grpc.") && ["Check", "Watch", "List", "ServerReflectionInfo"].contains(&name);
    if of_library || METHODS.contains(path) { name } else { "unknown" }
}

/// Where a request comes from, for the log.
pub(super) fn origin(peer: Option<&Peer>) -> String {
    match peer {
        Some(Peer { listener: ListenerKind::Socket { .. }, .. }) => "the Unix socket".to_owned(),
        Some(Peer { address: Some(address), .. }) => address.ip().to_string(),
        Some(Peer { address: None, .. }) | None => "?".to_owned(),
    }
}

/// The run that a request changed, which the service puts into its response's extensions.
#[derive(Debug, Clone)]
pub(super) struct Changed(pub(super) RunId);

/// The study that a request changed, likewise.
#[derive(Debug, Clone)]
pub(super) struct ChangedStudy(pub(super) StudyId);

/// Logs who changed what. A stream is logged when it begins, so that its code is that of its start. Requests that changed nothing are
/// warnings, of which many are summed up.
pub(super) fn audit(caller: &Caller, peer: Option<&Peer>, method: &str, answer: &Response<Body>) {
    let code = Status::from_header_map(answer.headers()).map_or(tonic::Code::Ok, |status| status.code());
    let (client, origin, changes) = (caller.name.as_str(), origin(peer), code == tonic::Code::Ok);
    let code = format!("{code:?}");
    if let Some(ChangedStudy(study)) = answer.extensions().get() {
        return log::info!(
            STUDY_ID = study.as_str(), CLIENT = client, METHOD = method, CODE = code.as_str();
            "audit: {client} by {origin}: {method} of {study}: {code}"
        );
    }
    match answer.extensions().get::<Changed>() {
        Some(Changed(run)) => log::info!(
            RUN_ID = run.as_str(), CLIENT = client, METHOD = method, CODE = code.as_str();
            "audit: {client} by {origin}: {method}: {code}"
        ),
        None if changes => log::info!(
            CLIENT = client, METHOD = method, CODE = code.as_str();
            "audit: {client} by {origin}: {method}: {code}"
        ),
        None => log::warn!(
            CLIENT = client, METHOD = method, CODE = code.as_str(), WAY = origin.as_str();
            "audit: {client} by {origin}: {method}: {code}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_methods_of_the_daemon_are_named_in_the_log() {
        for path in ["/loader.v1.LoaderControl/SubmitRun", "/grpc.health.v1.Health/Check"] {
            assert_eq!(Some(method(path)), path.rsplit('/').next());
        }
        for path in ["/loader.v1.LoaderControl/Submit", "/other/SubmitRun", "/grpc.health.v1.Health/x", "/", ""] {
            assert_eq!(method(path), "unknown", "{path}");
        }
    }
}
