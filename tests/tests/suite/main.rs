//! The black-box tests, in one binary: linked once, and run side by side.
//!
//! They mostly wait for runs of seconds, so that more of them than there are cores go at once: `scripts/test` says how many. Each
//! has its own daemon, ports and directories; those that load the whole machine hold [`loader_tests::heavy`] and so go one by one.

mod access;
mod api;
mod clocks;
mod cluster_scaling;
mod cluster_scripts;
mod cold_start_lists;
mod compare;
mod config;
mod crash;
mod disturbances;
mod expectations;
mod faults;
mod foreign;
mod functions;
mod hostile;
mod images;
mod input;
mod invitro;
mod kills;
mod knative;
mod live_page;
mod modes;
mod plan;
mod prometheus;
mod protocols;
mod readme;
mod recompute;
mod report;
mod results;
mod secrets;
mod service;
mod spans;
mod state;
mod studies;
mod trace_formats;
mod traces;
mod truth;
mod where_files_went;
mod workers;

/// A file that no line above names would never be compiled, and its tests would be missing unnoticed.
#[test]
fn every_file_of_tests_is_a_module() {
    let folder = loader_tests::root().join("tests/tests/suite");
    let text = std::fs::read_to_string(folder.join("main.rs")).expect("is there");
    let declared: std::collections::BTreeSet<_> =
        text.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned)).collect();
    let entries = std::fs::read_dir(folder).expect("is there").map(|entry| entry.expect("can be read").path());
    let found = entries.filter_map(|path| path.file_stem()?.to_str().map(str::to_owned)).filter(|name| name != "main");
    assert_eq!(found.collect::<std::collections::BTreeSet<_>>(), declared);
}
