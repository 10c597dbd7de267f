//! The README and the guide in docs/ say what is so: their commands work, their links lead somewhere, their flags exist.
//!
//! A block in `sh` is run, page by page. A block in `text` needs a cluster, root or much time: of its command lines, as of
//! those in code spans, program, subcommand and flags must exist. A block in `toml` is configuration, of known keys.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use loader_tests::{
    Page, Walk, root,
    usage::{Usage, command_lines, in_scripts, is_ours, wrong},
};

/// Pages that have commands to run, each with a test of its own.
macro_rules! pages {
    ($($name:ident: $path:literal),+ $(,)?) => {
        const WALKED: &[&str] = &[$($path),+];

        $(
            #[test]
            fn $name() {
                Walk::through($path, &NOT_RUN);
            }
        )+
    };
}

pages! {
    the_tour_can_be_walked: "README.md",
    the_commands_about_modes_work: "docs/modes.md",
    the_commands_about_specs_work: "docs/specs.md",
    the_commands_about_studies_work: "docs/studies.md",
    the_commands_about_expectations_work: "docs/ci.md",
    the_commands_about_disturbances_work: "docs/disturbances.md",
    the_commands_about_traces_work: "docs/traces.md",
    the_commands_about_functions_work: "docs/functions.md",
    the_commands_about_reports_work: "docs/reports.md",
    the_command_about_the_live_page_works: "docs/live-page.md",
    the_commands_about_security_work: "docs/security.md",
    the_commands_for_those_who_come_from_invitro_work: "docs/from-invitro.md",
}

/// The page whose commands leave the results that its table of files is held against.
const RESULTS: &str = "docs/results.md";

/// The README's first blocks: one takes long, one runs this test, and the daemon of a test has other ports.
const NOT_RUN: [&str; 3] = [
    "./scripts/demo",
    "./scripts/test",
    "cargo build --release --workspace --bins\nexport PATH=$PWD/target/release:$PATH\nloaderd --state-dir /tmp/loader &",
];

/// Most lines of the README.
const LONGEST_README: usize = 199;

/// Flags of InVitro's, which the guide compares with ours.
const FOREIGN_FLAGS: [&str; 5] = ["--iatGeneration", "--generated", "--dryRun", "--verbosity", "--failureConfig"];

/// Folders of the repository whose files the guide names in code spans.
const FOLDERS: [&str; 7] = ["config/", "docker/", "docs/", "proto/", "scripts/", "systemd/", "workloads/"];

#[test]
fn the_files_of_a_run_are_those_of_the_table() {
    let walk = Walk::through(RESULTS, &NOT_RUN);
    let files = fs::read_dir(walk.here().join("my-results")).expect("was made").flatten();
    let files: BTreeSet<_> = files.map(|file| file.file_name().into_string().expect("text")).collect();
    let page = Page::read(RESULTS);
    let section = page.text.split_once("\n## Files\n").expect("is there").1;
    let table = section.lines().take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with("| `"));
    let documented: BTreeSet<_> =
        table.filter_map(|row| row.split('|').nth(1)).flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert_eq!(files.iter().map(String::as_str).collect::<BTreeSet<_>>(), documented);
}

#[test]
fn the_readme_is_short_and_begins_with_two_commands() {
    let readme = Page::read("README.md");
    let lines = readme.text.lines().count();
    assert!(lines <= LONGEST_README, "{lines} lines: move something to docs/");
    assert_eq!(readme.blocks_in("sh")[..NOT_RUN.len()], NOT_RUN);
}

#[test]
fn every_block_is_run_or_checked() {
    for page in Page::all() {
        let path = page.path.to_str().expect("text");
        for block in page.blocks() {
            assert!(["sh", "text", "toml"].contains(&block.language.as_str()), "{path}: what is {block:?}?");
        }
        let is_walked = WALKED.contains(&path) || path == RESULTS;
        assert_eq!(is_walked, !page.blocks_in("sh").is_empty(), "{path} has commands to run, or else no test");
    }
}

#[test]
fn links_lead_somewhere() {
    let mut pages = Page::all();
    pages.extend(
        [
            "ARCHITECTURE.md",
            "CHANGELOG.md",
            "workloads/README.md",
            "workloads/studies/README.md",
            "scripts/cluster/README.md",
        ]
        .map(Page::read),
    );
    let broken = pages.iter().flat_map(|page| page.relative_links().into_iter().filter_map(|link| page.broken(link)));
    assert_eq!(broken.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn every_page_can_be_reached_from_the_readme() {
    let readme = Page::read("README.md");
    let linked: BTreeSet<_> = readme.relative_links().into_iter().map(Path::new).collect();
    let unlinked: Vec<_> = Page::all().into_iter().map(|page| page.path).collect();
    let unlinked: Vec<_> =
        unlinked.iter().filter(|path| !path.ends_with("README.md") && !linked.contains(path.as_path())).collect();
    assert_eq!(unlinked, Vec::<&PathBuf>::new());
}

#[test]
fn commands_that_are_shown_exist() {
    let mut faults = Vec::new();
    for page in Page::all() {
        let shown = page.blocks_in("text").iter().flat_map(|block| command_lines(block)).collect::<Vec<_>>();
        let spans = page.code_spans().into_iter().filter(|span| is_ours(span)).map(str::to_owned);
        let found = shown.into_iter().chain(spans).filter_map(|line| wrong(&line));
        faults.extend(found.map(|fault| format!("{}: {fault}", page.path.display())));
    }
    assert_eq!(faults, [""; 0]);
}

#[test]
fn flags_that_are_named_exist() {
    let known = Usage::everywhere();
    let mut faults = Vec::new();
    for page in Page::all() {
        for span in page.code_spans().into_iter().filter(|span| !is_ours(span)) {
            let first = span.split_whitespace().next().unwrap_or_default();
            let fault = if first.starts_with("--") {
                let flags = span.split_whitespace().filter(|word| word.starts_with("--"));
                let mut unknown =
                    flags.filter(|flag| !known.flags.contains_key(*flag) && !FOREIGN_FLAGS.contains(flag));
                unknown.next().filter(|flag| !in_scripts(flag)).map(|flag| format!("no program knows {flag}"))
            } else if span.contains(" --") && known.commands.iter().any(|command| command == first) {
                wrong(&format!("loaderctl {span}"))
            } else {
                None
            };
            faults.extend(fault.map(|fault| format!("{}: {fault}", page.path.display())));
        }
    }
    assert_eq!(faults, [""; 0]);
}

#[test]
fn files_that_are_named_exist() {
    for page in Page::all() {
        for span in page.code_spans() {
            let path = span.split_whitespace().next().unwrap_or_default();
            if FOLDERS.iter().any(|folder| path.starts_with(folder)) && !path.contains(['*', '<']) {
                assert!(root().join(path).exists(), "{}: {path} does not exist", page.path.display());
            }
        }
    }
}

#[test]
fn configuration_that_is_shown_has_known_keys() {
    let all = fs::read_to_string(root().join("config/loaderd.toml")).expect("is there");
    let known = keys(&all.lines().map(|line| line.strip_prefix('#').unwrap_or(line)).collect::<Vec<_>>());
    for page in Page::all() {
        for block in page.blocks_in("toml") {
            let shown = keys(&block.lines().collect::<Vec<_>>());
            let unknown: Vec<_> = shown.difference(&known).collect();
            assert_eq!(unknown, Vec::<&String>::new(), "{}", page.path.display());
        }
    }
}

/// The keys of a configuration as `section.key`; a table below a section, `[section.key]`, is one of its keys.
fn keys(lines: &[&str]) -> BTreeSet<String> {
    let mut section = String::new();
    let mut keys = BTreeSet::new();
    for line in lines {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((key, _)) = line.split_once(" = ").filter(|(key, _)| !key.contains(' ')) {
            keys.insert(if section.contains('.') { section.clone() } else { format!("{section}.{key}") });
        }
    }
    keys
}
