//! Something to know about the files of a run.

use std::fmt;

/// Something to know about the files of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Whether figures are not to be relied on for it.
    pub is_serious: bool,
    /// What it is.
    pub text: String,
}

impl Remark {
    pub(crate) fn serious(text: impl fmt::Display) -> Self {
        Self { is_serious: true, text: text.to_string() }
    }

    pub(crate) fn slight(text: impl fmt::Display) -> Self {
        Self { is_serious: false, text: text.to_string() }
    }
}
