//! The level of significance.

/// The chance that a claim is made though nothing is behind it; intervals cover the rest.
pub const ALPHA: f64 = 0.05;
