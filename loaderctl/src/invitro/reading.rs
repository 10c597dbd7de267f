//! From a document to the spec that it becomes, where it is a file of InVitro.

use std::path::Path;

use loader_proto::json::Fault;
use serde_json::{Map, Value};

use super::{
    files::surroundings,
    given::LABEL,
    kinds::Kind,
    loader::{Beside, Converted, convert},
};

/// Converts a file of InVitro; `None` for any other document. `file` is where it lies; absent: standard input.
pub(crate) fn read(
    document: &Map<String, Value>,
    file: Option<&Path>,
    beside: Beside,
    lenient: bool,
) -> Option<Converted> {
    let kind = Kind::of(document)?;
    if let Some(refusal) = kind.refusal() {
        let fault = Fault { field: format!("{LABEL}{}", kind.name()), description: refusal.to_owned() };
        return Some(Converted { faults: vec![fault], ..Converted::default() });
    }
    Some(convert(document, &surroundings(document, file, beside, lenient)))
}

/// Whether a document is a multi-loader file.
pub(crate) fn is_multi_loader(document: &Map<String, Value>) -> bool {
    Kind::of(document) == Some(Kind::MultiLoader)
}
