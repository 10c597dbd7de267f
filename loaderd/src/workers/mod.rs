//! A run's load from several processes: workers that send shares of one plan, and what they say to each other.

pub mod clocks;
pub mod wire;
