//! The live page, as a browser and those who attack it ask for it.

#![expect(clippy::expect_used, reason = "tests")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    path::Path,
};

use loader_tests::{Daemon, Ran, TIMEOUT, bin, eventually, heavy, run};
use serde_json::Value;

/// Most viewers of one caller.
const MOST: usize = 64;

const SHORT: &str =
    "--mode rps --start 10 --end 10 --slot 3s --runtime 5ms --memory 1MiB --saturation-lag 1m --name short";

fn words(text: &str) -> Vec<&str> {
    text.split(' ').collect()
}

/// The answer to a request by curl: its status, and its body.
fn curl(daemon: &Daemon, path: &str, flags: &[&str]) -> (u16, String) {
    let url = format!("http://{}{path}", daemon.metrics_address());
    let ran = run("curl", [&["--silent", "--show-error", "--write-out", "\n%{http_code}", &url], flags].concat()).ok();
    let (body, status) = ran.stdout.rsplit_once('\n').expect("a status");
    (status.parse().expect("a number"), body.to_owned())
}

/// One who follows the page.
struct Viewer(BufReader<TcpStream>);

impl Viewer {
    fn new(daemon: &Daemon) -> Self {
        let mut stream = TcpStream::connect(daemon.metrics_address()).expect("connects");
        stream.set_read_timeout(Some(TIMEOUT)).expect("is taken");
        stream.write_all(b"GET /live HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("writes");
        Self(BufReader::new(stream))
    }

    /// The next line that begins with this.
    fn line(&mut self, begin: &str) -> String {
        let mut line = String::new();
        while !line.starts_with(begin) {
            line.clear();
            assert!(self.0.read_line(&mut line).expect("reads") > 0, "the stream has ended");
        }
        line
    }

    fn status(&mut self) -> String {
        self.line("HTTP/1.1 ")[9..12].to_owned()
    }

    fn next(&mut self) -> Value {
        serde_json::from_str(&self.line("data: ")[6..]).expect("JSON")
    }

    /// The part about the run under way, once it has these words.
    fn until(&mut self, words: &str) -> String {
        loop {
            let run = self.next()["run"].as_str().expect("HTML").to_owned();
            if run.contains(words) {
                return run;
            }
        }
    }
}

fn configured(state: &Path, text: &str) -> Daemon {
    let file = state.join("loaderd.toml");
    fs::write(&file, text).expect("writes");
    Daemon::start_with(state, &["--config", file.to_str().expect("text")])
}

#[test]
fn a_run_is_followed_by_many_and_then_has_its_report() {
    let _turn = heavy();
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let mut viewers: Vec<_> = (0..MOST).map(|_| Viewer::new(&daemon)).collect();
    assert!(viewers.iter_mut().all(|viewer| viewer.status() == "200"));
    // One more is turned away, and scrapers are not.
    assert_eq!(Viewer::new(&daemon).status(), "503");
    assert_eq!(curl(&daemon, "/metrics", &[]).0, 200);

    let id = daemon.submit(&words(SHORT));
    // The first never reads anything.
    for viewer in &mut viewers[1..] {
        let run = viewer.until("data-layer");
        assert!(run.contains(&id) && run.contains("Requested and achieved rate"), "{run}");
    }
    let ended = daemon.ended(&id);
    assert_eq!(ended["state"], "RUN_STATE_SUCCEEDED", "{ended:#}");
    viewers[1].until("No run is under way");
    drop(viewers);
    eventually("a seat is free", || (Viewer::new(&daemon).status() == "200").then_some(()));

    let (status, page) = curl(&daemon, "/", &[]);
    assert!(status == 200 && page.contains(&format!("href=\"/runs/{id}\"")), "{page}");
    let (status, report) = curl(&daemon, &format!("/runs/{id}"), &[]);
    let file = state.path().join("report.html");
    daemon.ctl(&["report", &id, "--to", file.to_str().expect("text")]).ok();
    assert!(status == 200 && report == fs::read_to_string(file).expect("reads"), "both are the same report");
    daemon.ctl(&["delete", &id]).ok();
    assert_eq!(curl(&daemon, &format!("/runs/{id}"), &[]).0, 404, "a run that was removed is shown no more");
}

#[test]
fn runs_that_are_ticked_are_compared() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let load = SHORT.replace("--slot 3s", "--slot 1s");
    let ids = [0, 1].map(|_| daemon.succeed(&words(&load))["runId"].as_str().expect("an id").to_owned());
    let (status, page) = curl(&daemon, &format!("/compare?a={}&b={}", ids[0], ids[1]), &[]);
    assert!(status == 200 || page.contains("nothing can be compared"), "{status} {page}");
    if status == 200 {
        assert!(page.contains("<h1>B against A</h1>") && ids.iter().all(|id| page.contains(id)), "{page}");
    }
    let (status, page) = curl(&daemon, &format!("/?q=SHORT+{}", ids[0]), &[]);
    assert!(status == 200 && page.contains(&ids[0]) && !page.contains(&format!("/runs/{}", ids[1])), "{page}");
}

#[test]
fn requests_that_come_from_elsewhere_are_refused() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    for (header, expected) in [
        ("Host: localhost:1", 200),
        ("Host: evil.example", 421),
        ("Host:", 400),
        ("Origin: https://evil.example", 403),
        ("Origin: null", 403),
        ("Sec-Fetch-Site: cross-site", 403),
        ("Sec-Fetch-Site: same-site", 403),
        ("Sec-Fetch-Site: none", 200),
    ] {
        let (status, body) = curl(&daemon, "/", &["--header", header]);
        let is_refused = status == expected || (expected == 400 && status == 421);
        assert!(is_refused, "{header}: {status} {body}");
    }
    let absolute = ["--request-target", "http://evil.example/", "--header", "Host: localhost"];
    assert_eq!(curl(&daemon, "/", &absolute).0, 421);
    let (_, head) = curl(&daemon, "/", &["--head", "--header", "Origin: https://evil.example"]);
    assert!(!head.to_lowercase().contains("access-control"), "{head}");
}

#[test]
fn a_page_with_a_login_is_opened_by_a_token_or_an_address_that_works_once() {
    let state = tempfile::tempdir().expect("a directory");
    let file = |name: &str| state.path().join(name).to_str().expect("text").to_owned();
    let (token, jar) = (file("token"), file("jar"));
    let line = run(bin("loaderctl"), ["token", "reader", "--role", "read", "--to", &token]).ok().stdout;
    let config = format!("socket = {:?}\n[access]\nloopback = \"none\"\n[access.tokens]\n{line}", file("socket"));
    let daemon = configured(state.path(), &config);
    let by_socket = |arguments: &[&str]| -> Ran {
        let address = format!("unix:{}", file("socket"));
        run(bin("loaderctl"), [&["--address", &address], arguments].concat())
    };
    let (status, body) = curl(&daemon, "/", &[]);
    assert!(status == 401 && body.contains("name=\"token\""), "{body}");
    assert_eq!(curl(&daemon, "/live", &[]).0, 401);
    let secret = fs::read_to_string(&token).expect("reads");
    let given = format!("token={}", secret.trim());
    let (status, _) = curl(&daemon, "/session", &["--data", &given, "--cookie-jar", &jar]);
    assert_eq!(status, 303);
    assert_eq!(curl(&daemon, "/", &["--cookie", &jar]).0, 200);

    let told = by_socket(&["dashboard"]).ok();
    let (address, code) = told.stdout.trim().split_once("/#").expect("a code in the fragment");
    assert_eq!(address, format!("http://{}", daemon.metrics_address()));
    assert!(told.stderr.contains("once, within 120 seconds"), "{told:?}");
    let other = file("other");
    assert_eq!(curl(&daemon, "/session", &["--data", code, "--cookie-jar", &other]).0, 303);
    assert_eq!(curl(&daemon, "/", &["--cookie", &other]).0, 200);
    let (status, body) = curl(&daemon, "/session", &["--data", code]);
    assert!(status == 401 && body.contains("used before"), "{status} {body}");
    assert_eq!(curl(&daemon, "/session/end", &["--request", "POST", "--cookie", &other]).0, 303);
    assert_eq!(curl(&daemon, "/", &["--cookie", &other]).0, 401);
    let log = daemon.log().join("\n");
    assert!(!log.contains(secret.trim()) && !log.contains(&code[5..]), "no secret is in the log: {log}");
}

#[test]
fn a_daemon_may_have_no_page() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = configured(state.path(), "[http]\npage = false\n");
    assert_eq!(curl(&daemon, "/", &[]).0, 404);
    assert_eq!(curl(&daemon, "/live", &[]).0, 404);
    let refused = daemon.ctl(&["dashboard"]);
    assert!(refused.code != 0 && refused.stderr.contains("there is no page"), "{refused:?}");
    // By default there is one, at an address that needs no code on loopback.
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let told = daemon.ctl(&["dashboard"]).ok();
    assert_eq!(told.stdout.trim(), format!("http://{}/", daemon.metrics_address()));
}
