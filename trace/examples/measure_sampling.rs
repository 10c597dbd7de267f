//! Measures how long a trace takes to sample, how much memory that takes at most, and how J compares with random samples:
//!
//! ```text
//! cargo run --release -p loader-trace --example measure_sampling -- DIRECTORY SIZE,… EFFORT SEED…
//! ```
//! A line for each size and seed: J, the least J of 16 random samples, their ratio, and the bound below which no sample is.

use std::error::Error;
use std::fs;
use std::path::Path;

use loader_trace::sample::{Sampling, Size, sample};
use loader_trace::{Options, open};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, sizes, effort, seeds @ ..] = arguments.as_slice() else {
        return Err("usage: measure_sampling DIRECTORY SIZE,… EFFORT SEED…".into());
    };
    let sizes: Vec<usize> = sizes.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let seeds: Vec<u64> = seeds.iter().map(|seed| seed.parse()).collect::<Result<_, _>>()?;
    measure(Path::new(directory), &sizes, effort.parse()?, &seeds)
}

#[expect(clippy::disallowed_types, reason = "what is measured here is the machine's own time")]
#[expect(clippy::print_stdout, reason = "the measurement is the output")]
fn measure(directory: &Path, sizes: &[usize], effort: f64, seeds: &[u64]) -> Result<(), Box<dyn Error>> {
    let start = std::time::Instant::now();
    let opened = open(directory, &Options { skip_incomplete: true, ..Options::default() })?;
    println!("read in {:.3} s", start.elapsed().as_secs_f64());
    for &seed in seeds {
        let start = std::time::Instant::now();
        let sampling = Sampling { size: Size::Functions(sizes.to_vec()), seed, effort, ..Sampling::default() };
        let sampled = sample(&opened.trace, &sampling)?;
        println!("seed {seed}: sampled in {:.3} s", start.elapsed().as_secs_f64());
        for sample in sampled.samples {
            let j = sample.distance.j();
            let random = sample.chance.map_or(f64::NAN, |chance| chance.best_of_16);
            let (size, ratio, bound) = (sample.functions.len(), j / random, sample.distance.bound);
            let weighted = sample.distance.weighted_j.unwrap_or(f64::NAN);
            println!("{size}: J {j:.6}, of 16 {random:.6}, ratio {ratio:.4}, bound {bound:.6}, weighted {weighted:.6}");
            for (finding, chance) in sample.findings {
                let (value, chance) =
                    (finding.value.unwrap_or(f64::NAN), chance.map_or(f64::NAN, |chance| chance.mean));
                println!("  {}: {value:.4}, by chance {chance:.4}", finding.measure);
            }
        }
    }
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    println!("at most {} in memory", peak.ok_or("/proc/self/status has no VmHWM")?.trim());
    Ok(())
}
