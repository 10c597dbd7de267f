//! Measures how long a trace takes to read and how much memory that takes at most:
//!
//! ```text
//! cargo run --release -p loader-trace --example measure_reading -- write DIRECTORY FUNCTIONS MINUTES
//! cargo run --release -p loader-trace --example measure_reading -- read DIRECTORY
//! ```
//! `write` makes a trace up; it is a run of its own so that its memory is not counted.

use std::error::Error;
use std::fs;
use std::path::Path;

use loader_trace::write::Form;
use loader_trace::{Options, Synth, open};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", directory, functions, minutes] => {
            let functions: u32 = functions.parse()?;
            let synth =
                Synth { functions, minutes: minutes.parse()?, target_rate: 0.081 * f64::from(functions), seed: 42 };
            Ok(synth.write(Path::new(directory), Form::Csv, false)?)
        }
        ["read", directory] => measure(Path::new(directory)),
        _ => Err("usage: measure_reading write DIRECTORY FUNCTIONS MINUTES | read DIRECTORY".into()),
    }
}

#[expect(clippy::disallowed_types, reason = "what is measured here is the machine's own time")]
#[expect(clippy::print_stdout, reason = "the measurement is the output")]
fn measure(directory: &Path) -> Result<(), Box<dyn Error>> {
    let start = std::time::Instant::now();
    let opened = open(directory, &Options { skip_incomplete: true, ..Options::default() })?;
    let (trace, report) = opened.into_parts();
    let elapsed = start.elapsed();
    println!("{} functions, {} units, {} invocations", trace.functions.len(), trace.units, trace.invocations());
    for (reason, occurrences) in &report.left_out {
        println!("left out, {reason}: {}", occurrences.count);
    }
    println!("read in {:.3} s, at most {} in memory", elapsed.as_secs_f64(), peak_memory()?);
    Ok(())
}

/// The peak resident memory of this process.
fn peak_memory() -> Result<String, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(peak.ok_or("/proc/self/status has no VmHWM")?.trim().to_owned())
}
