//! Real processes: shell scripts in the place of `loaderd worker`.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::atomic::{AtomicU16, Ordering},
};

use tempfile::TempDir;

use super::*;
use crate::platform::{NodeSharing, WorkerPlacement, WorkerResources, WorkerState};

/// A program that behaves as the script says, and workers that are its processes.
struct Bench {
    folder: TempDir,
    workers: WorkerProcesses,
    run: RunId,
}

impl Bench {
    fn new(script: &str, stop_grace: Duration) -> Self {
        /// Directories are named by runs, and tests run side by side.
        static RUNS: AtomicU16 = AtomicU16::new(0);
        let folder = TempDir::new().unwrap();
        let program = folder.path().join("loaderd");
        let text = format!("#!/bin/sh\ncd \"$(dirname \"$0\")\"\nindex=$7\n{script}\n");
        // Another process writes it: were it open for writing here, a process that another test starts in this instant
        // would hold it open too, and the system would refuse to run it.
        let write = "printf '%s' \"$1\" > \"$0\" && chmod +x \"$0\"";
        let written = std::process::Command::new("sh").args(["-c", write]).arg(&program).arg(text).status();
        assert!(written.unwrap().success());
        let mut workers = WorkerProcesses::new("local", program);
        workers.stop_grace = stop_grace;
        let number = RUNS.fetch_add(1, Ordering::Relaxed);
        Self { folder, workers, run: RunId::new(i64::from(std::process::id()), number) }
    }

    fn request(&self, count: u32) -> StartWorkers {
        StartWorkers {
            run: self.run.clone(),
            count,
            coordinator: "127.0.0.1:4711".to_owned(),
            token: "a secret".into(),
            ca_pem: None,
            placement: WorkerPlacement { with_workers: NodeSharing::Never, ..WorkerPlacement::default() },
            resources: WorkerResources { cpu_millicores: 1000, memory_mib: 512 },
        }
    }

    async fn start(&self, count: u32) -> mpsc::Receiver<WorkerNews> {
        let (news, received) = mpsc::channel(16);
        self.workers.start(self.request(count), news).await.unwrap();
        received
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap()
    }

    fn directory(&self) -> PathBuf {
        std::env::temp_dir().join(format!("loaderd-workers-{}", self.run))
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _there_or_not = fs::remove_dir_all(self.directory());
    }
}

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(600);

/// News until each of `count` workers is gone: how each ended, by index.
async fn ends(news: &mut mpsc::Receiver<WorkerNews>, count: usize) -> Vec<String> {
    let mut ends = vec![None; count];
    while ends.iter().any(Option::is_none) {
        let WorkerNews { index, state } = news.recv().await.expect("news go on");
        if let WorkerState::Gone { reason } = state {
            ends[index as usize] = Some(reason);
        }
    }
    ends.into_iter().flatten().collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn a_worker_gets_its_arguments_and_a_token_that_only_its_user_can_read() {
    let script = "echo \"$@\" > arguments-$index; env > environment; cat \"${11}\" > token; ls -d \"${13}\" > spool; exec sleep 600";
    let bench = Bench::new(script, LONG);
    let mut request = bench.request(1);
    request.ca_pem = Some("certificate".to_owned());
    let (news, mut received) = mpsc::channel(16);
    bench.workers.start(request, news).await.unwrap();
    let running = WorkerState::Running { node: node(), pod: String::new() };
    assert_eq!(received.recv().await, Some(WorkerNews { index: 0, state: running }));
    let directory = bench.directory();
    while !bench.folder.path().join("spool").exists() || bench.read("spool").is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let path = |name: &str| directory.join(name).display().to_string();
    let expected = format!(
        "worker --coordinator 127.0.0.1:4711 --run {} --index 0 --die-with-parent {} --token-file {} --spool-dir {} --ca-file {}\n",
        bench.run,
        std::process::id(),
        path("token"),
        path("spool-0"),
        path("ca.pem")
    );
    assert_eq!(bench.read("arguments-0"), expected);
    assert_eq!(bench.read("token"), "a secret");
    assert_eq!(fs::read_to_string(directory.join("ca.pem")).unwrap(), "certificate");
    let environment = bench.read("environment");
    let variable = format!("LOADER_NODE={}", node());
    assert!(environment.lines().any(|line| line == variable), "{environment}");
    assert!(!environment.contains("a secret"), "{environment}");
    let modes = ["", "token", "ca.pem", "spool-0"].map(|name| mode(&directory.join(name)));
    assert_eq!(modes, [0o700, 0o600, 0o600, 0o700]);
    bench.workers.end(&bench.run).await.unwrap();
    assert!(!directory.exists());
}

#[tokio::test]
async fn how_each_ended_is_news_with_the_last_line_that_it_wrote() {
    let script = "case $index in
        0) exit 0 ;;
        1) echo the disk is >&2; echo full >&2; exit 1 ;;
        2) echo lost for words >&2; kill -KILL $$ ;;
        3) exit 4 ;;
        esac";
    let bench = Bench::new(script, LONG);
    let mut news = bench.start(4).await;
    let expected = ["exit code 0", "exit code 1: full", "killed by signal 9 (SIGKILL)", "exit code 4"];
    assert_eq!(ends(&mut news, 4).await, expected);
    // One that has ended leaves its files until it is stopped.
    assert!(bench.directory().exists());
    bench.workers.end(&bench.run).await.unwrap();
    bench.workers.end(&bench.run).await.unwrap();
    assert!(!bench.directory().exists());
    assert_eq!(news.recv().await, None);
}

#[tokio::test]
async fn one_that_ignores_its_stop_is_killed_and_nobody_needs_to_take_the_news() {
    let bench = Bench::new("trap '' TERM; touch trapped-$index; while :; do sleep 600 & wait; done", Duration::ZERO);
    let (news, _never_read) = mpsc::channel(1);
    bench.workers.start(bench.request(3), news).await.unwrap();
    let trapped = |index: u32| bench.folder.path().join(format!("trapped-{index}")).exists();
    while !(0..3).all(trapped) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bench.workers.end(&bench.run).await.unwrap();
    assert!(!bench.directory().exists());
}

#[tokio::test]
async fn a_program_that_cannot_be_run_fails_the_start() {
    let bench = Bench::new("", LONG);
    let workers = WorkerProcesses::new("local", PathBuf::from("/nonexistent/loaderd"));
    let (news, mut received) = mpsc::channel(16);
    let error = workers.start(bench.request(2), news).await.unwrap_err();
    let expected = "platform local: cannot run /nonexistent/loaderd: No such file or directory (os error 2)";
    assert_eq!(error.to_string(), expected);
    workers.end(&bench.run).await.unwrap();
    assert_eq!(received.recv().await, None);
    assert!(!bench.directory().exists());
}

#[tokio::test]
async fn a_directory_that_is_there_already_is_not_used_until_it_was_cleaned() {
    let bench = Bench::new("exec sleep 600", LONG);
    fs::create_dir(bench.directory()).unwrap();
    let (news, _received) = mpsc::channel(16);
    let error = bench.workers.start(bench.request(1), news).await.unwrap_err().to_string();
    let path = bench.directory();
    assert_eq!(
        error,
        format!("platform local: cannot prepare the workers: {}: File exists (os error 17)", path.display())
    );
    // What an earlier process has left.
    bench.workers.end(&bench.run).await.unwrap();
    let _news = bench.start(1).await;
    let again = bench.workers.start(bench.request(1), mpsc::channel(1).0).await.unwrap_err().to_string();
    assert_eq!(again, format!("platform local: the workers of run {} were started already", bench.run));
    bench.workers.shutdown().await;
    assert!(!bench.directory().exists());
    let closed = bench.workers.start(bench.request(1), mpsc::channel(1).0).await.unwrap_err().to_string();
    assert_eq!(closed, "platform local: shutting down");
}
