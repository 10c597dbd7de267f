//! Specs as they are submitted, stored and shown again.

use std::sync::Arc;

use loader_proto::v1::{self, run_spec::Mode, trace_mode::Source};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::{
    plan,
    spec::{DEFAULT_SEED, Defaults},
    store::SubmittedSpec,
};

/// A spec message as it is kept, checked against a daemon's defaults.
pub(super) fn submitted(message: &v1::RunSpec, defaults: &Defaults) -> SubmittedSpec {
    SubmittedSpec {
        message: message.encode_to_vec(),
        identity: identity(message),
        upload: upload(message),
        checked: plan::validate(message, defaults).map(Arc::new),
    }
}

/// What specs have in common that differ in nothing but their names. A seed that is left out is the default one.
fn identity(message: &v1::RunSpec) -> [u8; 32] {
    let seed = Some(message.seed.unwrap_or(DEFAULT_SEED));
    let unnamed = v1::RunSpec { name: String::new(), seed, ..message.clone() };
    Sha256::digest(unnamed.encode_to_vec()).into()
}

/// The message that a spec was submitted as.
pub(in crate::control) fn message(spec: &SubmittedSpec) -> v1::RunSpec {
    // Always decodes: `submitted` encoded it.
    v1::RunSpec::decode(spec.message.as_slice()).unwrap_or_default()
}

/// The id of the uploaded trace that a spec names.
pub(super) fn upload(message: &v1::RunSpec) -> Option<String> {
    match message.mode.as_ref()? {
        Mode::Trace(trace) => match trace.source.as_ref()? {
            Source::Upload(id) => Some(id.clone()),
            Source::Path(_) => None,
        },
        Mode::Rps(_) | Mode::Burst(_) | Mode::Coldstart(_) => None,
    }
}
