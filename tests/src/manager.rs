//! A stand-in for the service manager.

use std::{
    os::{fd::AsRawFd as _, unix::net::UnixDatagram},
    path::Path,
};

use nix::sys::socket::{MsgFlags, recv};

use crate::TIMEOUT;

/// A service manager that only listens.
#[derive(Debug)]
pub struct Manager {
    directory: tempfile::TempDir,
    socket: UnixDatagram,
}

impl Manager {
    /// One that nobody has sent a message yet.
    ///
    /// # Panics
    /// When it can't bind its socket.
    #[expect(clippy::new_without_default, reason = "it binds a socket")]
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let socket = UnixDatagram::bind(directory.path().join("notify")).expect("binds");
        socket.set_read_timeout(Some(TIMEOUT)).expect("is taken");
        Self { directory, socket }
    }

    /// The directory of its socket, `notify`, which has room for other files.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What a daemon needs to find it.
    ///
    /// # Panics
    /// Never, but for a directory whose name is no text.
    pub fn variable(&self) -> (&'static str, String) {
        ("NOTIFY_SOCKET", self.directory.path().join("notify").to_str().expect("text").to_owned())
    }

    /// Fills its socket, as that of a busy manager: senders block.
    ///
    /// # Panics
    /// When it can't be reached.
    pub fn fill(&self) {
        let sender = UnixDatagram::unbound().expect("a socket");
        sender.connect(self.directory.path().join("notify")).expect("connects");
        sender.set_nonblocking(true).expect("can be so");
        while sender.send(b"nothing").is_ok() {}
    }

    /// How many messages with that beginning have come since they were last read.
    pub fn count(&self, beginning: &str) -> usize {
        let mut buffer = [0; 4096];
        let mut lines = Vec::new();
        while let Ok(length) = recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
            lines.extend(String::from_utf8_lossy(&buffer[..length]).lines().map(str::to_owned));
        }
        lines.iter().filter(|line| line.starts_with(beginning)).count()
    }

    /// Waits for a message with that beginning; returns all messages up to then.
    ///
    /// # Panics
    /// When none comes.
    pub fn received(&self, beginning: &str) -> Vec<String> {
        let mut buffer = [0; 4096];
        let mut messages = Vec::new();
        loop {
            let length =
                self.socket.recv(&mut buffer).unwrap_or_else(|error| panic!("never received {beginning}: {error}"));
            messages.extend(String::from_utf8_lossy(&buffer[..length]).lines().map(str::to_owned));
            if messages.iter().any(|line| line.starts_with(beginning)) {
                return messages;
            }
        }
    }
}
