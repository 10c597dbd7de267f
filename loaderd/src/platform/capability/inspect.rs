//! Platforms that can report on themselves.

/// Reports what an operator should know, such as versions and missing permissions.
#[tonic::async_trait]
pub trait Inspect: Send + Sync {
    /// The facts, in the order in which they are shown. A platform that can't be reached says so in one of them.
    async fn facts(&self) -> Vec<Fact>;
}

/// Something that a platform reports of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Which property it is about, such as `namespace`.
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
