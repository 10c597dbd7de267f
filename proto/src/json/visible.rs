//! A message whose texts are safe to show.

use prost::Name;
use prost_reflect::{DynamicMessage, MapKey, ReflectMessage as _, Value};

use super::descriptor;
use crate::visible::visible as text;

/// The message with each of its texts on one line and without active characters ([`crate::visible`]), for people.
pub fn visible<M: Name + Default>(message: &M) -> M {
    let dynamic = descriptor::<M>()
        .and_then(|descriptor| DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).ok());
    let shown = dynamic.and_then(|mut dynamic| {
        in_message(&mut dynamic);
        dynamic.transcode_to().ok()
    });
    // Only a message that is not of this crate has none.
    shown.unwrap_or_default()
}

fn in_message(message: &mut DynamicMessage) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1;

    #[test]
    fn every_text_of_a_message_is_made_visible_however_deep_it_lies() {
        let run = v1::Run {
            reason: "failed:\n\u{1b}]0;x\u{7}".to_owned(),
            spec: Some(v1::RunSpec { name: "\u{202e}name".to_owned(), ..v1::RunSpec::default() }),
            queue_position: 3,
            ..v1::Run::default()
        };
        let labels = [("a\r".to_owned(), "b\t".to_owned())].into();
        let values = v1::QueryMetricsResponse {
            values: vec![v1::MetricValue { labels, value: "plain".to_owned(), unix_seconds: 1.5 }],
        };
        let shown = visible(&v1::ListRunsResponse { runs: vec![run], next_page_token: String::new() });
        assert_eq!(shown.runs[0].reason, r"failed:\n\u{1b}]0;x\u{7}");
        assert_eq!(shown.runs[0].spec.as_ref().unwrap().name, r"\u{202e}name");
        assert_eq!(shown.runs[0].queue_position, 3);
        let shown = visible(&values);
        assert_eq!(shown.values[0].labels.iter().next().unwrap(), (&r"a\r".to_owned(), &r"b\t".to_owned()));
        assert_eq!((shown.values[0].value.as_str(), shown.values[0].unix_seconds), ("plain", 1.5));
    }
}
