//! What is wrong with an input.

/// One fault of an input, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Path of the field, such as `burst.targetRps`; empty for the whole input.
    pub field: String,
    /// What is wrong, and what would be right.
    pub description: String,
}
