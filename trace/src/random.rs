//! Counter-based randomness: one independent stream of draws per (seed, function, purpose), cut into units.
//!
//! The generator is Philox2x64-10 (Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011).
//! Its key is a hash of seed, purpose and function, its counter the unit and the number of the draw. So a draw depends on
//! nothing but (seed, function, purpose, unit, index): a new function, another unit's count or the order in which streams
//! are read never shifts it. A stream costs nothing to begin, which counts where most functions are invoked a few times a
//! minute.

use std::convert::Infallible;

use rand::distr::Open01;
use rand::{RngExt, TryRng};
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
    /// Rounding of run times to what a request can hold.
    Rounding,
    /// Making up a trace.
    Synthesis,
    /// Which of several functions an invocation is for.
    Function,
    /// Drawing samples of a trace.
    Sampling,
    /// Which invocations are kept of a trace whose load is changed.
    Scaling,
    /// The order of a study's runs.
    Order,
}

impl Purpose {
    /// Part of the stream's hash: changing one changes every plan.
    fn tag(self) -> &'static [u8] {
        match self {
            Self::Arrivals => b"arrivals",
            Self::Runtime => b"runtime",
            Self::Memory => b"memory",
            Self::Rounding => b"rounding",
            Self::Synthesis => b"synthesis",
            Self::Function => b"function",
            Self::Sampling => b"sampling",
            Self::Scaling => b"scaling",
            Self::Order => b"order",
        }
    }
}

/// Names the stream of one (seed, function, purpose). Costs a hash to make, after that units are cheap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamKey(u64);

impl StreamKey {
    /// The key is the first eight bytes (little-endian) of SHA-256 over the seed (little-endian), purpose, a zero byte and
    /// the id.
    pub fn new(seed: u64, function_id: &str, purpose: Purpose) -> Self {
        let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(purpose.tag()).chain_update([0]);
        let digest = digest.chain_update(function_id).finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Self(u64::from_le_bytes(first))
    }

    /// The draws of unit number `unit` (a minute of a trace, an RPS step, …), from their beginning.
    pub fn unit(&self, unit: u32) -> StreamRng {
        StreamRng { key: self.0, counter: [0, unit.into()], second: None }
    }
}

/// The draws of one unit of one stream. Cloning it repeats them.
#[derive(Debug, Clone)]
pub struct StreamRng {
    key: u64,
    /// The next block, and the unit.
    counter: [u64; 2],
    /// The second draw of the block before.
    second: Option<u64>,
}

impl StreamRng {
    /// A uniform draw from the open interval (0, 1): neither its logarithm nor its reciprocal is infinite.
    pub fn open01(&mut self) -> f64 {
        self.sample(Open01)
    }

    fn draw(&mut self) -> u64 {
        if let Some(second) = self.second.take() {
            return second;
        }
        let [first, second] = philox(self.counter, self.key);
        self.counter[0] = self.counter[0].wrapping_add(1);
        self.second = Some(second);
        first
    }
}

/// One block of Philox2x64 with ten rounds: two draws.
fn philox(counter: [u64; 2], key: u64) -> [u64; 2] {
    const ROUNDS: u32 = 10;
    const MULTIPLIER: u64 = 0xD2B7_4407_B1CE_6E93;
    /// The golden ratio, by which the key is bumped.
    const WEYL: u64 = 0x9E37_79B9_7F4A_7C15;
    let (mut block, mut key) = (counter, key);
    for _ in 0..ROUNDS {
        let product = u128::from(MULTIPLIER) * u128::from(block[0]);
        block = [high(product) ^ key ^ block[1], low(product)];
        key = key.wrapping_add(WEYL);
    }
    block
}

fn high(product: u128) -> u64 {
    (product >> 64) as u64
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half")]
fn low(product: u128) -> u64 {
    product as u64
}

impl TryRng for StreamRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        // The upper half of a draw.
        Ok(u32::try_from(self.draw() >> 32).unwrap_or(u32::MAX))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.draw())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.draw().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
