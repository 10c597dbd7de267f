//! The control API: the gRPC edge of the daemon. The service is thin; what it says is [`convert`]'s business, and how it
//! fails is [`status`]'s.

mod clean;
mod convert;
mod gate;
mod invoke;
mod places;
mod server;
mod service;
mod status;
mod streams;

pub use convert::{StatusFacts, WireCodec};
pub use server::{ServeError, serve};
pub use service::{Handles, Service};
