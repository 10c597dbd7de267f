//! Which way a figure is better.

/// Which values of a figure are the better ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Greater ones.
    More,
    /// Smaller ones.
    Less,
}

/// Figures of which greater values are better.
const MORE: [&str; 4] = ["goodput", "achieved", "returned", "rps.sustainedRate"];

/// Figures, and groups of figures, of which smaller values are better.
const LESS: [&str; 13] = [
    "failed",
    "response",
    "responseFromDue",
    "responseInclFailures",
    "schedulingLatency",
    "slowdown",
    "dispatchLag",
    "ownLag",
    "connect",
    "streamWait",
    "receiveLag",
    "coldStarts",
    "burst",
];

/// Numbers within those groups that are neither: how many values there are, bounds of intervals, instances.
const NEITHER: [&str; 3] = ["count", "intervals", "instancesStarted"];

/// Which values of the figure of that name are better; absent where neither are.
pub(super) fn better(name: &str) -> Option<Better> {
    if MORE.contains(&name) {
        return Some(Better::More);
    }
    let group = name.split('.').next().unwrap_or_default();
    let is_neither = name.split('.').skip(1).any(|step| NEITHER.contains(&step));
    (LESS.contains(&group) && !is_neither).then_some(Better::Less)
}
