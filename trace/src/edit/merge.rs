//! Several traces as one.

use std::collections::HashSet;

use super::EditError;
use crate::counts::Counts;
use crate::load::Load;
use crate::trace::{Trace, TraceFunction};

/// All functions of all traces, each from the beginning; shorter traces have nothing at the end.
///
/// Where two traces have a function, an app or an owner of the same name, all names of all traces get that of their trace
/// and `:` in front, so that none is taken for another's.
///
/// # Errors
/// When the units differ.
pub fn merge(traces: Vec<(String, Trace)>) -> Result<Trace, EditError> {
    let Some((_, first)) = traces.first() else { return Err(EditError::NothingLeft { functions: 0 }) };
    let unit = first.unit;
    if let Some((_, other)) = traces.iter().find(|(_, trace)| trace.unit != unit) {
        return Err(EditError::Units { first: unit, other: other.unit });
    }
    let units = traces.iter().map(|(_, trace)| trace.units).max().unwrap_or_default();
    let are_shared = shares_names(&traces);
    let mut functions = Vec::new();
    for (name, trace) in traces {
        let own = |text: String| if are_shared && !text.is_empty() { format!("{name}:{text}") } else { text };
        let moved = trace.functions.into_iter().map(|function| {
            let TraceFunction { id, owner, app, trigger, load, runtime, memory } = function;
            let (id, owner, app) = (own(id), own(owner), own(app));
            TraceFunction { id, owner, app, trigger, load: lengthened(load, units), runtime, memory }
        });
        functions.extend(moved);
    }
    Ok(Trace { functions, units, unit })
}

fn shares_names(traces: &[(String, Trace)]) -> bool {
    let of: [fn(&TraceFunction) -> &str; 3] =
        [|function| &function.id, |function| &function.app, |function| &function.owner];
    of.into_iter().any(|of| {
        let mut seen: HashSet<&str> = HashSet::new();
        traces.iter().any(|(_, trace)| {
            let names: HashSet<&str> = trace.functions.iter().map(of).filter(|name| !name.is_empty()).collect();
            let is_shared = names.iter().any(|name| seen.contains(name));
            seen.extend(names);
            is_shared
        })
    })
}

fn lengthened(load: Load, units: usize) -> Load {
    match load {
        Load::Counts(counts) if counts.units() < units => {
            let mut longer: Vec<u32> = counts.iter().collect();
            longer.resize(units, 0);
            Load::Counts(Counts::new(&longer))
        }
        load @ (Load::Counts(_) | Load::Events(_)) => load,
    }
}
