//! Traces of the tests' own.

use std::{fmt::Write as _, fs, path::Path};

/// Writes a trace (preprocessed Azure 2019) of functions that are all called equally often in each column, and run equally long:
/// its directory.
///
/// # Panics
/// When it can't be written.
pub fn even_trace(directory: &Path, functions: usize, columns: usize, per_column: u32, runtime_ms: u32) -> String {
    let header = |names: &str| format!("HashOwner,HashApp,HashFunction,{names}\n");
    let numbered: Vec<_> = (1..=columns).map(|column| column.to_string()).collect();
    let mut invocations = header(&format!("Trigger,{}", numbered.join(",")));
    let percentiles = |name: &str, of: &[u32]| of.iter().map(|p| format!(",{name}{p}")).collect::<String>();
    let of_runtime = percentiles("percentile_Average_", &[0, 1, 25, 50, 75, 99, 100]);
    let mut durations = header(&format!("Average,Count,Minimum,Maximum{of_runtime}"));
    let of_memory = percentiles("AverageAllocatedMb_pct", &[1, 5, 25, 50, 75, 95, 99, 100]);
    let mut memory = header(&format!("SampleCount,AverageAllocatedMb{of_memory}"));
    for function in 0..functions {
        let id = format!("owner,app,f{function}");
        let counts = vec![per_column.to_string(); columns].join(",");
        let runtimes = vec![runtime_ms.to_string(); 7].join(",");
        let written = writeln!(invocations, "{id},http,{counts}")
            .and_then(|()| writeln!(durations, "{id},{runtime_ms},1,{runtime_ms},{runtime_ms},{runtimes}"))
            .and_then(|()| writeln!(memory, "{id},1,1,1,1,1,1,1,1,1,1"));
        written.expect("a text takes everything");
    }
    let to = directory.join("even");
    fs::create_dir_all(&to).expect("a directory");
    for (name, text) in [("invocations", invocations), ("durations", durations), ("memory", memory)] {
        fs::write(to.join(format!("{name}.csv")), text).expect("writes");
    }
    to.to_str().expect("text").to_owned()
}
