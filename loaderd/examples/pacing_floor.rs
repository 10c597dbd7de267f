//! How late the pacer's way to wait is on this machine when nothing is sent. For `scripts/bench`.
//!
//! usage: pacing_floor RATE SECONDS `[ARRIVALS]`    prints percentiles in microseconds as JSON; arrivals are exponential unless named
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use loader_trace::{Arrivals, Purpose, StreamKey};
use loaderd::{clock::Clock, dispatch::pacing_floor, histogram::Histogram, plan::Offset};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = || anyhow::Context::context(arguments.next(), "usage: pacing_floor RATE SECONDS [ARRIVALS]");
    let (rate, seconds): (u32, u32) = (number()?.parse()?, number()?.parse()?);
    let arrivals = arguments.next().map_or(Ok(Arrivals::Exponential), |name| name.parse())?;
    let key = StreamKey::new(42, "floor", Purpose::Arrivals);
    let dues = (0..seconds).flat_map(|second| {
        let begin = Offset::from_nanos(u64::from(second) * 1_000_000_000);
        let offsets = arrivals.stream(rate, 1_000_000_000, key.unit(second));
        offsets.map(move |offset| Offset::from_nanos(begin.as_nanos() + offset))
    });
    let mut missed = Histogram::default();
    for late in pacing_floor(dues, Clock)? {
        missed.add(u64::try_from(late.as_micros())?);
    }
    let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|share| missed.quantile(share).unwrap_or_default());
    println!("{{\"p50\": {p50}, \"p99\": {p99}, \"p999\": {p999}}}");
    Ok(())
}
