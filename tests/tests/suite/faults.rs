//! What machines do to daemons: full disks and slow ones, no inodes, read-only file systems, no descriptors.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::{
    fs,
    net::{Ipv4Addr, SocketAddrV4},
    os::fd::{AsRawFd as _, OwnedFd},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use loader_tests::{Daemon, Manager, Ran, RawClient, bin, eventually, field, heavy, run};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, socket};

/// A daemon behind a shell that confines it, with a directory for its state and a socket next to it.
struct Confined {
    directory: tempfile::TempDir,
    child: Child,
}

impl Confined {
    /// In the shell, `$1` is the state directory, and `"$@"` begins the daemon with it. Mounts end with the daemon.
    fn start(prepare: impl FnOnce(&Path), script: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let state = directory.path().join("state");
        fs::create_dir(&state).expect("makes");
        prepare(&state);
        let whole = format!(
            "state=$1; {script} && exec \"$2\" --state-dir \"$1\" --socket \"$3\" --listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0"
        );
        let mut unshare = Command::new("unshare");
        unshare.args(["--user", "--map-root-user", "--mount", "--kill-child", "bash", "-c", &whole, "bash"]);
        let log = fs::File::create(directory.path().join("log")).expect("makes");
        unshare.arg(&state).arg(bin("loaderd")).arg(directory.path().join("loaderd.sock")).stderr(log);
        let child = unshare.stdin(Stdio::null()).spawn().expect("starts");
        let this = Self { directory, child };
        eventually("the socket exists", || this.directory.path().join("loaderd.sock").exists().then_some(()));
        this
    }

    fn ctl(&self, arguments: &str) -> Ran {
        let address = format!("unix:{}", self.directory.path().join("loaderd.sock").display());
        run(bin("loaderctl"), ["--address", &address].into_iter().chain(arguments.split(' ')))
    }

    /// A file of its directory as it sees it, which has mounts of its own.
    fn in_its_mounts(&self, name: &str) -> PathBuf {
        let directory = self.directory.path().strip_prefix("/").expect("it is absolute");
        Path::new("/proc").join(self.child.id().to_string()).join("root").join(directory).join(name)
    }

    /// Its address on TCP.
    fn address(&self) -> String {
        eventually("it listens", || {
            let log = self.log();
            let (_, address) = log.split_once("control API on http://")?;
            Some(address.split_once('\n')?.0.to_owned())
        })
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).expect("there is a log")
    }
}

impl Drop for Confined {
    fn drop(&mut self) {
        // It may have ended.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A run of a second, which does not say of a busy machine that the loader was too slow.
const SHORT: &str =
    "submit --mode rps --start 5 --end 5 --slot 1s --runtime 1ms --memory 1MiB --saturation-lag 1m --wait";

#[test]
fn a_full_disk() {
    let _turn = heavy();
    let it = Confined::start(|_| {}, "mount -t tmpfs -o size=1m none \"$state\"");
    let ran =
        it.ctl("submit --mode rps --start 2000 --end 2000 --slot 30s --kind empty --runtime 0s --wait --max-scale 4");
    assert_eq!(ran.code, 1, "{ran:?}");
    let shown = it.ctl("--output json get latest").ok().json();
    assert_eq!(shown["run"]["state"], "RUN_STATE_FAILED", "{shown:#}");
    let reason = shown["run"]["reason"].as_str().expect("a reason");
    for part in ["cannot write", "/invocations.csv", "No space left"] {
        assert!(reason.contains(part), "{reason}");
    }
    // How it ended is on the disk, too, though that is full.
    let id = shown["run"]["runId"].as_str().expect("an id");
    let file = it.in_its_mounts(&format!("state/runs/{id}/run.json"));
    let file: serde_json::Value = serde_json::from_str(&fs::read_to_string(file).expect("is there")).expect("is JSON");
    assert_eq!((&file["state"], &file["reason"]), (&"failed".into(), &reason.into()));
    // What was written before stays, whole rows of it.
    let records = it.ctl("records latest").ok();
    assert!(records.stdout.lines().count() > 100, "{} lines", records.stdout.lines().count());
}

/// A study of eight runs, of some 60 kB each.
const STUDY: &str = "base: { rps: { start: 400, end: 400, slot: 500ms, functions: 1, memoryMib: 1 }, saturation: { lag: 1m } }\n\
                     vary: [{ field: rps.runtime, values: [1ms, 2ms] }]\nrepeats: 4\n";

#[test]
fn a_study_on_a_disk_that_fills_ends_and_another_takes_over_what_it_has() {
    let _turn = heavy();
    let it = Confined::start(|_| {}, "mount -t tmpfs -o size=900k none \"$state\"");
    let file = it.directory.path().join("study.yaml");
    fs::write(&file, STUDY).expect("is written");
    let run = format!("--output json study run {} --wait", file.display());
    let ran = it.ctl(&run);
    assert_eq!(ran.code, 1, "{ran:?}");
    let shown = it.ctl("--output json study get latest").ok().json();
    let study = &shown["study"];
    let (id, reason) = (study["studyId"].as_str().expect("an id"), study["reason"].as_str().expect("a reason"));
    assert_eq!(study["state"], "STUDY_STATE_FAILED", "{shown:#}");
    assert!(reason.to_lowercase().contains("no space left") && reason.contains("/state/"), "{reason}");
    // How it ended is on the disk, too, though that is full, and so it is of each of its runs.
    let on_disk = |name: &str| -> serde_json::Value {
        serde_json::from_str(&fs::read_to_string(it.in_its_mounts(name)).expect("is there")).expect("is JSON")
    };
    let kept = on_disk(&format!("state/studies/{id}/study.json"));
    assert_eq!((&kept["state"], &kept["reason"]), (&"failed".into(), &reason.into()));
    let attempts: Vec<_> = kept["runs"]
        .as_array()
        .expect("runs")
        .iter()
        .flat_map(|run| run["attempts"].as_array().expect("attempts"))
        .collect();
    let samples = attempts.iter().filter(|attempt| attempt["end"] == "sample").count();
    assert!((1..8).contains(&samples) && attempts.iter().all(|attempt| attempt["end"].is_string()), "{kept:#}");
    let runs = it.ctl("--output json list").ok().json();
    for run in runs["runs"].as_array().expect("runs") {
        let id = run["runId"].as_str().expect("an id");
        let state = on_disk(&format!("state/runs/{id}/run.json"))["state"].clone();
        assert!(["succeeded", "failed"].iter().any(|ended| state == *ended), "{id}: {state}");
    }
    // With room again, the rest is made, and nothing of it twice.
    let mut nsenter = Command::new("nsenter");
    nsenter.args(["--user", "--mount", "--preserve-credentials", "--target", &it.child.id().to_string()]);
    let state = it.directory.path().join("state");
    let grown = nsenter.args(["mount", "-o", "remount,size=16m"]).arg(&state).status().expect("runs");
    assert!(grown.success(), "{grown}");
    let ran = it.ctl(&format!("{run} --reuse"));
    assert_eq!(ran.code, 0, "{ran:?}");
    let progress = &it.ctl("--output json study get latest").ok().json()["study"]["progress"];
    assert_eq!((&progress["samples"], &progress["reused"]), (&8.into(), &samples.into()), "{progress}");
}

#[test]
fn a_slow_disk() {
    let _turn = heavy();
    let script = "mkdir \"$state.real\" && \
                  { setpriv --pdeathsig KILL bindfs -f --write-rate=10k \"$state.real\" \"$state\" & } && \
                  until mountpoint --quiet \"$state\"; do sleep 0.1; done";
    let it = Confined::start(|_| {}, script);
    let load = "submit --mode rps --start 400 --end 400 --slot 5s --kind empty --runtime 0s --max-scale 4";
    it.ctl(&format!("{load} --saturation-lag 1m --wait")).ok();
    it.ctl("check latest").ok();
    let rows = it.ctl("records latest").ok().stdout;
    assert_eq!(rows.lines().count(), 2001);
    // They take the disk longer than the load does, which does not wait for it.
    let (disk_us, load_us) = (rows.len() as u64 * 1_000_000 / 10_000, 5_000_000);
    assert!(disk_us > 3 * load_us, "{} bytes", rows.len());
    let run = &it.ctl("--output json get latest").ok().json()["run"];
    assert_eq!(run["state"], "RUN_STATE_SUCCEEDED", "{run:#}");
    assert_eq!(run["progress"]["completed"], "2000", "{run:#}");
    let latest: u64 = run["summary"]["dispatchLagUs"]["max"].as_str().expect("a lag").parse().expect("a number");
    assert!(latest < disk_us - load_us, "the last was sent {latest} us late");
}

#[test]
fn on_a_slow_disk_large_specs_delay_nobody_who_only_asks() {
    // As many as one caller may have prepared at the same time.
    const SPECS: usize = 16;
    let _turn = heavy();
    let manager = Manager::new();
    let notify = manager.directory().join("notify");
    let script = format!(
        "mkdir \"$state.real\" && \
         {{ setpriv --pdeathsig KILL bindfs -f --write-rate=1M \"$state.real\" \"$state\" & }} && \
         until mountpoint --quiet \"$state\"; do sleep 0.1; done && \
         export NOTIFY_SOCKET={} WATCHDOG_USEC=300000",
        notify.display()
    );
    let it = Confined::start(|_| {}, &script);
    let (address, spec) = (it.address(), large_spec());
    let mut asking = RawClient::connect(&address, 1 << 16);
    manager.count("");
    let (mut answered, mut beats) = (0, 0);
    std::thread::scope(|scope| {
        let submit = || {
            // The answer has the whole spec.
            let mut client = RawClient::connect(&address, 1 << 20);
            client.send("SubmitRun", &field(1, &spec));
            client.wait_for_answers(1)
        };
        let submitting: Vec<_> = (0..SPECS).map(|_| scope.spawn(submit)).collect();
        while !submitting.iter().all(|it| it.is_finished()) {
            asking.send("GetStatus", &[]);
            answered += asking.wait_for_answers(1);
            beats += manager.count("WATCHDOG=1");
        }
        let accepted: usize = submitting.into_iter().map(|it| it.join().expect("is answered")).sum();
        assert_eq!(accepted, SPECS);
    });
    // The disk takes as many seconds for them as they have MB. One that waits for it between two answers answers a few times at most.
    assert!(answered > 2 * SPECS && beats > SPECS / 2, "answered {answered} times, {beats} beats");
    assert_eq!(it.ctl("list --output json").ok().json()["runs"].as_array().map_or(0, Vec::len), SPECS);
}

/// A spec of as many bytes as one may have, nearly: mode rps on thousands of targets.
fn large_spec() -> Vec<u8> {
    let target = field(1, &field(1, b"127.0.0.1:12345"));
    let number = |key: u8| [&[key], &1_f64.to_le_bytes()[..]].concat();
    let mode = [number(0x09), number(0x11), field(4, &[0x08, 60])].concat();
    [field(2, b"attach"), field(13, &target.repeat(13_000)), field(21, &mode)].concat()
}

#[test]
fn no_inodes() {
    let it = Confined::start(|_| {}, "mount -t tmpfs -o nr_inodes=8 none \"$state\"");
    let ran = it.ctl(SHORT);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.stderr.contains("No space left") && ran.stderr.contains("/runs/"), "{ran:?}");
    // Nothing is half there, and it still answers.
    assert_eq!(it.ctl("list --output json").ok().json()["runs"].as_array().map_or(0, Vec::len), 0);
}

#[test]
fn a_read_only_state_directory_can_still_be_read() {
    let keep = |state: &Path| {
        let daemon = Daemon::start(state);
        daemon.succeed(&["--mode", "rps", "--start", "5", "--end", "5", "--slot", "1s", "--runtime", "1ms"]);
    };
    let it = Confined::start(keep, "mount --bind \"$state\" \"$state\" && mount -o remount,bind,ro \"$state\"");
    let records = it.ctl("records latest").ok();
    assert_eq!(records.stdout.lines().count(), 6, "{records:?}");
    it.ctl("check latest").ok();
    let ran = it.ctl(SHORT);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.stderr.contains("Read-only file system"), "{ran:?}");
}

#[test]
fn no_descriptors() {
    let _turn = heavy();
    let it = Confined::start(|_| {}, "ulimit -n 600");
    let ran = it.ctl(
        "submit --mode coldstart --start 1 --cold-starts 1 --functions 60 --connection-policy per-function --wait",
    );
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("open files, but the daemon's limit is 600"), "{ran:?}");
    // More clients than it can have descriptors for, from ten addresses, as each may have 128 connections: they wait, and it goes on when
    // they have gone.
    let address: SocketAddrV4 = it.address().parse().expect("an address");
    let clients: Vec<_> =
        (0..70).flat_map(|_| 1..=10).map(|host| connect(Ipv4Addr::new(127, 0, 1, host), address)).collect();
    eventually("it runs out", || it.log().contains("cannot accept a connection").then_some(()));
    drop(clients);
    it.ctl(SHORT).ok();
}

/// A connection from that address of this machine.
fn connect(from: Ipv4Addr, to: SocketAddrV4) -> OwnedFd {
    let client = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).expect("a socket");
    bind(client.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(from, 0))).expect("binds");
    nix::sys::socket::connect(client.as_raw_fd(), &SockaddrIn::from(to)).expect("connects");
    client
}
