//! Reads a message field by field along its descriptor, and notes every fault on the way.

#![expect(clippy::wildcard_enum_match_arm, reason = "the accepted kinds of a field are named; all others are refused")]

use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage as _, Value as Proto,
};
use serde_json::{Map, Value};

use super::{
    fault::Fault,
    units::{parse_duration, parse_mib},
};

/// Minimum similarity (Jaro-Winkler) of a known name to be suggested.
const ALIKE: f64 = 0.7;

/// Collects the faults of one input.
#[derive(Default)]
pub(super) struct Reader {
    faults: Vec<Fault>,
}

impl Reader {
    /// The faults, in the order of the input.
    pub(super) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    /// Reads a message; what can't be read is left out.
    pub(super) fn message(&mut self, descriptor: &MessageDescriptor, value: &Value, path: &str) -> DynamicMessage {
        let mut message = DynamicMessage::new(descriptor.clone());
        match value {
            Value::Object(object) => self.fields(&mut message, object, path),
            Value::Null => {}
            other => self.fault(path, format!("must hold fields, not {}", describe(other))),
        }
        message
    }

    fn fields(&mut self, message: &mut DynamicMessage, object: &Map<String, Value>, path: &str) {
        let descriptor = message.descriptor();
        for (name, value) in object {
            let Some(field) = descriptor.get_field_by_json_name(name).or_else(|| descriptor.get_field_by_name(name))
            else {
                self.unknown(&descriptor, name, path);
                continue;
            };
            let path = join(path, field.json_name());
            if value.is_null() {
                continue;
            }
            if let Some(other) = sibling(message, &field) {
                self.fault(&path, format!("conflicts with {}: set only one of them", other.json_name()));
                continue;
            }
            if let Some(read) = self.field(&field, value, &path) {
                message.set_field(&field, read);
            }
        }
    }

    fn field(&mut self, field: &FieldDescriptor, value: &Value, path: &str) -> Option<Proto> {
        if field.is_map() {
            return self.map(field, value, path);
        }
        if !field.is_list() {
            return self.single(field, value, path);
        }
        let Value::Array(items) = value else {
            self.fault(path, format!("must be a list, not {}", describe(value)));
            return None;
        };
        let mut read = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            read.extend(self.single(field, item, &format!("{path}[{index}]")));
        }
        Some(Proto::List(read))
    }

    fn map(&mut self, field: &FieldDescriptor, value: &Value, path: &str) -> Option<Proto> {
        let Value::Object(object) = value else {
            self.fault(path, format!("must hold keys and values, not {}", describe(value)));
            return None;
        };
        let Kind::Message(entry) = field.kind() else { return None };
        let of_value = entry.map_entry_value_field();
        let mut read = std::collections::HashMap::new();
        for (key, value) in object {
            if let Some(value) = self.single(&of_value, value, &join(path, key)) {
                read.insert(MapKey::String(key.clone()), value);
            }
        }
        Some(Proto::Map(read))
    }

    fn single(&mut self, field: &FieldDescriptor, value: &Value, path: &str) -> Option<Proto> {
        let written_out = shorthand(field.full_name(), value);
        let value = written_out.as_ref().unwrap_or(value);
        let read = match field.kind() {
            Kind::Message(descriptor) => match descriptor.full_name() {
                "google.protobuf.Duration" => duration(value).map(|it| (it.seconds, it.nanos)),
                "google.protobuf.Timestamp" => timestamp(value).map(|it| (it.seconds, it.nanos)),
                _ => return Some(Proto::Message(self.message(&descriptor, value, path))),
            }
            .map(|(seconds, nanos)| Proto::Message(seconds_and_nanos(&descriptor, seconds, nanos))),
            Kind::String => text(value).map(|it| Proto::String(it.to_owned())),
            Kind::Bool => value.as_bool().map(Proto::Bool).ok_or_else(|| mismatch("true or false", value)),
            Kind::Double => double(value).map(Proto::F64),
            Kind::Uint32 if is_memory(field) => mib(value).map(Proto::U32),
            Kind::Uint32 => integer(value, 0, u32::MAX.into()).map(Proto::U32),
            Kind::Uint64 => integer(value, 0, u64::MAX.into()).map(Proto::U64),
            Kind::Int64 => integer(value, i64::MIN.into(), i64::MAX.into()).map(Proto::I64),
            Kind::Enum(of) => text(value).and_then(|name| {
                let known = of.values().find(|known| known.name() == name);
                known.map(|known| Proto::EnumNumber(known.number())).ok_or_else(|| format!("{name:?} is unknown"))
            }),
            other => Err(format!("fields of type {other:?} have no JSON form here")),
        };
        read.map_err(|description| self.fault(path, description)).ok()
    }

    fn unknown(&mut self, descriptor: &MessageDescriptor, name: &str, path: &str) {
        let nearest = descriptor
            .fields()
            .map(|field| (strsim::jaro_winkler(&name.to_lowercase(), &field.json_name().to_lowercase()), field))
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .filter(|(alike, _)| *alike >= ALIKE);
        let description = match nearest {
            Some((_, field)) => format!("unknown field; did you mean {}?", field.json_name()),
            None => {
                let known: Vec<_> = descriptor.fields().map(|field| field.json_name().to_owned()).collect();
                format!("unknown field; known are {}", known.join(", "))
            }
        };
        self.fault(&join(path, name), description);
    }

    fn fault(&mut self, path: &str, description: String) {
        self.faults.push(Fault { field: path.to_owned(), description });
    }
}

/// What a shorthand stands for; nothing for any other value. A target of a disturbance may be written by its component's name, a
/// count as a number, the workers of a run by their number, a value of a study's axis as it is in a spec, a cell that is excluded by its
/// fields alone, and a share in per cent.
fn shorthand(field: &str, value: &Value) -> Option<Value> {
    match (field, value) {
        ("loader.v1.Disturbance.of", Value::String(component)) => Some(serde_json::json!({ "component": component })),
        ("loader.v1.Disturbance.count", Value::Number(count)) => Some(Value::String(count.to_string())),
        ("loader.v1.RunSpec.workers", Value::Number(_) | Value::String(_)) => {
            Some(serde_json::json!({ "count": value }))
        }
        (
            "loader.v1.Axis.values" | "loader.v1.Exclusion.CellEntry.value" | "loader.v1.StudySpec.BaselineEntry.value",
            value,
        ) => written_as_text(value),
        ("loader.v1.StudySpec.margin" | "loader.v1.Until.half_width", Value::String(text)) => of_per_cent(text),
        ("loader.v1.StudySpec.exclude", Value::Object(cell)) if !cell.contains_key("cell") => {
            Some(serde_json::json!({ "cell": cell }))
        }
        _ => None,
    }
}

/// The text of a value that is none: of a number or a switch as it is, of lists and groups their JSON form.
fn written_as_text(value: &Value) -> Option<Value> {
    match value {
        Value::Null | Value::String(_) => None,
        other => Some(Value::String(other.to_string())),
    }
}

/// The share that a number of per cent is.
fn of_per_cent(text: &str) -> Option<Value> {
    let number: f64 = text.strip_suffix('%')?.trim_end().parse().ok()?;
    serde_json::Number::from_f64(number / 100.0).map(Value::Number)
}

/// Another field of the same oneof that has been read already.
fn sibling(message: &DynamicMessage, field: &FieldDescriptor) -> Option<FieldDescriptor> {
    let of = field.containing_oneof()?;
    of.fields().find(|other| other != field && message.has_field(other))
}

fn seconds_and_nanos(descriptor: &MessageDescriptor, seconds: i64, nanos: i32) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    message.set_field_by_name("seconds", Proto::I64(seconds));
    message.set_field_by_name("nanos", Proto::I32(nanos));
    message
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| mismatch("text", value))
}

fn duration(value: &Value) -> Result<prost_types::Duration, String> {
    match value {
        Value::String(text) => parse_duration(text),
        Value::Number(number) => Err(format!("{number} has no unit: write it as {number}s or {number}ms")),
        other => Err(mismatch("a duration such as 90s, 4m or 500ms", other)),
    }
}

fn timestamp(value: &Value) -> Result<prost_types::Timestamp, String> {
    let text = text(value)?;
    text.parse().map_err(|_| format!("{text:?} is not an instant such as 2026-11-23T14:00:00Z"))
}

/// Whether a field is an amount of memory, in MiB.
fn is_memory(field: &FieldDescriptor) -> bool {
    field.name().ends_with("_mib") || field.name() == "max_memory_in_flight"
}

fn mib(value: &Value) -> Result<u32, String> {
    match value {
        Value::String(text) => parse_mib(text),
        other => integer(other, 0, u32::MAX.into()),
    }
}

fn double(value: &Value) -> Result<f64, String> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite()).ok_or_else(|| mismatch("a number", value))
}

/// A whole number, also as text or as a float without a fraction, as the mapping allows.
fn integer<T: TryFrom<i128>>(value: &Value, least: i128, most: i128) -> Result<T, String> {
    let number = match value {
        Value::Number(number) => whole(&number.to_string()),
        Value::String(text) => whole(text),
        _ => None,
    };
    let number = number.ok_or_else(|| mismatch("a whole number", value))?;
    let outside = || format!("{number} is not between {least} and {most}");
    if (least..=most).contains(&number) { T::try_from(number).map_err(|_| outside()) } else { Err(outside()) }
}

fn whole(text: &str) -> Option<i128> {
    let text = text.strip_suffix(".0").unwrap_or(text);
    text.parse().ok()
}

fn mismatch(expected: &str, value: &Value) -> String {
    format!("must be {expected}, not {}", describe(value))
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a group of fields".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
