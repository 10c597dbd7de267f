//! Platforms that can report on themselves.

/// Reports facts for an operator, such as versions and missing permissions.
#[tonic::async_trait]
pub trait Inspect: Send + Sync {
    /// The facts, in the order in which they are shown. For a platform that can't be reached, one of them says so.
    async fn facts(&self) -> Vec<Fact>;
}

/// A property of a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The property's name, such as `namespace`.
    pub name: &'static str,
    /// The property's value, for people to read.
    pub value: String,
}

impl Fact {
    /// A fact about the property `name`.
    pub fn new(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, value: value.into() }
    }
}
