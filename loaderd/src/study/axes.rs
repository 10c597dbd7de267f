//! The fields that vary in a study, and their values.

use std::collections::HashMap;

use loader_proto::{
    json::{self, Fault, FieldPath},
    v1,
};

use prost::Message as _;

use super::{MOST_RUNS, base::Base};
use crate::spec::Check;

/// A field that varies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// The field.
    pub field: FieldPath,
    /// Its values, as given.
    pub values: Vec<String>,
    /// What it is called.
    pub label: String,
    /// What its values are called, in their order.
    pub labels: Vec<String>,
}

/// Reads the axes of a study. An axis with a fault is left out.
pub(super) fn read(check: &mut Check, messages: &[v1::Axis], base: &Base) -> Option<Vec<Axis>> {
    let axes: Vec<_> = messages.iter().enumerate().map(|(index, message)| axis(check, index, message, base)).collect();
    for (later, axis) in axes.iter().enumerate() {
        let earlier = axes[..later].iter().position(|other| {
            other.as_ref().zip(axis.as_ref()).is_some_and(|(other, axis)| other.field.overlaps(&axis.field))
        });
        if let Some((earlier, axis)) = earlier.zip(axis.as_ref()) {
            check.fault(format!("vary[{later}].field"), format!("{} varies already, by vary[{earlier}]", axis.field));
        }
    }
    let axes = axes.into_iter().collect::<Option<Vec<_>>>()?;
    has_labels_of_their_own(check, &axes).then_some(axes)
}

/// Whether each axis is called something else.
fn has_labels_of_their_own(check: &mut Check, axes: &[Axis]) -> bool {
    let is_same = |one: &Axis, other: &Axis| one.label == other.label && one.field != other.field;
    let same = |later: usize| axes[..later].iter().position(|other| is_same(other, &axes[later]));
    let twice: Vec<_> = (0..axes.len()).filter_map(|later| Some((later, same(later)?))).collect();
    for (later, earlier) in &twice {
        let description = format!("is {}, the same as that of vary[{earlier}]", axes[*later].label);
        check.fault(format!("vary[{later}].label"), description);
    }
    twice.is_empty()
}

fn axis(check: &mut Check, index: usize, message: &v1::Axis, base: &Base) -> Option<Axis> {
    let v1::Axis { field, values, label, labels } = message;
    let path = format!("vary[{index}].field");
    let found = match json::field::<v1::RunSpec>(field) {
        Ok(found) => Some(found),
        Err(_) if field.is_empty() => {
            check.fault(path, "is required: the path of a field, such as scaling.stableWindow");
            None
        }
        Err(Fault { description, .. }) => {
            check.fault(path, format!("{field}: {description}"));
            None
        }
    };
    if values.len() as u64 > MOST_RUNS {
        let description = format!("has {} values; a study has at most {MOST_RUNS} runs", values.len());
        check.fault(format!("vary[{index}].values"), description);
        return None;
    }
    if values.is_empty() {
        check.fault(format!("vary[{index}].values"), "is empty; must have at least one value");
        return None;
    }
    let labels = self::labels(check, index, values, labels);
    let field = found?;
    let label = if label.is_empty() { field.to_string() } else { label.clone() };
    let axis = Axis { field, values: values.clone(), label, labels: labels? };
    are_valid(check, index, &axis, base).then_some(axis)
}

/// What the values of an axis are called.
fn labels(check: &mut Check, index: usize, values: &[String], labels: &[String]) -> Option<Vec<String>> {
    if labels.is_empty() {
        return Some(values.to_vec());
    }
    if labels.len() != values.len() {
        let description = format!("must have one for each value: has {} for {} values", labels.len(), values.len());
        check.fault(format!("vary[{index}].labels"), description);
        return None;
    }
    let mut known = HashMap::<&str, usize>::new();
    let mut are_valid = true;
    for (number, label) in labels.iter().enumerate() {
        let fault = match known.insert(label, number) {
            _ if label.is_empty() => "is empty".to_owned(),
            Some(same) => format!("is {label}, the same as labels[{same}]"),
            None => continue,
        };
        check.fault(format!("vary[{index}].labels[{number}]"), fault);
        are_valid = false;
    }
    are_valid.then(|| labels.to_vec())
}

/// Whether the field can have each of its values, each another one.
fn are_valid(check: &mut Check, index: usize, axis: &Axis, base: &Base) -> bool {
    let mut specs = HashMap::<Vec<u8>, usize>::new();
    let mut are_valid = true;
    for (number, (text, label)) in axis.values.iter().zip(&axis.labels).enumerate() {
        let place = format!("vary[{index}].values[{number}]");
        let (spec, faults) = base.with([(&axis.field, text.as_str())]);
        are_valid &= faults.is_empty();
        for Fault { field, description } in &faults {
            check.fault(&place, format!("{field}: {description}"));
        }
        if faults.is_empty()
            && let Some(same) = specs.insert(spec.encode_to_vec(), number)
        {
            check.fault(&place, format!("is {label}, the same as values[{same}]"));
            are_valid = false;
        }
    }
    are_valid
}
