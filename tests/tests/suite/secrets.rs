//! Who can read what the daemon has: its secrets, and its state.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::Path,
    process::Command,
};

use loader_tests::{Daemon, bin, cluster::Cluster, root, run};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("is there").mode() & 0o7777
}

#[test]
fn a_tls_key_that_others_can_read_is_not_served_with() {
    let directory = tempfile::tempdir().expect("a directory");
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("signs");
    let (certificate, key) = (directory.path().join("server.pem"), directory.path().join("server.key"));
    fs::write(&certificate, signed.cert.pem()).expect("writes");
    fs::write(&key, signed.signing_key.serialize_pem()).expect("writes");
    set_mode(&key, 0o644);
    let config = directory.path().join("loaderd.toml");
    fs::write(&config, format!("[tls]\ncertificate = {certificate:?}\nkey = {key:?}\n")).expect("writes");
    let (state, config) = (directory.path().join("state"), config.to_str().expect("text"));
    let flags = ["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--config", config];
    let state_dir = ["--state-dir", state.to_str().expect("text")];
    let refused = run(bin("loaderd"), [&flags[..], &state_dir].concat());
    let message = format!("{0}: others can read this secret (mode 0644): chmod 0600 {0}", key.display());
    assert!(refused.code == 1 && refused.stderr.contains(&message), "{refused:?}");
    set_mode(&key, 0o600);
    Daemon::start_with(&state, &["--config", config]).ctl(&["status"]).ok();
}

#[test]
fn a_kubeconfig_that_others_can_read_is_not_used() {
    let cluster = Cluster::start();
    let kubeconfig = cluster.kubeconfig();
    set_mode(&kubeconfig, 0o644);
    let state = tempfile::tempdir().expect("a directory");
    let config = cluster.loaderd_config("");
    let daemon = Daemon::start_with(state.path(), &["--config", config.to_str().expect("text")]);
    let message = format!("{0}: others can read this secret (mode 0644): chmod 0600 {0}", kubeconfig.display());
    let shown = daemon.ctl(&["status"]).ok().stdout;
    assert!(shown.contains(&message), "{shown}");
    let run = "--mode burst --target-rps 2 --burst 2 --hold 2s --step-duration 1s --runtime 1ms --platform knative";
    let failed = daemon.ended(&daemon.submit(&run.split(' ').collect::<Vec<_>>()));
    assert!(failed["reason"].as_str().is_some_and(|reason| reason.contains(&message)), "{failed}");
    assert_eq!(cluster.asked(), []);
    // It is read again for the next request.
    set_mode(&kubeconfig, 0o600);
    let shown = daemon.ctl(&["status"]).ok().stdout;
    assert!(shown.contains("v1.36.2"), "{shown}");
}

#[test]
fn a_configuration_with_a_password_must_be_the_daemons_own() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = directory.path().join("loaderd.toml");
    let check = || run(bin("loaderd"), ["--check-config", "--config", config.to_str().expect("text")]);
    fs::write(&config, "[prometheus]\nurl = \"http://127.0.0.1:9090\"\n").expect("writes");
    set_mode(&config, 0o644);
    check().ok();
    fs::write(&config, "[prometheus]\nurl = \"http://scraper:hunter2@127.0.0.1:9090\"\n").expect("writes");
    let refused = check();
    assert!(refused.code == 2 && refused.stderr.contains("(mode 0644): chmod 0600"), "{refused:?}");
    assert!(!refused.stderr.contains("hunter2"), "{refused:?}");
    set_mode(&config, 0o600);
    check().ok();
}

/// What lies in a directory with another mode than the rule says.
fn others(directory: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).expect("reads") {
        let path = entry.expect("reads").path();
        let is_directory = path.is_dir();
        if mode(&path) != if is_directory { 0o700 } else { 0o600 } {
            found.push(format!("{:o} {}", mode(&path), path.display()));
        }
        if is_directory {
            others(&path, found);
        }
    }
}

#[test]
fn all_state_is_the_daemons_own_and_follows_one_rule() {
    let directory = tempfile::tempdir().expect("a directory");
    let state = directory.path().join("state");
    let trace = loader_tests::even_trace(directory.path(), 1, 1, 60, 1);
    let daemon = Daemon::start(&state);
    let rps = "--mode=rps --start=5 --end=5 --slot=1s --runtime=1ms --memory=1MiB --saturation-lag=1m";
    for records in ["csv", "parquet"] {
        let flags: Vec<_> = rps.split(' ').chain(["--records", records]).collect();
        daemon.ended(&daemon.submit(&flags));
    }
    daemon.ended(&daemon.submit(&["--mode=trace", "--trace", &trace, "--duration=1s", "--granularity=second"]));
    assert_eq!(mode(&state), 0o700);
    let mut found = Vec::new();
    others(&state, &mut found);
    assert_eq!(found, [""; 0]);
    // One that an earlier version left open.
    drop(daemon);
    set_mode(&state, 0o755);
    let daemon = Daemon::start(&state);
    assert_eq!(mode(&state), 0o700);
    assert!(daemon.log().iter().any(|line| line.contains("was open to others (mode 0755): closed")));
}

/// Runs the package's `postinst` below a directory: what it called.
fn configure(below: &Path, from: &str, members: &str) -> String {
    let (tools, called) = (below.join("tools"), below.join("called"));
    fs::create_dir_all(&tools).expect("makes");
    for tool in ["systemd-sysusers", "systemd-tmpfiles", "chown", "gpasswd", "getent"] {
        // Links: a program that is still open for writing, in a child of a sibling's, can't be run.
        let _already = symlink(root().join("tests/maintainer.sh"), tools.join(tool));
    }
    fs::write(&called, "").expect("writes");
    let path = std::env::var("PATH").expect("there is one");
    let ran = Command::new("sh")
        .arg(root().join("systemd/debian/postinst"))
        .args(["configure", from])
        .env("PATH", format!("{}:{path}", tools.display()))
        .env("CALLED", &called)
        .env("MEMBERS", members)
        .env("DPKG_ROOT", below)
        .output()
        .expect("it runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    fs::read_to_string(called).expect("is there")
}

#[test]
fn the_package_is_configured_also_where_its_configuration_was_removed() {
    let below = tempfile::tempdir().expect("a directory");
    let called = configure(below.path(), "", "alice");
    assert!(!called.contains("chown") && !called.contains("gpasswd"), "{called}");
    let etc = below.path().join("etc/loader");
    fs::create_dir_all(&etc).expect("makes");
    set_mode(&etc, 0o755);
    let called = configure(below.path(), "", "");
    assert_eq!(called.matches("chown").count(), 1, "{called}");
    assert_eq!(mode(&etc), 0o750);
    fs::write(etc.join("loaderd.toml"), "").expect("writes");
    // Users of the socket were in the daemon's own group once.
    let called = configure(below.path(), "0.0.9", "alice,bob");
    assert_eq!(called.matches("chown root:loader").count(), 2, "{called}");
    for line in ["gpasswd --add alice loader-users", "gpasswd --delete bob loader\n"] {
        assert!(called.contains(line), "{called}");
    }
}
