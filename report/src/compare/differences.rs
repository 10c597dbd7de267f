//! In what runs differ that they asked for.

use std::collections::BTreeMap;

use super::group::{Group, Sample};

/// A field that runs of a comparison differ in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The field of the spec, such as `scaling.minScale`.
    pub field: String,
    /// What there is instead of each other.
    pub choices: Vec<Choice>,
    /// Whether all runs of a group ask for the same: the groups differ, and not the runs of one of them.
    pub is_between_groups: bool,
}

/// What some runs have asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The value; absent where the spec does not say.
    pub value: Option<String>,
    /// The runs, each by its group and id.
    pub runs: Vec<(&'static str, String)>,
}

/// The fields in which the samples of both groups differ. Runs of which it is not known are not in it.
pub(super) fn between(a: &Group, b: &Group) -> Vec<Difference> {
    let of = |group: &Group| group.samples.iter().map(|sample| (group.name, sample.clone())).collect::<Vec<_>>();
    let known: Vec<(&'static str, Sample)> =
        of(a).into_iter().chain(of(b)).filter(|(_, sample)| sample.asked.is_some()).collect();
    let mut fields: Vec<&String> =
        known.iter().filter_map(|(_, sample)| sample.asked.as_ref()).flat_map(BTreeMap::keys).collect();
    fields.sort_unstable();
    fields.dedup();
    fields.into_iter().filter_map(|field| difference(field, &known)).collect()
}

fn difference(field: &str, known: &[(&'static str, Sample)]) -> Option<Difference> {
    let mut choices: Vec<Choice> = Vec::new();
    for (group, sample) in known {
        let value = sample.asked.as_ref().and_then(|asked| asked.get(field)).cloned();
        let run = (*group, if sample.id.is_empty() { sample.label.clone() } else { sample.id.clone() });
        match choices.iter_mut().find(|choice| choice.value == value) {
            Some(choice) => choice.runs.push(run),
            None => choices.push(Choice { value, runs: vec![run] }),
        }
    }
    let is_of_one =
        |choice: &Choice| choice.runs.iter().all(|(group, _)| Some(group) == choice.runs.first().map(|it| &it.0));
    let is_between_groups = choices.len() == 2 && choices.iter().all(is_of_one);
    (choices.len() > 1).then(|| Difference { field: field.to_owned(), choices, is_between_groups })
}
