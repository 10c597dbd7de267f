//! Servers that the tests start in addition to the daemon.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::net::TcpSocket;

/// A port without a listener, kept free while this lives.
#[derive(Debug)]
pub struct ClosedPort(TcpSocket);

impl ClosedPort {
    /// Holds a port of the system's choice.
    ///
    /// # Panics
    /// When there is none.
    pub fn hold() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
        Self(socket)
    }

    /// `host:port` of it.
    ///
    /// # Panics
    /// Never: it is bound.
    pub fn address(&self) -> String {
        self.0.local_addr().expect("it is bound").to_string()
    }
}

/// A process that says `listening on HOST:PORT`; it is killed when this is dropped.
#[derive(Debug)]
pub struct Peer {
    child: Child,
    address: String,
}

impl Peer {
    /// Starts `command` and waits until it listens.
    ///
    /// # Panics
    /// When it can't be started, or ends before it listens.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("it starts");
        let stdout = child.stdout.take().expect("it is piped");
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let address = lines.filter_map(|line| line.strip_prefix("listening on ").map(str::to_owned)).next();
        Self { child, address: address.expect("it listens before it ends") }
    }

    /// The address on which it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Sends SIGTERM and waits for the end: the exit code.
    ///
    /// # Panics
    /// When a signal ended it.
    pub fn terminate(mut self) -> i32 {
        let pid = Pid::from_raw(self.child.id().try_into().expect("a process id"));
        kill(pid, Signal::SIGTERM).expect("it runs");
        self.child.wait().expect("it ends").code().expect("by itself")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
