//! What both ends of a connection know of each other: bytes in, bytes out, and no socket.
//!
//! The library that came before gave no way to see what it held back, and a call went through its locks, its tables and its
//! channels. Here the peer's limit and windows are known, a request is its bytes in one buffer, and an answer is evaluated
//! where it is read.

mod heads;
mod incoming;
mod outgoing;
mod reading;
mod requests;
mod state;

pub(super) use state::Session;

#[cfg(test)]
mod tests;
