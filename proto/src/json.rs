//! Messages in their JSON and YAML form (proto3 JSON mapping), read with every fault at once.

use prost::Name;
use serde_json::Value;

/// One fault of an input, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Path of the field, such as `burst.targetRps`; empty for the whole input.
    pub field: String,
    /// What is wrong, and what would be right.
    pub description: String,
}

/// How 64-bit integers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integers {
    /// As strings, as the proto3 JSON mapping has it.
    Strings,
    /// As numbers.
    Numbers,
}

/// The JSON form of a message.
pub fn to_value<M: Name>(message: &M, integers: Integers) -> Value {
    let _ = (message, integers);
    Value::Null
}

/// Reads a message from its JSON form: what could be read, and the faults of the rest.
pub fn from_value<M: Name + Default>(value: &Value) -> (M, Vec<Fault>) {
    let _ = value;
    (M::default(), Vec::new())
}

/// Reads a message from YAML or JSON text. A syntax error is a fault of the whole input and names the line.
pub fn from_yaml<M: Name + Default>(text: &str) -> (M, Vec<Fault>) {
    let _ = text;
    (M::default(), Vec::new())
}

/// Reads a duration such as `240s`, `4m` or `500ms`.
pub fn parse_duration(text: &str) -> Result<prost_types::Duration, String> {
    let _ = text;
    Err(String::new())
}

/// Reads a memory size such as `170`, `170MiB` or `1GiB`, in MiB.
pub fn parse_mib(text: &str) -> Result<u32, String> {
    let _ = text;
    Err(String::new())
}
