//! Words of a function that a terminal or a spreadsheet would act on.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
};

use loader_tests::{Daemon, bin, run};
use serde_json::Value;

/// A formula, the title of a terminal's window (OSC), a line written over, a direction mark.
const WORDS: &str = "=HYPERLINK(1)\u{1b}]0;owned\u{7}\rfine\u{202e}";

/// A function that fails with [`WORDS`], until its process ends.
fn failing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it is bound").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            std::thread::spawn(move || {
                let mut seen = [0; 4096];
                // A request without a body, whole in one segment.
                while stream.read(&mut seen).is_ok_and(|read| read > 0) {
                    let head = format!("HTTP/1.1 500 Broken\r\ncontent-length: {}\r\n\r\n", WORDS.len());
                    if stream.write_all((head + WORDS).as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// No character of it acts on a terminal.
fn is_plain(text: &str) -> bool {
    text.chars().all(|it| it == '\n' || !(it.is_control() || matches!(it, '\u{202a}'..='\u{202e}')))
}

#[test]
fn errors_of_functions_are_escaped_where_they_are_shown() {
    let directory = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&directory.path().join("state"));
    let address = failing();
    let load = "--mode=rps --start=5 --end=5 --slot=1s --runtime=0s --saturation-lag=1m --allow-failed-invocations";
    let attach = ["--platform", "attach", "--attach", &address, "--protocol", "http1", "--http-method", "GET"];
    let submitted = daemon.ctl(&[&["submit", "--wait"][..], &load.split(' ').collect::<Vec<_>>(), &attach].concat());
    assert!(is_plain(&submitted.stdout) && is_plain(&submitted.stderr), "{submitted:?}");
    let shown = daemon.ctl(&["get", "latest"]).ok().stdout;
    assert!(is_plain(&shown), "{shown:?}");
    // For programs: no active character either, and the same text.
    let json = daemon.ctl(&["--output", "json", "records", "latest"]).ok().stdout;
    assert!(is_plain(&json), "{json:?}");
    let first: Value = serde_json::from_str(json.lines().next().expect("a message")).expect("it is JSON");
    let error = first["records"][0]["error"].as_str().expect("text");
    assert!(error.contains("\u{1b}]0;owned\u{7}") && error.contains('\u{202e}'), "{error:?}");

    // The run's own file has what the function said; a copy for people is safe in a spreadsheet.
    let id = daemon.ctl(&["--output", "json", "get", "latest"]).ok().json()["run"]["runId"].clone();
    let own = fs::read_to_string(daemon.directory(id.as_str().expect("an id")).join("invocations.csv")).expect("reads");
    let fetch = |to: &str, more: &[&str]| {
        let to = directory.path().join(to);
        let to = to.to_str().expect("text");
        daemon.ctl(&[&["results", "latest", "--to", to], more].concat()).ok();
        let checked = run(bin("loaderctl"), ["check", to]).ok();
        assert!(checked.stdout.contains("files match"), "{checked:?}");
        fs::read_to_string(format!("{to}/invocations.csv")).expect("reads")
    };
    assert_eq!(fetch("raw", &["--cells", "raw"]), own);
    let safe = fetch("safe", &[]);
    assert_ne!(safe, own);
    let begins =
        |text: &str, with: &str| text.contains(&format!(",\"{with}HYPER")) || text.contains(&format!(",{with}HYPER"));
    assert!(begins(&own, "=") && !begins(&safe, "=") && begins(&safe, "'="), "{safe}");
    let records = daemon.ctl(&["records", "latest", "--cells", "safe"]).ok().stdout;
    assert_eq!(records, safe);
}

#[test]
fn words_of_a_platform_are_escaped_in_the_log_and_in_answers() {
    let directory = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&directory.path().join("state"));
    // The daemon's answer repeats what it was given.
    let refused =
        daemon.ctl(&["submit", "--mode=rps", "--start=5", "--end=5", "--slot=1s", "--platform", "\u{1b}[2J\u{202e}"]);
    assert!(refused.code == 2 && is_plain(&refused.stderr), "{refused:?}");
    let named = "--mode=rps --start=5 --end=5 --slot=1s --runtime=0s --saturation-lag=1m --name";
    let name = "evil\u{1b}]0;owned\u{7}\u{202e}";
    let submitted = daemon.ctl(&[&["submit", "--wait"][..], &named.split(' ').collect::<Vec<_>>(), &[name]].concat());
    let listed = daemon.ctl(&["list"]).ok();
    for text in [&submitted.stdout, &submitted.stderr, &listed.stdout] {
        assert!(is_plain(text), "{text:?}");
    }
    let log = daemon.log();
    assert!(log.iter().all(|line| is_plain(line)), "{log:?}");
}
