//! Holds the code to the invariants of ARCHITECTURE.md: it reads the `use` lines and the tables of that file.

#![expect(clippy::expect_used, clippy::panic, reason = "this is a test")]

#[path = "architecture/graph.rs"]
mod graph;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use graph::Graph;

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The words in backquotes.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The table behind the invariant that begins with `sentence`: first column to the words of the second.
fn table(sentence: &str) -> BTreeMap<String, BTreeSet<String>> {
    let text = read(&root().join("ARCHITECTURE.md"));
    let (_, after) = text.split_once(sentence).unwrap_or_else(|| panic!("ARCHITECTURE.md has no {sentence:?}"));
    let rows = after.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let rows = rows.skip(2).map(|row| {
        let cells: Vec<_> = row.split('|').collect();
        (quoted(cells[1]).remove(0), quoted(cells[2]).into_iter().collect())
    });
    rows.collect()
}

/// Every Rust file below `path` that is not a test.
fn sources(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())) {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        if ["tests", "tests.rs", "testkit.rs", "fake.rs"].contains(&name) {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(&path));
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
    found
}

/// The code of a file: without comments, and without the tests at its end.
fn code(path: &Path) -> String {
    let text = read(path);
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// The modules of this crate that some code names.
fn used(code: &str) -> BTreeSet<String> {
    named(code, "crate::")
}

/// What some code names of `root`, in paths and groups.
fn named(code: &str, root: &str) -> BTreeSet<String> {
    let name = |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let mut found = BTreeSet::new();
    for after in code.split(root).skip(1) {
        let Some(group) = after.strip_prefix('{') else {
            found.insert(name(after));
            continue;
        };
        let (mut depth, mut at_start) = (1, true);
        for (index, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' => at_start |= depth == 1,
                c if c.is_whitespace() => {}
                _ if at_start && depth == 1 => {
                    found.insert(name(&group[index..]));
                    at_start = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

/// The top-level module that a file belongs to.
fn module(source: &Path) -> String {
    let below = source.strip_prefix(root().join("loaderd/src")).expect("a source of loaderd");
    let first = below.iter().next().and_then(|part| part.to_str()).expect("a name");
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn modules_use_each_other_only_as_the_table_says() {
    let allowed = table("Invariant: modules of `loaderd` use each other");
    let mut seen = BTreeSet::new();
    for source in sources(&root().join("loaderd/src")) {
        let module = module(&source);
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let may_use = allowed.get(&module).unwrap_or_else(|| panic!("ARCHITECTURE.md does not know {module}"));
        for other in used(&code(&source)) {
            let allowed = other == module || may_use.contains(&other);
            assert!(allowed, "{}: {module} may not use {other}", source.display());
        }
        seen.insert(module);
    }
    let known: BTreeSet<_> = allowed.into_keys().collect();
    assert_eq!(known, seen, "the table lists exactly the modules that there are");
}

#[test]
fn only_the_edge_names_messages_of_the_api() {
    let text = read(&root().join("ARCHITECTURE.md"));
    let (_, after) = text.split_once("Invariant: only these name messages").expect("the invariant");
    let known: BTreeSet<_> = quoted(after.split("\n\n").next().expect("a paragraph")).into_iter().collect();
    let sources = sources(&root().join("loaderd/src"));
    let naming = sources.iter().filter(|source| named(&code(source), "loader_proto::").contains("v1"));
    assert_eq!(naming.map(|source| module(source)).collect::<BTreeSet<_>>(), known);
}

#[test]
fn the_reader_of_use_lines_sees_what_is_used() {
    let text = "use crate::{\n    clock::{Anchor, Clock},\n    id::RunId,\n    plan,\n};\nlet x = crate::record::Row;";
    let expected = ["clock", "id", "plan", "record"].map(str::to_owned);
    assert_eq!(used(text), BTreeSet::from(expected));
}

#[test]
fn crates_depend_on_each_other_only_as_the_table_says() {
    for (name, allowed) in table("Invariant: crates depend on each other") {
        let folder = name.trim_start_matches("loader-");
        let manifest = read(&root().join(folder).join("Cargo.toml"));
        let (_, after) = manifest.split_once("[dependencies]").unwrap_or((&manifest, ""));
        let section = after.split("\n[").next().unwrap_or_default();
        let ours =
            ["loader-proto", "loader-trace", "loader-report", "trace-func", "loaderd", "loaderctl", "loader-tests"];
        let depends =
            section.lines().filter_map(|line| line.split([' ', '.']).next()).filter(|name| ours.contains(name));
        for other in depends {
            assert!(allowed.contains(other), "{name} may not depend on {other}");
        }
    }
}

/// Whether `word` stands in `code`, and not only as the end of another name.
fn mentions(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(place, _)| !code[..place].ends_with(|before: char| before.is_alphanumeric()))
}

#[test]
fn pure_modules_touch_nothing() {
    let text = read(&root().join("ARCHITECTURE.md"));
    let (_, after) = text.split_once("Invariant: these are pure").expect("the invariant");
    let modules = quoted(after.split("\n\n").next().expect("a paragraph"));
    assert!(modules.len() >= 4, "{modules:?}");
    for module in modules {
        let base = root().join("loaderd/src").join(&module);
        let mut files = if base.is_dir() { sources(&base) } else { Vec::new() };
        files.extend(Some(base.with_extension("rs")).filter(|file| file.is_file()));
        assert!(!files.is_empty(), "there is no {module}");
        for file in files {
            let code = code(&file);
            for taboo in
                ["tokio::", "std::fs", "std::net", "std::thread", "log::", "Clock", "Instant::now", "SystemTime"]
            {
                assert!(!mentions(&code, taboo), "{}: {taboo} in a pure module", file.display());
            }
        }
    }
}

#[test]
fn only_the_clock_reads_clocks_and_no_task_is_detached() {
    for source in sources(&root().join("loaderd/src")) {
        let code = code(&source);
        assert!(!code.contains("tokio::spawn("), "{}: a detached task", source.display());
        let reads = code.contains("Instant::now") || code.contains("SystemTime");
        assert!(!reads || module(&source) == "clock", "{}: reads a clock", source.display());
    }
}

/// Every Rust file below `path`, tests too, by its place there.
fn texts(path: &Path) -> BTreeMap<PathBuf, String> {
    let mut texts = BTreeMap::new();
    for entry in fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())) {
        let entry = entry.expect("an entry").path();
        let name = PathBuf::from(entry.file_name().expect("a name"));
        if entry.is_dir() {
            texts.extend(self::texts(&entry).into_iter().map(|(below, text)| (name.join(below), text)));
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            texts.insert(name, read(&entry));
        }
    }
    texts
}

/// No file of a crate uses another one that uses it, over however many files between.
fn assert_no_circle(folder: &str) {
    let texts = texts(&root().join(folder).join("src"));
    let graph = Graph::of(&texts);
    let circles: BTreeSet<_> = graph.circles().into_iter().collect();
    let within =
        |(from, to): &(&Path, &Path)| circles.iter().any(|circle| circle.contains(from) && circle.contains(to));
    let edges = graph.edges().into_iter().filter(|(edge, _)| within(edge));
    let edges = edges.map(|((from, to), name)| format!("{} uses {} of {}\n", from.display(), name, to.display()));
    assert!(circles.is_empty(), "in {folder}:\n{}", edges.collect::<String>());
}

#[test]
fn files_of_libraries_and_the_function_server_use_each_other_in_no_circle() {
    assert_no_circle("trace");
    assert_no_circle("report");
    assert_no_circle("trace-func");
    assert_no_circle("proto");
}

#[test]
fn files_of_the_command_line_use_each_other_in_no_circle() {
    assert_no_circle("loaderctl");
}

#[test]
fn files_of_the_daemon_use_each_other_in_no_circle() {
    assert_no_circle("loaderd");
}

#[test]
fn every_module_stands_in_the_table() {
    let text = read(&root().join("loaderd/src/lib.rs"));
    let declared =
        text.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    let declared: BTreeSet<_> = declared.map(str::to_owned).collect();
    let known: BTreeSet<_> = table("Invariant: modules of `loaderd` use each other").into_keys().collect();
    assert!(declared.len() > 20, "{declared:?}");
    assert_eq!(declared, known, "ARCHITECTURE.md lists exactly the modules of lib.rs");
}

#[test]
fn a_platform_is_named_only_where_it_is_added() {
    let text = read(&root().join("ARCHITECTURE.md"));
    let (_, after) = text.split_once("Invariant: a platform is named only in").expect("the invariant");
    let places = quoted(after.split('.').next().expect("a sentence"));
    assert_eq!(places.len(), 5, "{places:?}");
    let kinds = quoted_in(&read(&root().join("loaderd/src/spec/platform.rs")), "name: \"");
    assert!(kinds.len() >= 3, "{kinds:?}");
    for source in sources(&root().join("loaderd/src")) {
        let below = source.strip_prefix(root().join("loaderd/src")).expect("a source of loaderd");
        if places.iter().any(|place| below.starts_with(place) || below == Path::new(&format!("{place}.rs"))) {
            continue;
        }
        let code = code(&source);
        for name in &kinds {
            let variant = format!("PlatformKind::{}{}", name[..1].to_uppercase(), &name[1..]);
            for named in [variant, format!("{name}::"), format!("== \"{name}\"")] {
                assert!(!mentions(&code, &named), "{}: names the platform {name}: {named}", source.display());
            }
        }
    }
}

/// What stands between `before` and the next quotation mark, wherever it stands and is not empty.
fn quoted_in(code: &str, before: &str) -> BTreeSet<String> {
    let found = code.split(before).skip(1).filter_map(|after| after.split('"').next());
    found.filter(|text| !text.is_empty()).map(str::to_owned).collect()
}
