//! Some functions of a trace.

use std::collections::{BTreeSet, HashSet};

use super::EditError;
use crate::describe::FunctionFigures;
use crate::trace::{Trace, TraceFunction};

/// Which functions to keep: those that meet every condition that is given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    /// Of one of these triggers.
    pub triggers: Vec<String>,
    /// Of one of these apps.
    pub apps: Vec<String>,
    /// With one of these ids.
    pub names: Vec<String>,
    /// Invoked at least so often a second, on average.
    pub least_rate: Option<f64>,
    /// Invoked at most so often a second, on average.
    pub most_rate: Option<f64>,
    /// With a mean run time of at least so many milliseconds.
    pub least_runtime_ms: Option<f64>,
    /// With a mean run time of at most so many milliseconds.
    pub most_runtime_ms: Option<f64>,
    /// Of those that meet the conditions so many, the ones invoked most.
    pub top: Option<usize>,
}

/// The functions of `trace` that meet `selection`, in their order.
///
/// # Errors
/// When a name is not in the trace, the trace lacks what a condition is about, or no function is left.
pub fn select(trace: &Trace, selection: &Selection) -> Result<Trace, EditError> {
    let Selection { triggers, apps, names, least_rate, most_rate, least_runtime_ms, most_runtime_ms, top } = selection;
    let functions = &trace.functions;
    known("function", names, functions.iter().map(|function| function.id.as_str()))?;
    known("app", apps, functions.iter().map(|function| function.app.as_str()))?;
    if !triggers.is_empty() {
        if functions.iter().all(|function| function.trigger.is_none()) {
            return Err(EditError::NoData("triggers"));
        }
        known("trigger", triggers, functions.iter().filter_map(|function| function.trigger.as_deref()))?;
    }
    let by_runtime = least_runtime_ms.is_some() || most_runtime_ms.is_some();
    let figures: Vec<FunctionFigures> = functions.iter().map(FunctionFigures::of).collect();
    if by_runtime && figures.iter().all(|figures| figures.runtime_ms.is_none()) {
        return Err(EditError::NoData("run times"));
    }
    let seconds = trace.unit.as_secs_f64() * trace.units as f64;
    let [triggers, apps, names] = [triggers, apps, names].map(|names| names.iter().map(String::as_str).collect());
    let among = |set: &HashSet<&str>, name: Option<&str>| set.is_empty() || name.is_some_and(|name| set.contains(name));
    let within = |value: Option<f64>, least: Option<f64>, most: Option<f64>| {
        let above = least.is_none_or(|least| value.is_some_and(|value| value >= least));
        above && most.is_none_or(|most| value.is_some_and(|value| value <= most))
    };
    let meets = |function: &TraceFunction, figures: &FunctionFigures| {
        among(&triggers, function.trigger.as_deref())
            && among(&apps, Some(&function.app))
            && among(&names, Some(&function.id))
            && within(Some(figures.invocations as f64 / seconds), *least_rate, *most_rate)
            && within(figures.runtime_ms, *least_runtime_ms, *most_runtime_ms)
    };
    let mut kept: Vec<usize> = (0..functions.len()).filter(|&at| meets(&functions[at], &figures[at])).collect();
    if let Some(top) = *top {
        kept.sort_by_key(|&at| (std::cmp::Reverse(figures[at].invocations), at));
        kept.truncate(top);
        kept.sort_unstable();
    }
    if kept.is_empty() {
        return Err(EditError::NothingLeft { functions: functions.len() });
    }
    Ok(trace.with(&kept))
}

/// Whether all names are among those of the trace.
fn known<'a>(what: &'static str, names: &[String], present: impl Iterator<Item = &'a str>) -> Result<(), EditError> {
    if names.is_empty() {
        return Ok(());
    }
    let present: HashSet<&str> = present.collect();
    let unknown: BTreeSet<&String> = names.iter().filter(|name| !present.contains(name.as_str())).collect();
    let names: Vec<String> = unknown.into_iter().take(EditError::SHOWN).cloned().collect();
    if names.is_empty() { Ok(()) } else { Err(EditError::Unknown { what, names }) }
}
