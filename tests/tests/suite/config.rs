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

/// The keys of a section, as `loaderd` itself names them to who writes one that is none.
fn known(section: &str) -> Vec<String> {
    let header = if section.is_empty() { String::new() } else { format!("[{section}]\n") };
    let ran = check(&format!("{header}qqqqqq = 1\n"));
    let (_, names) = ran.stderr.split_once("known are ").expect("it names them");
    names.trim().split(", ").map(str::to_owned).collect()
}

#[test]
fn the_example_has_every_key_and_is_valid_with_them_and_without() {
    let example = fs::read_to_string(root().join("config/loaderd.toml")).expect("is there");
    check(&example).ok();
    let mut used = String::new();
    // Top-level keys, then each section's; a section is a key of the top.
    let mut named: Vec<(String, Vec<String>)> = vec![(String::new(), Vec::new())];
    for line in example.lines() {
        let is_key = line.starts_with('#') && line.contains(" = ");
        used.push_str(if is_key { &line[1..] } else { line });
        used.push('\n');
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            named[0].1.push(section.to_owned());
            named.push((section.to_owned(), Vec::new()));
        } else if is_key {
            let (key, _) = line[1..].split_once(" = ").expect("it has one");
            named.last_mut().expect("there is one").1.push(key.to_owned());
        }
    }
    for (section, mut keys) in named {
        let mut known = known(&section);
        keys.sort();
        known.sort();
        assert_eq!(keys, known, "section [{section}]");
    }
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
fn non_loopback_addresses_are_refused() {
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
