//! The table of InVitro's files in the guide: each has its place, and the places exist.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::{collections::BTreeSet, fs};

use loader_tests::root;

/// The rows of the table: what is there, and what it became.
fn rows() -> Vec<(String, String)> {
    let page = fs::read_to_string(root().join("docs/from-invitro.md")).expect("is there");
    let (_, section) = page.split_once("## Where each file went").expect("there is one");
    let section = section.split("\n## ").next().expect("there is one");
    let cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    cells.skip(2).map(|(there, here)| (there.to_owned(), here.to_owned())).collect()
}

fn code(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn each_place_exists() {
    let folders: BTreeSet<_> = fs::read_dir(root())
        .expect("is there")
        .filter_map(|entry| entry.expect("is there").file_name().into_string().ok())
        .collect();
    let mut checked = 0;
    for (there, here) in rows() {
        assert!(!here.is_empty(), "{there}");
        for path in code(&here) {
            let of_ours = path.split_once('/').is_some_and(|(folder, _)| folders.contains(folder));
            if of_ours && !path.contains(' ') {
                checked += 1;
                assert!(root().join(path).exists(), "{there} is said to be {path}");
            }
        }
    }
    assert!(checked > 60, "{checked} places");
}

#[test]
fn no_file_is_named_twice() {
    let mut named = BTreeSet::new();
    for (there, _) in rows() {
        for path in code(&there) {
            let path = path.strip_prefix("invitro/").expect("a path of InVitro");
            assert!(named.insert(path.to_owned()), "{path}");
        }
    }
    // The folders at its top, but for those of its own checks.
    for folder in ["cmd", "config", "data", "docs", "pkg", "sampler", "scripts", "server", "tools", "workloads"] {
        assert!(named.iter().any(|path| path.starts_with(folder)), "{folder}");
    }
}
