//! The HTTP server: `/metrics`, and the probes `/healthz` (the process lives) and `/readyz` (the daemon accepts runs).
//!
//! ```text
//! listener ──connections──▶ server (limits, timeouts) ──requests──▶ access ──▶ routes ──▶ metrics
//! ```
//! HTTP/1.1. The server knows nothing of the routes, and the routes nothing of sockets.

mod access;
mod routes;
mod server;

pub use routes::{Exposed, router};
pub use server::{serve, serve_apart};

#[cfg(test)]
mod tests;
