//! Counter-based randomness: one independent stream of draws per (seed, function, purpose), cut into units.
//!
//! The generator is ChaCha8. Its key is the run's seed, its stream number a hash of the function's id and the purpose,
//! and its counter starts anew for each unit. So a draw depends on nothing but (seed, function, purpose, unit, index):
//! a new function, another unit's count or the order in which streams are read never shifts it.

use std::convert::Infallible;

use rand::distr::Open01;
use rand::{RngExt, SeedableRng, TryRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// What a stream's draws are for. Streams of different purposes are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Due offsets of invocations.
    Arrivals,
    /// Run times of invocations.
    Runtime,
    /// Memory sizes of invocations.
    Memory,
    /// Making up a trace.
    Synthesis,
}

impl Purpose {
    /// Part of the stream's hash: changing one changes every plan.
    fn tag(self) -> &'static [u8] {
        match self {
            Self::Arrivals => b"arrivals",
            Self::Runtime => b"runtime",
            Self::Memory => b"memory",
            Self::Synthesis => b"synthesis",
        }
    }
}

/// Names the stream of one (seed, function, purpose). Costs a hash to make, after that units are cheap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamKey {
    seed: u64,
    stream: u64,
}

impl StreamKey {
    /// Base-2 logarithm of the 32-bit words that a unit has to itself. A draw takes two words, so a unit holds 2^35
    /// draws, eight for each of the at most `u32::MAX` invocations in it; 2^32 units fill ChaCha's 2^68 words exactly.
    const UNIT_WORDS_LOG2: u32 = 36;

    /// The stream number is the first eight bytes (little-endian) of SHA-256 over purpose, a zero byte and the id.
    pub fn new(seed: u64, function_id: &str, purpose: Purpose) -> Self {
        let digest = Sha256::new().chain_update(purpose.tag()).chain_update([0]).chain_update(function_id).finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Self { seed, stream: u64::from_le_bytes(first) }
    }

    /// The draws of unit number `unit` (a minute of a trace, an RPS step, …), from their beginning.
    pub fn unit(&self, unit: u32) -> StreamRng {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        let mut chacha = ChaCha8Rng::from_seed(key);
        chacha.set_stream(self.stream);
        chacha.set_word_pos(u128::from(unit) << Self::UNIT_WORDS_LOG2);
        StreamRng(chacha)
    }
}

/// The draws of one unit of one stream. Cloning it repeats them.
#[derive(Debug, Clone)]
pub struct StreamRng(ChaCha8Rng);

impl StreamRng {
    /// A uniform draw from the open interval (0, 1): neither its logarithm nor its reciprocal is infinite.
    pub fn open01(&mut self) -> f64 {
        self.sample(Open01)
    }
}

impl TryRng for StreamRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.try_fill_bytes(bytes)
    }
}

#[cfg(test)]
mod tests;
