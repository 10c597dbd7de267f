//! A message whose texts are safe to show.

use prost_reflect::{DynamicMessage, MapKey, ReflectMessage as _, Value};

use crate::visible::visible as text;

/// Puts each text of a message on one line without active characters.
pub(super) fn in_message(message: &mut DynamicMessage) {
    let fields: Vec<_> = message.descriptor().fields().filter(|field| message.has_field(field)).collect();
    for field in fields {
        in_value(message.get_field_mut(&field));
    }
}

fn in_value(value: &mut Value) {
    match value {
        Value::String(it) => *it = text(it).into_owned(),
        Value::Message(it) => in_message(it),
        Value::List(it) => it.iter_mut().for_each(in_value),
        Value::Map(it) => {
            *it = std::mem::take(it)
                .into_iter()
                .map(|(key, mut value)| {
                    in_value(&mut value);
                    (in_key(key), value)
                })
                .collect();
        }
        Value::Bool(_)
        | Value::I32(_)
        | Value::I64(_)
        | Value::U32(_)
        | Value::U64(_)
        | Value::F32(_)
        | Value::F64(_)
        | Value::Bytes(_)
        | Value::EnumNumber(_) => {}
    }
}

fn in_key(key: MapKey) -> MapKey {
    match key {
        MapKey::String(it) => MapKey::String(text(&it).into_owned()),
        MapKey::Bool(_) | MapKey::I32(_) | MapKey::I64(_) | MapKey::U32(_) | MapKey::U64(_) => key,
    }
}
