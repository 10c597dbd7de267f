//! A `trace-func` process under test.

use std::{
    process::{Output, Stdio},
    time::Duration,
};

use loader_proto::{
    faas::{FaasReply, FaasRequest, executor_client::ExecutorClient},
    metadata,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    process::{Child, ChildStdout, Command},
    time::timeout,
};
use tonic::{metadata::MetadataMap, transport::Channel};

/// After this long a test has hung.
const HUNG: Duration = Duration::from_secs(60);

/// Variables that the tests' own environment may have, and that the program reads.
const VARIABLES: [&str; 5] = ["PORT", "FUNC_PORT_ENV", "FUNC_TYPE_ENV", "POD_NAME", "HOSTNAME"];

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trace-func"));
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command.args(["--host", "127.0.0.1"]).args(arguments).kill_on_drop(true).stdin(Stdio::null());
    command
}

/// Runs a process that is to end by itself.
pub(crate) async fn output(command: &mut Command) -> Output {
    timeout(HUNG, command.output()).await.expect("the process should end").unwrap()
}

/// A server that accepts connections.
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub(crate) address: String,
}

impl Server {
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        Self::spawn(command(arguments).args(["--port", "0"])).await
    }

    pub(crate) async fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        timeout(HUNG, stdout.read_line(&mut line)).await.expect("the server should print where it listens").unwrap();
        let address = line.strip_prefix("listening on ").and_then(|rest| rest.strip_suffix('\n'));
        let address = address.unwrap_or_else(|| panic!("{line:?}")).to_owned();
        Self { child, stdout, address }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self.child.id().unwrap().try_into().unwrap();
        kill(Pid::from_raw(pid), signal).unwrap();
    }

    pub(crate) async fn client(&self) -> ExecutorClient<Channel> {
        ExecutorClient::connect(format!("http://{}", self.address)).await.unwrap()
    }

    /// The answers to requests of HTTP/1.1 on one connection, the last of which closes it.
    pub(crate) async fn plain(&self, heads: &[&str]) -> Vec<String> {
        let mut socket = TcpStream::connect(&self.address).await.unwrap();
        let mut all = String::new();
        for (index, head) in heads.iter().enumerate() {
            let connection = if index + 1 == heads.len() { "close" } else { "keep-alive" };
            let request = format!("POST / HTTP/1.1\r\nhost: f\r\nconnection: {connection}\r\n{head}\r\n");
            socket.write_all(request.as_bytes()).await.unwrap();
        }
        socket.read_to_string(&mut all).await.unwrap();
        all.split("HTTP/1.1 ").skip(1).map(str::to_owned).collect()
    }

    /// Waits for the end: the exit code, and what it printed after the first line.
    pub(crate) async fn ended(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        let status = timeout(HUNG, async {
            self.stdout.read_to_string(&mut rest).await.unwrap();
            self.child.wait().await.unwrap()
        });
        (status.await.expect("the server should end").code(), rest)
    }

    /// Sends SIGTERM and expects an orderly end.
    pub(crate) async fn drained(self) {
        self.signal(Signal::SIGTERM);
        assert_eq!(self.ended().await, (Some(0), String::new()));
    }
}

pub(crate) fn request(runtime_ms: u32, memory_mib: u32) -> FaasRequest {
    FaasRequest { message: String::new(), runtime_in_milli_sec: runtime_ms, memory_in_mebi_bytes: memory_mib }
}

/// The instance's part of a reply's metadata.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) instance: String,
    pub(crate) first: bool,
    pub(crate) started_unix_us: u64,
}

impl Stamp {
    pub(crate) fn of(map: &MetadataMap) -> Self {
        let text = |name| map.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap();
        Self {
            instance: text(metadata::INSTANCE).to_owned(),
            first: text(metadata::FIRST_INVOCATION).parse().unwrap(),
            started_unix_us: text(metadata::INSTANCE_STARTED).parse().unwrap(),
        }
    }
}

/// An invocation that should succeed.
pub(crate) async fn invoke(
    client: &mut ExecutorClient<Channel>,
    runtime_ms: u32,
    memory_mib: u32,
) -> (FaasReply, Stamp) {
    let response = client.execute(request(runtime_ms, memory_mib)).await.unwrap();
    let stamp = Stamp::of(response.metadata());
    (response.into_inner(), stamp)
}
