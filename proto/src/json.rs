//! Messages in their JSON and YAML form (proto3 JSON mapping).
//!
//! Reading is kinder than the mapping asks for, and thorough: a duration may be `4m`, a memory size `170MiB`, names may
//! be in either case, and every fault is found in one pass, each with the path of its field.

mod address;
mod fault;
mod field_path;
mod read;
mod syntax;
mod units;
mod visible;

use std::sync::LazyLock;

use prost::Name;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde_json::Value;

pub use address::bracketed;
pub use fault::Fault;
pub use field_path::FieldPath;
pub use units::{parse_duration, parse_mib};

/// How 64-bit integers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integers {
    /// As strings, as the proto3 JSON mapping has it.
    Strings,
    /// As JSON numbers, which may lose precision above 2⁵³ in some readers.
    Numbers,
}

static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(crate::DESCRIPTORS).unwrap_or_else(|_| DescriptorPool::global()));

/// The descriptor of `M`; absent only for a message that is not in this crate's files.
fn descriptor<M: Name>() -> Option<MessageDescriptor> {
    POOL.get_message_by_name(&M::full_name())
}

/// The fields, by their names in JSON, of which a message of this crate has at most one: those of its `oneof`.
pub fn choices<M: Name>(oneof: &str) -> Vec<String> {
    let group = descriptor::<M>().and_then(|descriptor| descriptor.oneofs().find(|group| group.name() == oneof));
    group.iter().flat_map(|group| group.fields()).map(|field| field.json_name().to_owned()).collect()
}

/// The field of `M` at a path, such as `scaling.stableWindow`, whose names may also be those of the protobuf file.
///
/// # Errors
/// There is no such field: what is wrong, with the nearest field that there is.
pub fn field<M: Name>(path: &str) -> Result<FieldPath, Fault> {
    let no_form = || Fault { field: path.to_owned(), description: format!("{} has no JSON form", M::full_name()) };
    FieldPath::within(&descriptor::<M>().ok_or_else(no_form)?, path)
}

/// The paths, in JSON names, of all fields of `M` that hold one number, but for those within lists and maps.
pub fn numbers<M: Name>() -> Vec<String> {
    descriptor::<M>().map(|descriptor| field_path::numbers(&descriptor, "")).unwrap_or_default()
}

/// The JSON form of a message of this crate, with fields that are absent or at their default left out.
pub fn to_value<M: Name>(message: &M, integers: Integers) -> Value {
    write(message, SerializeOptions::new().stringify_64_bit_integers(integers == Integers::Strings))
}

/// The JSON form of a message of this crate, with every field that is not optional written, zero or not.
pub fn to_full_value<M: Name>(message: &M, integers: Integers) -> Value {
    let options =
        SerializeOptions::new().stringify_64_bit_integers(integers == Integers::Strings).skip_default_fields(false);
    write(message, options)
}

fn write<M: Name>(message: &M, options: SerializeOptions) -> Value {
    descriptor::<M>()
        .and_then(|descriptor| DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).ok())
        .and_then(|dynamic| dynamic.serialize_with_options(serde_json::value::Serializer, &options).ok())
        .unwrap_or_default()
}

/// The message with each of its texts on one line and without active characters ([`crate::visible`]), for people.
pub fn visible<M: Name + Default>(message: &M) -> M {
    let dynamic = descriptor::<M>()
        .and_then(|descriptor| DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).ok());
    let shown = dynamic.and_then(|mut dynamic| {
        visible::in_message(&mut dynamic);
        dynamic.transcode_to().ok()
    });
    // Only a message that is not of this crate has none.
    shown.unwrap_or_default()
}

/// Reads a message of this crate from its JSON form: what could be read, and the faults of the rest.
pub fn from_value<M: Name + Default>(value: &Value) -> (M, Vec<Fault>) {
    let Some(descriptor) = descriptor::<M>() else {
        let description = format!("{} has no JSON form", M::full_name());
        return (M::default(), vec![Fault { field: String::new(), description }]);
    };
    let mut reader = read::Reader::default();
    let dynamic = reader.message(&descriptor, value, "");
    let mut faults = reader.into_faults();
    let message = dynamic.transcode_to().unwrap_or_else(|error| {
        faults.push(Fault { field: String::new(), description: error.to_string() });
        M::default()
    });
    (message, faults)
}

/// Reads YAML or JSON text, whatever it holds.
///
/// # Errors
/// A syntax error is a fault of the whole input and names the line.
pub fn document(text: &str) -> Result<Value, Fault> {
    serde_saphyr::from_str(text).map_err(|error| Fault { field: String::new(), description: syntax::describe(&error) })
}

/// Reads a message from YAML or JSON text. A syntax error is a fault of the whole input and names the line.
pub fn from_yaml<M: Name + Default>(text: &str) -> (M, Vec<Fault>) {
    match document(text) {
        Ok(value) => from_value(&value),
        Err(fault) => (M::default(), vec![fault]),
    }
}

/// The YAML form of a message, as [`from_yaml`] reads it.
pub fn to_yaml<M: Name>(message: &M) -> String {
    serde_saphyr::to_string(&to_value(message, Integers::Numbers)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
