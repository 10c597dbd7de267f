//! Small files that look like the published ones, down to line ends and left-out cells, and what is read of them.
//!
//! `samples/<format>` is the trace, `samples/<format>.txt` the text that [`described`] must make of it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "all of it is a test, its functions too")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use loader_trace::{Clamp, Directory, Format, Load, Options, Report, Trace, TraceFunction, open};

fn samples() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "samples"].iter().collect()
}

fn described(trace: &Trace, report: &Report) -> String {
    let mut text = format!("{} units, {} invocations\n", trace.units, trace.invocations());
    for function in &trace.functions {
        describe(&mut text, function).unwrap();
    }
    for (reason, occurrences) in &report.left_out {
        writeln!(text, "{reason}: {} {:?}", occurrences.count, occurrences.examples).unwrap();
    }
    for (repair, occurrences) in &report.repaired {
        writeln!(text, "{}: {} {:?}", repair.name(), occurrences.count, occurrences.examples).unwrap();
    }
    text
}

fn describe(text: &mut String, function: &TraceFunction) -> std::fmt::Result {
    let TraceFunction { id, owner, app, trigger, load, runtime, memory } = function;
    writeln!(text, "{id}\n  owner {owner:?} app {app:?} trigger {trigger:?}")?;
    match load {
        Load::Counts(counts) => writeln!(text, "  counts {:?}", counts.iter().collect::<Vec<_>>())?,
        Load::Events(events) => {
            for event in events.all() {
                let memory = event.memory_mib.map(|mib| format!(", takes {mib} MiB")).unwrap_or_default();
                writeln!(text, "  start {} ns, runs {} us{memory}", event.start_ns, event.runtime_us)?;
            }
        }
    }
    let shares = [0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0];
    let clamp = Clamp { min: Duration::ZERO, max: Duration::MAX };
    if let Some(profile) = runtime {
        writeln!(text, "  runs {:?}, mean {:?}", shares.map(|q| profile.quantile(q)), profile.mean(clamp))?;
    }
    if let Some(profile) = memory {
        writeln!(text, "  takes {:?} MiB", shares.map(|q| profile.quantile(q)))?;
    }
    Ok(())
}

#[track_caller]
fn assert_reads(format: Format, skip_incomplete: bool) {
    let directory = Directory(samples().join(format.name()));
    assert_eq!(Format::detect(&directory), Some(format));
    let options = Options { skip_incomplete, ..Options::default() };
    let opened = open(&directory.0, &options).unwrap_or_else(|faults| panic!("{format}:\n{faults}"));
    let (trace, report) = opened.into_parts();
    let expected = std::fs::read_to_string(samples().join(format!("{format}.txt"))).unwrap_or_default();
    let found = described(&trace, &report);
    assert_eq!(found, expected, "what was found:\n{found}");
}

/// An app without memory, an idle function, a function twice, run times of 0.
#[test]
fn reads_azure_2019() {
    assert_reads(Format::Azure2019, true);
}

/// A minute without a row, empty cells, functions in another order, one without a request; memory of all instances.
#[test]
fn reads_huawei_2023() {
    assert_reads(Format::Huawei2023, false);
}

/// A function of the same name in two apps, run times of 0, a start before that of the first row.
#[test]
fn reads_azure_2021() {
    assert_reads(Format::Azure2021, false);
}

/// Two tables, a request without a front end's time, one without a memory usage, a negative run time.
#[test]
fn reads_huawei_2025() {
    assert_reads(Format::Huawei2025, false);
}

/// A request that is still being processed.
#[test]
fn reads_alibaba_genai() {
    assert_reads(Format::AlibabaGenai, false);
}

#[test]
fn reads_iluvatar() {
    assert_reads(Format::Iluvatar, false);
}

/// A function without invocations, whose lists are null.
#[test]
fn reads_plans_of_invitro() {
    assert_reads(Format::InvitroIat, false);
}

/// A table that gzip packed, one that zstd packed, one in a zip archive.
#[test]
fn packed_files_are_read_as_they_are() {
    let directory = samples().join("packed");
    let (trace, report) = open(&directory, &Options::default()).unwrap().into_parts();
    let expected = std::fs::read_to_string(samples().join("packed.txt")).unwrap_or_default();
    let found = described(&trace, &report);
    assert_eq!(found, expected, "what was found:\n{found}");
}

#[test]
fn a_file_can_be_named_instead_of_its_directory() {
    let directory = samples().join("azure2021");
    let file = directory.join("AzureFunctionsInvocationTraceForTwoWeeksJan2021.txt");
    let read = |path: PathBuf| open(&path, &Options::default()).unwrap();
    assert_eq!(read(file), read(directory));
}
