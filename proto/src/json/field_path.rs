//! Fields by their paths, such as `scaling.stableWindow` or `disturb[0].at`: found along a message's descriptor, and set in its JSON form.

use std::{fmt, iter};

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value};

use super::fault::Fault;

/// How much alike a path must be to a known one to be suggested, from 0 to 1 (Jaro-Winkler).
const ALIKE: f64 = 0.8;

/// A field of a message, by its path in JSON names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPath {
    steps: Vec<Step>,
    /// Whether values of the field are written as text in JSON, or may be.
    is_text: bool,
}

/// A step from a message, list or map to what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// A field, or a map's key.
    Name(String),
    /// An entry of a list.
    Index(usize),
}

/// What a step has led to.
enum Place {
    Message(MessageDescriptor),
    Map(FieldDescriptor),
    List(FieldDescriptor),
    /// Nothing leads further.
    Value(FieldDescriptor),
}

impl Place {
    fn of(field: FieldDescriptor) -> Self {
        if field.is_map() {
            Self::Map(field)
        } else if field.is_list() {
            Self::List(field)
        } else {
            Self::single(field)
        }
    }

    /// A field that has one value, or one entry of a list.
    fn single(field: FieldDescriptor) -> Self {
        if let Kind::Message(descriptor) = field.kind()
            && !is_well_known(&descriptor)
        {
            return Self::Message(descriptor);
        }
        Self::Value(field)
    }
}

impl FieldPath {
    /// The field of a message at a path, whose names may also be those of the protobuf file.
    ///
    /// # Errors
    /// There is no such field: what is wrong, with the nearest field that there is.
    pub(super) fn within(root: &MessageDescriptor, path: &str) -> Result<Self, Fault> {
        find(root, path).map_err(|mut description| {
            description.extend(nearest(root, path).map(|it| format!("; did you mean {it}?")));
            Fault { field: path.to_owned(), description }
        })
    }

    /// Sets the field in the JSON form of a message to what a text means for it, and makes the groups on the way.
    ///
    /// # Errors
    /// The text is no YAML where the field needs it, or the path names an entry that a list does not have. What the value means is checked
    /// when the message is read.
    pub fn set(&self, message: &mut Value, text: &str) -> Result<(), String> {
        let value = if self.is_text {
            Value::String(text.to_owned())
        } else {
            serde_saphyr::from_str(text).map_err(|_| format!("{text:?} cannot be read as YAML"))?
        };
        let mut place = message;
        for step in &self.steps {
            place = match step {
                Step::Name(name) => {
                    if !place.is_object() {
                        *place = Value::Object(Map::new());
                    }
                    // An object since the line above.
                    let Value::Object(fields) = place else { return Ok(()) };
                    fields.entry(name.as_str()).or_insert(Value::Null)
                }
                Step::Index(index) => {
                    let length = place.as_array().map_or(0, Vec::len);
                    let missing =
                        || format!("there is no entry {index}: the list has {length} of them, counted from 0");
                    place.get_mut(index).ok_or_else(missing)?
                }
            };
        }
        *place = value;
        Ok(())
    }

    /// Whether one of the two fields is the other one, or holds it.
    pub fn overlaps(&self, other: &Self) -> bool {
        iter::zip(&self.steps, &other.steps).all(|(own, other)| own == other)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            match step {
                Step::Name(name) if index == 0 => formatter.write_str(name)?,
                Step::Name(name) => write!(formatter, ".{name}")?,
                Step::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Whether a message has a JSON form of its own, as durations have.
fn is_well_known(descriptor: &MessageDescriptor) -> bool {
    descriptor.full_name().starts_with("google.protobuf.")
}

fn find(root: &MessageDescriptor, path: &str) -> Result<FieldPath, String> {
    let mut steps = Vec::new();
    let mut place = Place::Message(root.clone());
    let mut rest = path;
    while !rest.is_empty() || steps.is_empty() {
        let (step, next);
        (step, next, rest) = follow(&place, rest)?;
        steps.push(step);
        place = next;
    }
    let is_text = match &place {
        Place::Value(field) => field.kind() != Kind::Bool,
        Place::Message(_) | Place::Map(_) | Place::List(_) => false,
    };
    Ok(FieldPath { steps, is_text })
}

/// The first step of a path, where it leads, and the rest of the path.
fn follow<'a>(place: &Place, path: &'a str) -> Result<(Step, Place, &'a str), String> {
    match place {
        Place::Message(descriptor) => {
            let end = path.find(['.', '[']).unwrap_or(path.len());
            let (name, rest) = path.split_at(end);
            let field = descriptor.get_field_by_json_name(name).or_else(|| descriptor.get_field_by_name(name));
            let field = field.ok_or_else(|| format!("there is no field {name:?}"))?;
            let step = Step::Name(field.json_name().to_owned());
            Ok((step, Place::of(field), past_dot(rest)?))
        }
        // Keys may have dots.
        Place::Map(field) => {
            let Kind::Message(entry) = field.kind() else { return Err("is no map".to_owned()) };
            Ok((Step::Name(path.to_owned()), Place::single(entry.map_entry_value_field()), ""))
        }
        Place::List(field) => {
            let inside = path.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            let entry = inside.and_then(|(index, rest)| Some((index.parse().ok()?, rest)));
            let (index, rest) =
                entry.ok_or_else(|| format!("{} is a list: name an entry of it as [0]", field.json_name()))?;
            Ok((Step::Index(index), Place::single(field.clone()), past_dot(rest)?))
        }
        Place::Value(field) => Err(format!("{} has no fields", field.json_name())),
    }
}

/// What follows a name: nothing, an index, or a dot and another name.
fn past_dot(rest: &str) -> Result<&str, String> {
    match rest.strip_prefix('.') {
        Some("") => Err("ends with a dot".to_owned()),
        Some(rest) => Ok(rest),
        None if rest.is_empty() || rest.starts_with('[') => Ok(rest),
        None => Err(format!("{rest:?} does not begin with a dot")),
    }
}

/// The path of a field that is most like `path`, or whose own name is.
fn nearest(root: &MessageDescriptor, path: &str) -> Option<String> {
    let given = path.to_lowercase();
    let own = given.rsplit('.').next().unwrap_or_default();
    let alike = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        let name = candidate.rsplit('.').next().unwrap_or_default();
        // Of two fields of one name, that with the path that is more like.
        let whole = strsim::jaro_winkler(&given, &candidate);
        whole.max(strsim::jaro_winkler(own, name) * 0.99 + whole * 0.01)
    };
    let scored = paths(root, "").into_iter().map(|candidate| (alike(&candidate), candidate));
    scored.filter(|(alike, _)| *alike >= ALIKE).max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, candidate)| candidate)
}

/// The paths of all fields, but for those within lists. No message of this crate holds itself.
fn paths(message: &MessageDescriptor, prefix: &str) -> Vec<String> {
    let mut all = Vec::new();
    for field in message.fields() {
        let path = format!("{prefix}{}", field.json_name());
        if let Place::Message(inner) = Place::of(field) {
            all.extend(paths(&inner, &format!("{path}.")));
        }
        all.push(path);
    }
    all
}

/// The paths of all fields that hold one number, but for those within lists and maps.
pub(super) fn numbers(message: &MessageDescriptor, prefix: &str) -> Vec<String> {
    let of_field = |field: FieldDescriptor| {
        let path = format!("{prefix}{}", field.json_name());
        match Place::of(field) {
            Place::Message(inner) => numbers(&inner, &format!("{path}.")),
            Place::Value(field) if is_number(&field.kind()) => vec![path],
            Place::Value(_) | Place::List(_) | Place::Map(_) => Vec::new(),
        }
    };
    message.fields().flat_map(of_field).collect()
}

fn is_number(kind: &Kind) -> bool {
    !matches!(kind, Kind::Bool | Kind::String | Kind::Bytes | Kind::Enum(_) | Kind::Message(_))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{json::field, v1::RunSpec};

    fn found(path: &str) -> String {
        field::<RunSpec>(path).unwrap_or_else(|fault| panic!("{path}: {}", fault.description)).to_string()
    }

    #[test]
    fn fields_are_found_by_both_of_their_names() {
        for path in [
            "seed",
            "rps",
            "scaling.stableWindow",
            "disturb[0].at",
            "attach.targets[12].address",
            "coldstart.coldStarts[3]",
        ] {
            assert_eq!(found(path), path);
        }
        assert_eq!(found("scaling.stable_window"), "scaling.stableWindow");
        assert_eq!(found("function.http.headers.x.y"), "function.http.headers.x.y");
    }

    #[test]
    fn what_is_no_field_is_refused_with_the_nearest_one() {
        for (path, expected) in [
            ("scaling.stabelWindow", r#"there is no field "stabelWindow"; did you mean scaling.stableWindow?"#),
            ("stableWindow", r#"there is no field "stableWindow"; did you mean scaling.stableWindow?"#),
            ("trace.functions", r#"there is no field "functions"; did you mean rps.functions?"#),
            ("disturb.at", "disturb is a list: name an entry of it as [0]; did you mean disturb?"),
            ("seed.value", "seed has no fields"),
            ("seed[0]", "seed has no fields"),
            ("disturb[x].at", "disturb is a list: name an entry of it as [0]; did you mean disturb?"),
            ("disturb[0]at", r#""at" does not begin with a dot"#),
            ("rps.", "ends with a dot"),
            ("", r#"there is no field """#),
            ("qqqq", r#"there is no field "qqqq""#),
        ] {
            let fault = field::<RunSpec>(path).expect_err(path);
            assert!(fault.description.starts_with(expected), "{path}: {}", fault.description);
        }
    }

    #[test]
    fn numbers_are_single_values_and_nothing_else() {
        let found = crate::json::numbers::<crate::v1::RunSummary>();
        for (path, is_number) in [
            ("requested", true),
            ("responseUs.p99", true),
            ("responseUs.intervals.p99.low", true),
            ("slowdown.geometricMean", true),
            ("state", false),
            ("saturated.saturated", false),
            ("byStatus", false),
            ("slots", false),
            ("name", false),
        ] {
            assert_eq!(found.iter().any(|it| it == path), is_number, "{path}");
        }
    }

    #[test]
    fn a_value_is_laid_in_as_its_field_needs_it() {
        let mut spec = json!({ "disturb": [{ "at": "1s" }], "scaling": null });
        for (path, text) in [
            ("scaling.stableWindow", "30s"),
            ("seed", "18446744073709551615"),
            ("deploy.keep", "true"),
            ("disturb[0].count", "all"),
            ("coldstart.coldStarts", "[1, 2]"),
            ("function", "{kind: empty}"),
            ("name", "true"),
        ] {
            field::<RunSpec>(path).expect("a field").set(&mut spec, text).expect(path);
        }
        let expected = json!({
            "disturb": [{ "at": "1s", "count": "all" }], "scaling": { "stableWindow": "30s" }, "seed": "18446744073709551615",
            "deploy": { "keep": true }, "coldstart": { "coldStarts": [1, 2] }, "function": { "kind": "empty" }, "name": "true",
        });
        assert_eq!(spec, expected);
        let outside = field::<RunSpec>("disturb[1].at").expect("a field").set(&mut spec, "2s");
        assert_eq!(outside.expect_err("is outside"), "there is no entry 1: the list has 1 of them, counted from 0");
        field::<RunSpec>("deploy").expect("a field").set(&mut spec, "{keep").expect_err("is no YAML");
    }

    #[test]
    fn a_group_overlaps_what_it_holds_and_nothing_else() {
        let path = |path| field::<RunSpec>(path).expect("a field");
        assert!(path("scaling").overlaps(&path("scaling.stableWindow")));
        assert!(path("scaling.stable_window").overlaps(&path("scaling.stableWindow")));
        assert!(!path("scaling.stableWindow").overlaps(&path("scaling.minScale")));
        assert!(!path("disturb[0].at").overlaps(&path("disturb[1].at")));
    }
}
