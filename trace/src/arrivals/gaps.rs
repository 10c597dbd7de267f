//! Sorted offsets as running sums of scaled random gaps.

use rand::RngExt;

use crate::random::StreamRng;

/// The distribution of an unscaled gap.
#[derive(Debug, Clone, Copy)]
pub(super) enum Draw {
    /// The exponential distribution with mean 1.
    Exponential,
    /// The uniform distribution on (0, 1).
    Uniform,
}

impl Draw {
    /// One gap, above 0. The logarithm is that of `libm`, in Rust, and by inversion: the same bits on every machine and
    /// one draw for each gap, neither of which the system's library or a rejection method promises.
    fn gap(self, rng: &mut StreamRng) -> f64 {
        let u = rng.open01();
        match self {
            Self::Exponential => -libm::log(u),
            Self::Uniform => u,
        }
    }
}

/// Offsets at the running sums of gaps that are scaled to sum to the unit.
#[derive(Debug, Clone)]
pub(super) struct Gaps {
    draw: Draw,
    rng: StreamRng,
    /// Sum of the unscaled gaps before the next offset.
    sum: f64,
    /// Nanoseconds for each unscaled unit of gap.
    scale: f64,
    unit_ns: u64,
}

impl Gaps {
    /// `n` gaps; the first offset is 0, the last gap leads to the end of the unit.
    pub(super) fn from_start(draw: Draw, n: u32, unit_ns: u64, rng: StreamRng) -> Self {
        Self::new(draw, n.into(), unit_ns, rng)
    }

    /// `n + 1` gaps; the first leads from the start of the unit to the first offset.
    pub(super) fn between(draw: Draw, n: u32, unit_ns: u64, rng: StreamRng) -> Self {
        let mut gaps = Self::new(draw, u64::from(n) + 1, unit_ns, rng);
        gaps.step();
        gaps
    }

    fn new(draw: Draw, gaps: u64, unit_ns: u64, rng: StreamRng) -> Self {
        let mut ahead = rng.clone();
        let total: f64 = (0..gaps).map(|_| draw.gap(&mut ahead)).sum();
        Self { draw, rng, sum: 0.0, scale: unit_ns as f64 / total, unit_ns }
    }

    /// The next offset. Valid `n` times.
    pub(super) fn advance(&mut self) -> u64 {
        let offset = self.offset();
        self.step();
        offset
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a sum of gaps times scale is positive and at most the unit; rounding down is meant"
    )]
    fn offset(&self) -> u64 {
        // The sums of the last gaps can round up to the total.
        ((self.sum * self.scale) as u64).min(self.unit_ns.saturating_sub(1))
    }

    fn step(&mut self) {
        self.sum += self.draw.gap(&mut self.rng);
    }
}

/// Offsets of [`Gaps::from_start`], each moved by the same random shift around the unit, ascending again.
///
/// Rotating a sorted sequence gives two sorted runs: first those that wrapped around the end, then the others. So one
/// generator is run ahead to the first that wraps, and a second begins at the start once the wrapped ones are exhausted.
#[derive(Debug, Clone)]
pub(super) struct Rotated {
    wrapping: Gaps,
    /// How many wrapped ones are still to come.
    wrapped: u32,
    others: Gaps,
    shift_ns: u64,
}

impl Rotated {
    /// `n` gaps, and a shift drawn before them.
    pub(super) fn new(draw: Draw, n: u32, unit_ns: u64, mut rng: StreamRng) -> Self {
        let shift_ns = rng.random_range(0..unit_ns.max(1));
        let others = Gaps::from_start(draw, n, unit_ns, rng);
        let (mut wrapping, mut wrapped) = (others.clone(), n);
        while wrapped > 0 && wrapping.offset() + shift_ns < unit_ns {
            wrapping.step();
            wrapped -= 1;
        }
        Self { wrapping, wrapped, others, shift_ns }
    }

    /// The next offset. Valid `n` times.
    pub(super) fn advance(&mut self) -> u64 {
        if let Some(left) = self.wrapped.checked_sub(1) {
            self.wrapped = left;
            return self.wrapping.advance() + self.shift_ns - self.wrapping.unit_ns;
        }
        self.others.advance() + self.shift_ns
    }
}
