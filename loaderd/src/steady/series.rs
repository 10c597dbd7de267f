//! Series of latencies whose nature is known, for tests and for the table of error rates: `examples/steady_state.rs`.

use std::time::Duration;

use loader_trace::{Purpose, StreamKey, StreamRng};

/// Kinds of series: of every value before it an autoregressive series keeps the share in its name.
pub const KINDS: [&str; 9] =
    ["white", "AR 0.3", "AR 0.6", "AR 0.8", "AR 0.9", "transient", "cold starts", "growth", "walk"];

/// The kinds that are not steady, or not from the start.
pub const UNSTEADY: [&str; 4] = ["transient", "cold starts", "growth", "walk"];

/// A series around the level 1, with a standard deviation of a tenth.
pub struct Series {
    kind: &'static str,
    rate: f64,
    values: Vec<f64>,
}

impl Series {
    /// A series of ten minutes with `rate` values a second.
    pub fn of(kind: &'static str, seed: u64, rate: f64) -> Self {
        let mut draws = Draws(StreamKey::new(seed, kind, Purpose::Synthesis).unit(0));
        let memory: f64 = kind.strip_prefix("AR ").and_then(|share| share.parse().ok()).unwrap_or_default();
        let innovation = (1.0 - memory * memory).sqrt();
        let (mut noise, mut level) = (0.0, 0.0);
        let mut next = |at: f64| {
            noise = memory * noise + innovation * draws.normal();
            level += draws.normal();
            let value = 1.0 + 0.1 * noise;
            match kind {
                "transient" => value * (1.0 + 100.0 * decay(at)),
                "cold starts" => value * if draws.uniform() < COLD * decay(at) { COLD_FACTOR } else { 1.0 },
                "growth" => value * (1.0 + 0.01 * at),
                "walk" => (1.0 + 0.02 * level).abs(),
                "slow walk" => (1.0 + 0.002 * level).abs(),
                _ => value,
            }
        };
        let length = Self::LENGTH.as_secs_f64();
        let values = (0_u32..).map(|at| f64::from(at) / rate).take_while(|at| *at < length);
        Self { kind, rate, values: values.map(&mut next).collect() }
    }

    const LENGTH: Duration = Duration::from_secs(600);

    /// How long it lasts.
    pub fn length(&self) -> Duration {
        Self::LENGTH
    }

    /// Its values from one instant to another.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "ten minutes of values, never negative"
    )]
    pub fn between(&self, from: Duration, to: Duration) -> &[f64] {
        let place = |at: Duration| ((at.as_secs_f64() * self.rate).ceil() as usize).min(self.values.len());
        &self.values[place(from)..place(to)]
    }

    /// Whether a window that begins at `begin` and lasts a minute has its mean within a fifth of the final level.
    pub fn has_settled_at(&self, begin: Duration) -> bool {
        let middle = begin.as_secs_f64() + 30.0;
        match self.kind {
            "transient" => 100.0 * decay(middle) < 0.2,
            "cold starts" => COLD * (COLD_FACTOR - 1.0) * decay(middle) < 0.2,
            "growth" | "walk" | "slow walk" => false,
            _ => true,
        }
    }
}

/// The share of the first invocations that are cold starts, and how much longer these take.
const COLD: f64 = 0.3;
const COLD_FACTOR: f64 = 20.0;

/// What is left of a transient after so many seconds; its time constant is a minute.
fn decay(seconds: f64) -> f64 {
    (-seconds / 60.0).exp()
}

/// Draws of one stream.
struct Draws(StreamRng);

impl Draws {
    fn uniform(&mut self) -> f64 {
        self.0.open01()
    }

    /// A standard normal draw (Box and Muller).
    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}
