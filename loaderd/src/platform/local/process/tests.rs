//! Real processes: shell scripts in the place of `trace-func`.

use std::fs;

use nix::sys::signal::kill;
use tempfile::TempDir;

use super::*;
use crate::id::RunId;

/// A program that behaves as the script says, and a launcher for it.
struct Bench {
    folder: TempDir,
    processes: Processes,
}

impl Bench {
    fn new(script: &str, stop_grace: Duration) -> Self {
        let folder = TempDir::new().unwrap();
        let program = folder.path().join("trace-func");
        let text = format!("#!/bin/sh\ncd \"$(dirname \"$0\")\"\n{script}\n");
        // Another process writes it: were it open for writing here, a process that another test starts in this instant
        // would hold it open too, and the system would refuse to run it.
        let write = "printf '%s' \"$1\" > \"$0\" && chmod +x \"$0\"";
        let written = std::process::Command::new("sh").args(["-c", write]).arg(&program).arg(text).status();
        assert!(written.unwrap().success());
        Self { processes: Processes::start(program, stop_grace).unwrap(), folder }
    }

    fn launch(&self, stop: &CancellationToken) -> Process {
        self.launch_busy(stop, Duration::ZERO)
    }

    fn launch_busy(&self, stop: &CancellationToken, startup_busy_loop: Duration) -> Process {
        let launch = Launch {
            run: RunId::new(0, 0),
            function: "f".to_owned(),
            kind: "empty".to_owned(),
            startup_busy_loop,
            instance: "f-1".to_owned(),
        };
        self.processes.launch(launch, stop.clone())
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap()
    }
}

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(600);

#[tokio::test]
async fn an_instance_gets_its_arguments_reports_its_address_and_ends_when_stopped() {
    let script = "echo \"$@\" > arguments; echo warming up; echo listening on 127.0.0.1:4711; exec sleep 600";
    let bench = Bench::new(script, LONG);
    let stop = CancellationToken::new();
    let process = bench.launch(&stop);
    assert_eq!(process.listening.await, Ok("127.0.0.1:4711".parse().unwrap()));
    let arguments = "--kind empty --host 127.0.0.1 --port 0 --instance-id f-1";
    let parent = std::process::id();
    assert_eq!(bench.read("arguments"), format!("{arguments} --die-with-parent={parent}\n"));
    stop.cancel();
    assert_eq!(process.exit.await, Ok(Exit("signal: 15 (SIGTERM)".to_owned())));
}

#[tokio::test]
async fn an_instance_is_told_how_long_to_be_busy_before_it_listens() {
    let bench = Bench::new("echo \"$@\" > arguments; echo listening on 127.0.0.1:4711; exec sleep 600", LONG);
    let stop = CancellationToken::new();
    let process = bench.launch_busy(&stop, Duration::from_millis(1250));
    process.listening.await.expect("listens");
    assert!(bench.read("arguments").ends_with(" --startup-busy-loop=1250ms\n"), "{}", bench.read("arguments"));
    stop.cancel();
    process.exit.await.expect("ends");
}

#[tokio::test]
async fn an_instance_that_ignores_its_stop_is_killed_with_its_children() {
    let script = "trap '' TERM; sleep 600 & echo $! > child; echo listening on 127.0.0.1:1; while :; do wait; done";
    let bench = Bench::new(script, Duration::from_millis(20));
    let stop = CancellationToken::new();
    let process = bench.launch(&stop);
    process.listening.await.unwrap();
    stop.cancel();
    assert_eq!(process.exit.await, Ok(Exit("signal: 9 (SIGKILL)".to_owned())));
    // The child is not a child of this process: it ends soon, and may then stay as a zombie until it is reaped.
    let child = format!("/proc/{}/stat", bench.read("child").trim());
    let dead = async {
        while fs::read_to_string(&child).is_ok_and(|state| !state.contains(") Z ")) {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), dead).await.expect("what it started lives on");
}

#[tokio::test]
async fn the_exit_of_an_instance_has_its_last_line_of_standard_error() {
    let bench = Bench::new("echo starting >&2; echo no such kind >&2; exit 3", LONG);
    let process = bench.launch(&CancellationToken::new());
    assert!(process.listening.await.is_err());
    assert_eq!(process.exit.await, Ok(Exit("exit status: 3: no such kind".to_owned())));
}

#[tokio::test]
async fn a_missing_program_is_named() {
    let processes = Processes::start(PathBuf::from("/nowhere/trace-func"), LONG).unwrap();
    let launch_error = processes.launch_error().unwrap();
    assert_eq!(launch_error, "/nowhere/trace-func not found: install trace-func, or set local.trace_func");
    let launch = Launch {
        run: RunId::new(0, 0),
        function: String::new(),
        kind: String::new(),
        startup_busy_loop: Duration::ZERO,
        instance: String::new(),
    };
    let exit = processes.launch(launch, CancellationToken::new()).exit.await.unwrap();
    assert_eq!(exit.0, "cannot run /nowhere/trace-func: No such file or directory (os error 2)");

    let on_path = Processes::start(PathBuf::from("sh"), LONG).unwrap();
    assert_eq!(on_path.launch_error(), None);
}

#[tokio::test]
async fn shutdown_leaves_no_process_and_no_thread() {
    let bench = Bench::new("echo $$ >> pids; echo listening on 127.0.0.1:1; exec sleep 600", LONG);
    let stop = CancellationToken::new();
    for _ in 0..3 {
        bench.launch(&stop).listening.await.unwrap();
    }
    bench.processes.shutdown().await;
    let pids: Vec<i32> = bench.read("pids").lines().map(|pid| pid.parse().unwrap()).collect();
    assert_eq!(pids.len(), 3);
    for pid in pids {
        assert!(kill(Pid::from_raw(pid), None).is_err(), "process {pid} is still there");
    }
    assert!(bench.processes.thread.has_ended());
    // A launch after the shutdown fails.
    assert!(bench.launch(&stop).exit.await.is_err());
}

#[tokio::test]
async fn processes_are_children_of_the_thread_that_stays() {
    let bench = Bench::new("echo listening on 127.0.0.1:1; exec sleep 600", LONG);
    let stop = CancellationToken::new();
    bench.launch(&stop).listening.await.unwrap();
    let owns = || {
        fs::read_dir("/proc/self/task")
            .unwrap()
            .flatten()
            .map(|task| task.path())
            .filter(|task| fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == "instances"))
            .filter_map(|task| fs::read_to_string(task.join("children")).ok())
            .any(|children| !children.trim().is_empty())
    };
    // The kernel's list may miss some while others come and go.
    let found = async {
        while !owns() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), found).await.expect("no thread called instances has a child");
    bench.processes.shutdown().await;
}

#[tokio::test]
async fn a_paused_instance_stands_still_until_it_is_resumed_and_a_killed_one_ends() {
    let bench = Bench::new("echo $$ > pid; echo listening on 127.0.0.1:1; exec sleep 600", LONG);
    let process = bench.launch(&CancellationToken::new());
    process.listening.await.unwrap();
    let stat = format!("/proc/{}/stat", bench.read("pid").trim());
    let is_in = async |state: &str| {
        while fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(state)) {
            tokio::task::yield_now().await;
        }
    };
    process.orders.send(Order::Pause).await.unwrap();
    timeout(Duration::from_secs(60), is_in(") T ")).await.expect("it goes on");
    process.orders.send(Order::Resume).await.unwrap();
    timeout(Duration::from_secs(60), is_in(") S ")).await.expect("it stands still");
    process.orders.send(Order::Kill).await.unwrap();
    assert_eq!(process.exit.await, Ok(Exit("signal: 9 (SIGKILL)".to_owned())));
}
