//! The control API: the gRPC edge of the daemon. The service is thin; [`convert`] makes its messages, [`status`] its errors.

mod answer;
mod audit;
mod clean;
mod convert;
mod gate;
mod invoke;
mod page;
mod permits;
mod room;
mod server;
mod service;
mod status;
mod streams;
mod studies;
mod traces;

pub use convert::{StatusFacts, WireCodec};
pub use server::{ServeError, serve};
pub use service::{Handles, Service};
pub use studies::StudyHandles;
