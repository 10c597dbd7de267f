//! `trace sample`: representative samples, and how representative they are.

use std::path::PathBuf;

use loader_trace::Trace;
use loader_trace::sample::{self, Measure, Preserve, Sampling, Size};

use super::files::{Writing, read};
use crate::cli::{PreserveName, SampleArguments};
use crate::{Ending, Failure, output, output::note, render};

/// Draws samples, writes them, and prints the report, which is written beside them.
pub(super) fn sample(format: output::Format, arguments: SampleArguments) -> Result<Ending, Failure> {
    if !(arguments.effort.is_finite() && arguments.effort >= 0.0) {
        return Err(Failure::Input(format!("--effort is {}; it must be 0 or more", arguments.effort)));
    }
    let sampling = sampling(&arguments);
    let SampleArguments { input, output, seed, .. } = arguments;
    let trace = read(&input.path, &input.reading)?.trace;
    let sampled = sample::sample(&trace, &sampling).map_err(|error| Failure::Input(error.to_string()))?;
    if sampled.assumed_memory > 0 {
        note(&format!("{} functions have no memory; it was taken for 200 MiB", sampled.assumed_memory));
    }
    let mut traces: Vec<(PathBuf, Trace)> = Vec::new();
    let report = render::samples_json(&sampled);
    let mut others = vec![(PathBuf::from(sample::REPORT_FILE), format!("{report:#}\n"))];
    for sample in &sampled.samples {
        let folder = PathBuf::from(sample.functions.len().to_string());
        let ids = sample.functions.iter().map(|&place| trace.functions[place].id.as_str());
        others.push((folder.join("weights.csv"), weights(ids.zip(sample.weights.iter().copied()))?));
        traces.push((folder, trace.with(&sample.functions)));
    }
    let writing = Writing::of(output, seed);
    writing.write(&traces, &others)?;
    match format {
        output::Format::Table => output::text(&render::samples(&sampled))?,
        output::Format::Json => output::json(&report)?,
    }
    for (folder, _) in &traces {
        note(&format!("a sample of {} functions is in {}", folder.display(), writing.to().join(folder).display()));
    }
    Ok(Ending::Done)
}

fn sampling(arguments: &SampleArguments) -> Sampling {
    let loads = [
        (Measure::PeakRate, arguments.peak_rate),
        (Measure::MeanRate, arguments.mean_rate),
        (Measure::Cores, arguments.cores),
        (Measure::Memory, arguments.memory.map(f64::from)),
    ];
    let load = loads.into_iter().find_map(|(measure, load)| Some(Size::Load(measure, load?)));
    let preserve = arguments.preserve.iter().map(|preserve| match preserve {
        PreserveName::Rate => Preserve::Rate,
        PreserveName::Durations => Preserve::Durations,
        PreserveName::Memory => Preserve::Memory,
        PreserveName::IdleTimes => Preserve::IdleTimes,
    });
    Sampling {
        size: load.unwrap_or_else(|| Size::Functions(arguments.functions.clone())),
        weighted: arguments.weighted,
        preserve: preserve.collect(),
        seed: arguments.seed,
        effort: arguments.effort,
    }
}

/// A table of functions and how many each stands for.
fn weights<'a>(weights: impl Iterator<Item = (&'a str, f64)>) -> Result<String, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| Failure::Output(error.into());
    writer.write_record(["HashFunction", "Weight"]).map_err(failed)?;
    for (id, weight) in weights {
        writer.write_record([id, &format!("{weight:.4}")]).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| Failure::Output(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
