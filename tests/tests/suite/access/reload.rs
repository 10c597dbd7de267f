//! What a reload ends, and what it does not take.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use loader_tests::{bin, eventually};
use nix::sys::signal::Signal;
use rcgen::date_time_ymd;

use super::{SHORT, Secured};

/// A client of a stream.
struct Client {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Client {
    /// Starts one, and waits for the first message of its stream.
    fn start(it: &Secured, token: &str, command: &[&str]) -> Self {
        let (address, ca) = (format!("https://{}", it.daemon.address()), it.authority.file("ca.pem"));
        let flags = ["--address", &address, "--ca", &ca, "--token-file", token, "--output", "json"];
        let mut program = Command::new(bin("loaderctl"));
        program.args([&flags, command].concat()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = program.spawn().expect("starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        assert_ne!(stdout.read_line(&mut String::new()).expect("reads"), 0);
        Self { child, stdout }
    }

    /// Its exit code, the rest of what it printed, and its errors.
    fn ended(mut self) -> (Option<i32>, String, String) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("reads");
        let output = self.child.wait_with_output().expect("ends");
        (output.status.code(), rest, String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Has the daemon read its configuration again.
fn reload(it: &Secured, text: &str) {
    std::fs::write(&it.config, text).expect("writes");
    let reloaded = || it.daemon.log().iter().filter(|line| line.ends_with(" reloaded")).count();
    let before = reloaded();
    it.daemon.signal(Signal::SIGHUP);
    eventually("it has reloaded", || (reloaded() > before).then_some(()));
}

#[test]
fn streams_end_when_their_token_is_revoked() {
    let it = Secured::start();
    let long = ["--output", "json", "submit", "--mode=rps", "--start=5", "--end=5", "--slot=1h", "--runtime=1ms"];
    let run = it.with_token(&it.submitter, &long).ok().json()["run"]["runId"].as_str().expect("an id").to_owned();
    let [watch, records, kept] = [("watch", &it.reader), ("records", &it.reader), ("watch", &it.submitter)]
        .map(|(command, token)| Client::start(&it, token, &[command, &run]));
    let text = std::fs::read_to_string(&it.config).expect("reads");
    let revoked: Vec<_> = text.lines().filter(|line| !line.starts_with("board")).collect();
    reload(&it, &revoked.join("\n"));
    for client in [watch, records] {
        let (code, _, errors) = client.ended();
        assert_eq!((code, errors.lines().last()), (Some(5), Some("error: the token is not known")), "{errors}");
    }
    let log = it.daemon.log().join("\n");
    for method in ["WatchRun", "StreamRecords"] {
        assert!(log.contains(&format!("ended: {method} of board by 127.0.0.1: the token is not known")), "{log}");
    }
    // Another's goes on, and ends with its run.
    it.with_token(&it.submitter, &["cancel", &run]).ok();
    let (_, rest, errors) = kept.ended();
    assert!(rest.contains("RUN_STATE_CANCELLED"), "{rest} {errors}");
}

/// Replaces the server's certificate by one that is valid in these years; returns what the daemon says of it.
fn renew(it: &Secured, years: [i32; 2]) -> String {
    it.authority.sign_with("server", |certificate| {
        [certificate.not_before, certificate.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
    });
    let before = it.daemon.log().len();
    it.daemon.signal(Signal::SIGHUP);
    eventually("it has reloaded", || {
        let log = it.daemon.log().split_off(before);
        log.iter().any(|line| line.ends_with(" reloaded")).then(|| log.join("\n"))
    })
}

#[test]
fn a_certificate_that_is_not_valid_is_not_taken_over() {
    let it = Secured::start();
    let path = it.authority.file("server.pem");
    for (years, reason) in
        [([2020, 2024], "has expired at 2024-01-01"), ([3000, 3001], "is not valid before 3000-01-01")]
    {
        let log = renew(&it, years);
        let expected =
            format!("the certificates are not replaced, the old ones stay: tls.certificate: {path}: {reason}");
        assert!(log.contains(&expected), "{log}");
        it.with_token(&it.reader, &["list"]).ok();
    }
    // The key of another certificate.
    let key = std::fs::read(it.authority.file("server.key")).expect("reads");
    it.authority.sign("server");
    std::fs::write(it.authority.file("server.key"), key).expect("writes");
    let before = it.daemon.log().len();
    it.daemon.signal(Signal::SIGHUP);
    let line = eventually("it has reloaded", || {
        it.daemon.log().split_off(before).into_iter().find(|line| line.contains("not replaced"))
    });
    assert!(line.contains("tls.certificate and tls.key: "), "{line}");
    it.with_token(&it.reader, &["list"]).ok();
    let log = renew(&it, [2020, 3000]);
    assert!(!log.contains("not replaced"), "{log}");
    it.with_token(&it.reader, &["list"]).ok();
}

#[test]
fn a_certificate_that_expires_soon_is_warned_of() {
    let it = Secured::start();
    let now = date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds(&it.config));
    let [begun, left] = [30, 5].map(|days| Duration::from_secs(days * 24 * 3600 + 600));
    it.authority.sign_with("server", |certificate| {
        (certificate.not_before, certificate.not_after) = (now - begun, now + left);
    });
    it.daemon.signal(Signal::SIGHUP);
    let line = eventually("it warns", || it.daemon.log().into_iter().find(|line| line.contains("expires in")));
    assert!(line.contains(" WARN ") && line.contains("server.pem: expires in 5 days, at "), "{line}");
    it.with_token(&it.reader, &["list"]).ok();
}

/// The present time, as a file has it that was just written: these tests have no clock but the system's.
fn seconds(file: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(file).expect("is there").mtime().try_into().expect("is after 1970")
}

#[test]
fn each_submits_and_ends_runs_of_its_own() {
    let it = Secured::start();
    let (other, line) = super::token(it.directory.path(), "eve", "submit");
    let text = std::fs::read_to_string(&it.config).expect("reads");
    reload(&it, &format!("{text}{line}"));
    let long = ["submit", "--mode=rps", "--start=5", "--end=5", "--slot=1h", "--runtime=1ms"];
    it.with_token(&it.submitter, &long).ok();
    let of = |run: &str| it.with_token(&it.reader, &["--output", "json", "get", run]).ok().json()["run"].clone();
    let run = of("latest")["runId"].as_str().expect("an id").to_owned();
    assert_eq!(of(&run)["owner"], "ci");
    let refused = format!("error: run {run} belongs to ci: only its owner or an admin may change it\n");
    for command in [&["cancel", "latest"][..], &["cancel", &run], &["pin", &run], &["unpin", &run]] {
        let ran = it.with_token(&other, command);
        assert_eq!((ran.code, &ran.stderr), (5, &refused), "{command:?}");
    }
    it.with_token(&it.submitter, &["cancel", &run]).ok();
    eventually("it has ended", || (of(&run)["state"] == "RUN_STATE_CANCELLED").then_some(()));
    it.with_token(&it.submitter, &["pin", &run]).ok();
    assert_eq!(it.with_token(&other, &["unpin", &run]).stderr, refused);
    it.as_client("alice", &["unpin", &run]).ok();
    // Both have a line of the log; the list shows whose each run is.
    it.with_token(&other, &SHORT).ok();
    let list = it.with_token(&it.reader, &["list"]).ok().stdout;
    let owners: Vec<_> = list.lines().skip(1).map(|line| line.split_whitespace().nth(4).unwrap_or_default()).collect();
    assert_eq!(owners, ["eve", "ci"], "{list}");
    assert!(it.with_token(&it.reader, &["get", &run]).ok().stdout.contains("owner      ci\n"));
}
