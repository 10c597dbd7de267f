//! Names of a trace's functions.

use std::collections::HashSet;

use loader_trace::TraceFunction;

/// Longest id that is its own name.
const LONGEST_OWN: usize = 32;

/// Characters of a function's name that come from its id in the trace.
const ID_PART: usize = 16;

/// A name for each function, from its id: a DNS label, unique in the trace. An id that is a short label is its own name.
/// Ids of public traces are hashes of 64 hex digits, of which the first few are unique; where they are not, a number
/// follows.
pub(super) fn names(functions: &[TraceFunction]) -> Vec<String> {
    let mut taken = HashSet::new();
    let unique = |base: String| {
        let numbered = (2_u64..).map(|number| format!("{base}-{number}"));
        let mut candidates = std::iter::once(base.clone()).chain(numbered);
        let name = candidates.find(|name| !taken.contains(name)).unwrap_or(base);
        taken.insert(name.clone());
        name
    };
    functions.iter().map(|function| label(&function.id)).map(unique).collect()
}

fn label(id: &str) -> String {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let own = id.starts_with(|first: char| first.is_ascii_lowercase()) && !id.ends_with('-') && id.bytes().all(inner);
    if own && id.len() <= LONGEST_OWN {
        return id.to_owned();
    }
    // Of an id such as "app/function" the end is more descriptive.
    let telling = id.rsplit('/').next().unwrap_or(id);
    let kept = telling.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let part: String = kept.take(ID_PART).collect();
    format!("fn-{}", part.trim_matches('-')).trim_end_matches('-').to_owned()
}
