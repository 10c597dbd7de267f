//! The coordinator with fake workers: they speak the protocol as `worker.proto` has it, over the channels of a session instead of a
//! socket, and make their events of the share of a real plan. The clock is paused.

mod fake;
mod losses;
mod runs;
mod scales;
mod starts;
