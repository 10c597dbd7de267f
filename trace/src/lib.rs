//! Traces of serverless platforms: reading and writing them, drawing from them, making smaller and other ones of them, making
//! them up, and comparing them with each other and with what was published.
//!
//! Pure and synchronous: no clock, no async, and files only through [`format::Directory`] and [`write::Output`].
//! Everything random comes from a [`random::StreamKey`], so that the same seed gives the same draws.
//!
//! ```text
//! files ──format──▶ Trace { functions { load, runtime, memory } }
//!                     │ counts or events  │ profiles
//!                     ▼                   ▼
//!                  arrivals             sizes          ◀── random: one stream per (seed, function, purpose)
//!
//! Trace ──edit, sample──▶ Trace ──write──▶ files        Trace ──describe──▶ figures
//!       ──synth::like──▶ Model ──▶ Trace                      ──proxy──▶ real functions
//! ```

pub mod arrivals;
pub mod azure2019;
pub mod counts;
pub mod describe;
pub mod edit;
pub mod events;
pub mod format;
pub mod load;
pub mod proxy;
pub mod random;
pub mod sample;
pub mod sizes;
pub mod synth;
pub mod trace;
pub mod write;

pub use arrivals::{ArrivalStream, Arrivals};
pub use counts::Counts;
pub use events::{Event, Events};
pub use format::{
    Bytes, Directory, Fallback, Fault, Faults, Format, Limits, Needed, Opened, Options, Report, Source, extract,
    needed, open, read,
};
pub use load::Load;
pub use random::{Purpose, StreamKey, StreamRng};
pub use sizes::{Clamp, Clamped, MemoryProfile, RuntimeProfile};
pub use synth::{Synth, SynthError};
pub use trace::{Trace, TraceFunction};
