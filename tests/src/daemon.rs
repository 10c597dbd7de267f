//! A daemon of the test's own.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::{Ran, TIMEOUT, Table, bin, program::run};

/// A running `loaderd` with its own state directory and ports; it is killed when dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    state: PathBuf,
    address: String,
    metrics: String,
    log: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Daemon {
    /// Starts a daemon that keeps its state in `state`.
    ///
    /// # Panics
    /// When it does not come to serve.
    pub fn start(state: &Path) -> Self {
        Self::start_with(state, &[])
    }

    /// Starts a daemon with further flags.
    ///
    /// # Panics
    /// When it does not come to serve.
    pub fn start_with(state: &Path, flags: &[&str]) -> Self {
        Self::start_in(state, flags, &[])
    }

    /// Starts a daemon with further flags and environment variables.
    ///
    /// # Panics
    /// When it does not come to serve.
    pub fn start_in(state: &Path, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start_by(Command::new(bin("loaderd")), state, flags, variables)
    }

    /// Starts a daemon by a command that becomes `loaderd`, and takes its flags.
    ///
    /// # Panics
    /// When it does not come to serve.
    pub fn start_by(mut command: Command, state: &Path, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        command.arg("--state-dir").arg(state).args(["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]);
        // The test's own service manager is not the daemon's.
        for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"] {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied());
        command.args(flags).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("loaderd starts");
        let stderr = child.stderr.take().expect("it is piped");
        let log = Arc::new(Mutex::new(Vec::new()));
        let (sender, announced) = mpsc::channel();
        let keep = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                for (what, text) in [("api", "control API on http"), ("metrics", "metrics on http")] {
                    if let Some((_, address)) = line.split_once(text) {
                        let address = address.trim_start_matches(['s', ':', '/']);
                        // Only the first addresses are waited for.
                        let _late = sender.send((what, address.trim_end_matches("/metrics").to_owned()));
                    }
                }
                keep.lock().expect("whole").push(line);
            }
        });
        let (mut address, mut metrics) = (None, None);
        while address.is_none() || metrics.is_none() {
            match announced.recv_timeout(TIMEOUT) {
                Ok(("api", found)) => address = Some(found),
                Ok((_, found)) => metrics = Some(found),
                Err(_) => panic!("loaderd does not serve: {:?}", log.lock().expect("whole")),
            }
        }
        let (address, metrics) = (address.expect("was logged"), metrics.expect("was logged"));
        Self { child, state: state.to_owned(), address, metrics, log, reader: Some(reader) }
    }

    /// The process id of the daemon.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `host:port` of the control API.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// `host:port` of the metrics.
    pub fn metrics_address(&self) -> &str {
        &self.metrics
    }

    /// What it has logged so far.
    ///
    /// # Panics
    /// Never, but for a reader that broke.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().expect("whole").clone()
    }

    /// How many lines a file of a run has so far; 0 where it does not exist yet.
    pub fn lines(&self, run: &str, file: &str) -> usize {
        fs::read_to_string(self.directory(run).join(file)).map_or(0, |text| text.lines().count())
    }

    /// Runs `loaderctl` against it.
    pub fn ctl(&self, arguments: &[&str]) -> Ran {
        let address = format!("http://{}", self.address);
        run(bin("loaderctl"), ["--address", &address].iter().chain(arguments))
    }

    /// `loaderctl submit … --output json`: the run's id.
    ///
    /// # Panics
    /// When it is refused.
    #[track_caller]
    pub fn submit(&self, arguments: &[&str]) -> String {
        let ran = self.ctl(&[&["--output", "json", "submit"], arguments].concat()).ok();
        ran.json()["run"]["runId"].as_str().expect("it has an id").to_owned()
    }

    /// Waits until a run has ended: the run as `loaderctl get` shows it.
    ///
    /// # Panics
    /// When the daemon does not know it.
    #[track_caller]
    pub fn ended(&self, run: &str) -> Value {
        loop {
            // Its exit code shows how the run ended, which is for the test to judge. On a busy machine it may fail.
            let _ended = self.ctl(&["watch", run]);
            let shown = self.ctl(&["--output", "json", "get", run]).ok().json();
            let state = shown["run"]["state"].as_str().expect("a state");
            if ["SUCCEEDED", "FAILED", "CANCELLED", "INTERRUPTED"].iter().any(|end| state.ends_with(end)) {
                return shown["run"].clone();
            }
        }
    }

    /// Submits a run and waits for its end, which must be a good one.
    ///
    /// # Panics
    /// When the run does not succeed.
    #[track_caller]
    pub fn succeed(&self, arguments: &[&str]) -> Value {
        let run = self.ended(&self.submit(arguments));
        assert_eq!(run["state"], "RUN_STATE_SUCCEEDED", "{run:#}");
        run
    }

    /// Calls a method of the control API by a foreign client: the answers, or what it says of the error.
    ///
    /// # Errors
    /// What grpcurl prints to standard error.
    pub fn grpcurl(&self, method: &str, request: &Value) -> Result<Vec<Value>, String> {
        let method = format!("loader.v1.LoaderControl/{method}");
        let ran = run("grpcurl", ["-plaintext", "-d", &request.to_string(), &self.address, &method]);
        if ran.code == 0 { Ok(ran.json_stream()) } else { Err(ran.stderr) }
    }

    /// The directory of a run.
    pub fn directory(&self, run: &str) -> PathBuf {
        self.state.join("runs").join(run)
    }

    /// A file of a run.
    ///
    /// # Panics
    /// When it can't be read.
    #[track_caller]
    pub fn table(&self, run: &str, file: &str) -> Table {
        Table::read(&self.directory(run).join(file))
    }

    /// The summary.json of a run.
    ///
    /// # Panics
    /// When it can't be read.
    #[track_caller]
    pub fn summary(&self, run: &str) -> Value {
        let text = fs::read_to_string(self.directory(run).join("summary.json")).expect("there is a summary");
        serde_json::from_str(&text).expect("it is JSON")
    }

    /// Sends a signal to the daemon.
    ///
    /// # Panics
    /// When it no longer exists.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("pids are small"));
        kill(pid, signal).expect("it lives");
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Panics
    /// When it no longer exists.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.wait()
    }

    /// Waits until it has ended.
    ///
    /// # Panics
    /// When it can't be waited for.
    pub fn wait(&mut self) -> ExitStatus {
        let status = self.child.wait().expect("it can be waited for");
        if let Some(reader) = self.reader.take() {
            reader.join().expect("its log was read");
        }
        status
    }
}

impl Drop for Daemon {
    #[expect(clippy::print_stderr, reason = "this is for who reads why a test failed")]
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _waited = self.child.wait();
        if std::thread::panicking()
            && let Ok(log) = self.log.lock()
        {
            eprintln!("the last lines of loaderd's log:\n{}", log[log.len().saturating_sub(50)..].join("\n"));
        }
    }
}
