//! The daemon's configuration file and flags.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::fs;

use loader_tests::{Ran, bin, root, run};

fn check(text: &str) -> Ran {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("loaderd.toml");
    fs::write(&path, text).expect("writes");
    run(bin("loaderd"), ["--check-config", "--config", path.to_str().expect("text")])
}

#[test]
fn the_example_is_valid_with_all_keys_and_without() {
    let example = fs::read_to_string(root().join("config/loaderd.toml")).expect("is there");
    check(&example).ok();
    let is_key = |line: &str| line.starts_with('#') && line.contains(" = ");
    let (mut keys, mut used) = (0, String::new());
    for line in example.lines() {
        keys += usize::from(is_key(line));
        used.push_str(if is_key(line) { &line[1..] } else { line });
        used.push('\n');
    }
    assert_eq!(keys, 19, "every key has a line");
    check(&used).ok();
}

#[test]
fn every_fault_is_named_with_its_line() {
    let ran =
        check("listen = \"0.0.0.0:1\"\nstate_dirr = \"/x\"\n[local]\nmax_instances = 0\nmemory_ratio = \"much\"\n");
    assert_eq!(ran.code, 2);
    let lines: Vec<_> = ran.stderr.lines().map(|line| line.rsplit_once(".toml: ").map_or(line, |(_, it)| it)).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with("line 2: state_dirr: unknown key; did you mean state_dir?"), "{lines:?}");
    assert!(lines[1].starts_with("line 4: local.max_instances: "), "{lines:?}");
    assert!(lines[2].starts_with("line 5: local.memory_ratio: "), "{lines:?}");
}

#[test]
fn nothing_but_loopback_is_served() {
    let ran = check("listen = \"0.0.0.0:9470\"\nmetrics_listen = \"192.0.2.1:9480\"\n");
    assert_eq!(ran.code, 2);
    assert_eq!(ran.stderr.matches("is no loopback address").count(), 2, "{ran:?}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let ran = run(bin("loaderd"), ["--check-config", "--config", "/nowhere/loaderd.toml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("/nowhere/loaderd.toml"), "{ran:?}");
}
