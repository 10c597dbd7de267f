//! Access control: TLS, tokens, client certificates, roles, limits; and what a reload changes.
#![expect(clippy::expect_used, reason = "this is a test")]

mod reload;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use loader_tests::{Daemon, Ran, bin, even_trace, eventually, run};
use nix::sys::signal::Signal;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};

/// An authority, and what it signs, in files.
struct Authority {
    directory: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new(directory: &Path, name: &str) -> Self {
        let directory = directory.join(name);
        fs::create_dir(&directory).expect("makes");
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate().expect("a key")).expect("signs");
        fs::write(directory.join("ca.pem"), issuer.pem()).expect("writes");
        Self { directory, issuer }
    }

    /// Signs a certificate for a server on loopback, or for a client of that name.
    fn sign(&self, name: &str) {
        self.sign_with(name, |_| {});
    }

    /// Signs a certificate with changes.
    fn sign_with(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) {
        let mut parameters = CertificateParams::new(["127.0.0.1".to_owned()]).expect("a name");
        parameters.distinguished_name = DistinguishedName::new();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut parameters);
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("signs");
        fs::write(self.file(&format!("{name}.pem")), certificate.pem()).expect("writes");
        let file = self.file(&format!("{name}.key"));
        fs::write(&file, key.serialize_pem()).expect("writes");
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("it is ours");
    }

    fn file(&self, name: &str) -> String {
        self.directory.join(name).to_str().expect("text").to_owned()
    }
}

/// A token in a file, and its line for the configuration.
fn token(directory: &Path, name: &str, role: &str) -> (String, String) {
    let file = directory.join(format!("{name}.token")).to_str().expect("text").to_owned();
    let made = run(bin("loaderctl"), ["token", name, "--role", role, "--to", &file]).ok();
    assert_eq!(fs::metadata(&file).expect("was made").permissions().mode() & 0o777, 0o600);
    (file, made.stdout)
}

/// A daemon that speaks TLS on loopback, too; with an authority for its own certificate and its clients'.
pub(super) struct Secured {
    directory: tempfile::TempDir,
    authority: Authority,
    config: PathBuf,
    pub(super) daemon: Daemon,
    pub(super) reader: String,
    submitter: String,
}

/// A run of a second, which does not say of a busy machine that the loader was too slow.
const SHORT: [&str; 8] =
    ["submit", "--mode=rps", "--start=5", "--end=5", "--slot=1s", "--runtime=1ms", "--saturation-lag=1m", "--wait"];

impl Secured {
    pub(super) fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let authority = Authority::new(directory.path(), "lab");
        for name in ["server", "alice", "mallory"] {
            authority.sign(name);
        }
        let (reader, read) = token(directory.path(), "board", "read");
        let (submitter, submit) = token(directory.path(), "ci", "submit");
        let config = directory.path().join("loaderd.toml");
        let text = format!(
            "[tls]\ncertificate = {:?}\nkey = {:?}\nclient_ca = {:?}\nloopback = true\n\
             [access]\ncertificates = {{ alice = \"admin\" }}\n[access.tokens]\n{read}{submit}",
            authority.file("server.pem"),
            authority.file("server.key"),
            authority.file("ca.pem"),
        );
        fs::write(&config, text).expect("writes");
        let state = directory.path().join("state");
        let daemon = Daemon::start_with(&state, &["--config", config.to_str().expect("text")]);
        Self { directory, authority, config, daemon, reader, submitter }
    }

    fn ctl(&self, credentials: &[&str], command: &[&str]) -> Ran {
        let (address, ca) = (format!("https://{}", self.daemon.address()), self.authority.file("ca.pem"));
        let flags = [&["--address", &address, "--ca", &ca], credentials, command].concat();
        run(bin("loaderctl"), flags)
    }

    pub(super) fn with_token(&self, file: &str, command: &[&str]) -> Ran {
        self.ctl(&["--token-file", file], command)
    }

    fn as_client(&self, name: &str, command: &[&str]) -> Ran {
        let (certificate, key) =
            (self.authority.file(&format!("{name}.pem")), self.authority.file(&format!("{name}.key")));
        self.ctl(&["--cert", &certificate, "--key", &key], command)
    }
}

#[test]
fn tokens_and_certificates_let_in_as_far_as_their_roles_go() {
    let it = Secured::start();
    // Without credentials: health, and nothing else.
    let refused = it.ctl(&[], &["list"]);
    assert_eq!(
        (refused.code, refused.stderr.as_str()),
        (5, "error: a bearer token or a client certificate is needed\n")
    );
    let ca = it.authority.file("ca.pem");
    // The header is for reflection alone.
    let bearer = format!("authorization: Bearer {}", fs::read_to_string(&it.reader).expect("reads").trim());
    let check = ["-cacert", &ca, "-reflect-header", &bearer, it.daemon.address(), "grpc.health.v1.Health/Check"];
    let health = run("grpcurl", check).ok();
    assert_eq!(health.json()["status"], "SERVING");

    it.with_token(&it.reader, &["list"]).ok();
    let refused = it.with_token(&it.reader, &SHORT);
    assert_eq!((refused.code, refused.stderr.as_str()), (5, "error: board has the role read; this needs submit\n"));
    it.with_token(&it.submitter, &SHORT).ok();
    let refused = it.with_token(&it.submitter, &["delete", "latest"]);
    assert_eq!((refused.code, refused.stderr.as_str()), (5, "error: ci has the role submit; this needs admin\n"));
    it.as_client("alice", &["delete", "latest"]).ok();
    let refused = it.as_client("mallory", &["list"]);
    assert!(refused.stderr.contains("has no role in [access.certificates]"), "{refused:?}");

    let wrong = it.directory.path().join("wrong.token");
    fs::write(&wrong, "0123\n").expect("writes");
    let refused = it.with_token(wrong.to_str().expect("text"), &["list"]);
    assert_eq!((refused.code, refused.stderr.as_str()), (5, "error: the token is not known\n"));

    // Each change has its line; refusals, too; looking has none.
    let log = eventually("it is logged", || {
        let log = it.daemon.log();
        log.iter().any(|line| line.contains("the token is not known")).then_some(log)
    });
    let audit: Vec<_> = log.iter().filter_map(|line| Some(line.split_once("audit: ")?.1)).collect();
    assert!(audit[0].starts_with("ci by 127.0.0.1: SubmitRun: Ok RUN_ID="), "{audit:?}");
    assert!(audit[1].starts_with("alice by 127.0.0.1: DeleteRun: Ok RUN_ID="), "{audit:?}");
    assert_eq!(audit.len(), 2, "{audit:?}");
    assert!(
        log.iter().any(|line| line.contains("refused: SubmitRun by 127.0.0.1: board has the role read")),
        "{log:?}"
    );
    assert!(!log.iter().any(|line| line.contains(&fs::read_to_string(&it.submitter).expect("reads"))), "{log:?}");
}

#[test]
fn others_are_not_believed_and_plain_text_is_not_spoken() {
    let it = Secured::start();
    let other = Authority::new(it.directory.path(), "other");
    other.sign("alice");
    // A daemon that another authority vouches for.
    let address = format!("https://{}", it.daemon.address());
    let ca = other.file("ca.pem");
    let refused = run(bin("loaderctl"), ["--address", &address, "--ca", &ca, "--token-file", &it.reader, "list"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    // A client that another authority vouches for.
    let (certificate, key) = (other.file("alice.pem"), other.file("alice.key"));
    let refused = it.ctl(&["--cert", &certificate, "--key", &key], &["list"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    let refused = run(bin("loaderctl"), ["--address", &format!("http://{}", it.daemon.address()), "list"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    // A token is not sent where others can read it.
    let refused = run(bin("loaderctl"), ["--address", "http://192.0.2.1:9470", "--token-file", &it.reader, "list"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("would show the token to others"), "{refused:?}");
}

#[test]
fn metrics_take_tls_and_a_token() {
    let it = Secured::start();
    let (url, ca) = (format!("https://{}/", it.daemon.metrics_address()), it.authority.file("ca.pem"));
    let curl = |path: &str, more: &[&str]| {
        let url = format!("{url}{path}");
        run("curl", [&["--silent", "--cacert", &ca, "--write-out", "%{http_code}", &url], more].concat()).ok().stdout
    };
    assert!(curl("metrics", &[]).ends_with("401"));
    assert_eq!(curl("healthz", &[]), "ok\n200");
    let token = fs::read_to_string(&it.reader).expect("reads");
    let metrics = curl("metrics", &["--header", &format!("Authorization: Bearer {}", token.trim())]);
    assert!(metrics.contains("\nloader_build_info{") && metrics.ends_with("200"), "{metrics}");
}

#[test]
fn a_reload_changes_tokens_certificates_and_the_log_and_reports_what_needs_a_restart() {
    let it = Secured::start();
    it.with_token(&it.reader, &["list"]).ok();
    // A new server certificate by a new authority; the token of the reader is gone; another platform.
    let renewed = Authority::new(it.directory.path(), "renewed");
    renewed.sign("server");
    for file in ["server.pem", "server.key"] {
        fs::copy(renewed.file(file), it.authority.file(file)).expect("copies");
    }
    let text = fs::read_to_string(&it.config).expect("reads");
    let kept: Vec<_> = text.lines().filter(|line| !line.starts_with("board")).collect();
    let changed = format!("platform = \"attach\"\nlog_level = \"debug\"\n{}\n", kept.join("\n"));
    fs::write(&it.config, &changed).expect("writes");
    it.daemon.signal(Signal::SIGHUP);
    let line = eventually("it has reloaded", || {
        it.daemon.log().into_iter().find(|line| line.contains("reloaded; these changes take a restart:"))
    });
    assert!(line.ends_with("restart: platform"), "{line}");
    assert_eq!(it.with_token(&it.submitter, &["list"]).code, 4, "the old authority does not vouch any more");
    let (address, ca) = (format!("https://{}", it.daemon.address()), renewed.file("ca.pem"));
    let list = |token: &str| run(bin("loaderctl"), ["--address", &address, "--ca", &ca, "--token-file", token, "list"]);
    list(&it.submitter).ok();
    assert_eq!(list(&it.reader).stderr, "error: the token is not known\n");

    // A configuration that can't be used changes nothing.
    fs::write(&it.config, format!("{changed}\nnonsense = 1\n")).expect("writes");
    it.daemon.signal(Signal::SIGHUP);
    eventually("it was refused", || it.daemon.log().into_iter().find(|line| line.contains("not reloaded:")));
    list(&it.submitter).ok();
}

#[test]
fn uploads_are_bounded_for_each_client_from_a_reload_on() {
    let it = Secured::start();
    let plan = |which: usize, name: &str| {
        let directory = it.directory.path().join(which.to_string());
        let trace = even_trace(&directory, which, 2, 1, 1);
        it.as_client(name, &["plan", "--mode", "trace", "--trace", &trace])
    };
    plan(1, "alice").ok();
    let text = fs::read_to_string(&it.config).expect("reads");
    fs::write(&it.config, format!("{text}\n[traces]\nmax_uploads_per_client = 1\n")).expect("writes");
    it.daemon.signal(Signal::SIGHUP);
    eventually("it has reloaded", || it.daemon.log().iter().any(|line| line.ends_with(" reloaded")).then_some(()));
    let refused = plan(2, "alice");
    let message = "alice has reached the limit of 1 traces of one client (traces.max_uploads_per_client)";
    assert!(refused.stderr.contains(message), "{}", refused.stderr);
    plan(1, "alice").ok();
    let other = it.directory.path().join("2/even");
    it.with_token(&it.submitter, &["plan", "--mode", "trace", "--trace", other.to_str().expect("text")]).ok();
    // It is stored now, whichever client sent it.
    plan(2, "alice").ok();
}

#[test]
fn the_socket_is_for_its_group_and_has_a_role() {
    let directory = tempfile::tempdir().expect("a directory");
    let socket = directory.path().join("loaderd.sock");
    let config = directory.path().join("loaderd.toml");
    fs::write(&config, "[access]\nsocket = \"submit\"\nloopback = \"none\"\nrequests_per_second = 1\n")
        .expect("writes");
    let flags = ["--socket", socket.to_str().expect("text"), "--config", config.to_str().expect("text")];
    let daemon = Daemon::start_with(&directory.path().join("state"), &flags);
    assert_eq!(fs::metadata(&socket).expect("is there").permissions().mode() & 0o777, 0o660);
    let address = format!("unix:{}", socket.display());
    let by_socket = |command: &[&str]| run(bin("loaderctl"), [&["--address", &address], command].concat());
    by_socket(&["list"]).ok();
    assert!(by_socket(&["clean", "--all-runs"]).stderr.contains("has the role submit; this needs admin"));
    assert_eq!(daemon.ctl(&["list"]).stderr, "error: loopback has the role none; this needs read\n");
    let refused = std::thread::scope(|scope| {
        let askers: Vec<_> = (0..40).map(|_| scope.spawn(|| by_socket(&["list"]))).collect();
        askers.into_iter().map(|asker| asker.join().expect("asks")).find(|ran| ran.code != 0)
    });
    let refused = refused.expect("forty at once are too many");
    assert!(refused.stderr.contains("more requests a second than [access] requests_per_second allows"), "{refused:?}");
}

#[test]
fn other_addresses_without_tls_are_refused_at_the_start() {
    let state = tempfile::tempdir().expect("a directory");
    let path = state.path().to_str().expect("text");
    let ran = run(bin("loaderd"), ["--state-dir", path, "--listen", "0.0.0.0:0", "--metrics-listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("0.0.0.0:0 is no loopback address: that needs TLS"), "{ran:?}");
}
