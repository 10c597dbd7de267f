//! Which rows of a run a figure is computed of.

/// A part of a run's rows that a figure is computed of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Part {
    /// A percentile of the response times of what succeeded.
    Response(f64),
    /// The share of what failed.
    Failed,
    /// The share of cold starts.
    Cold,
}
