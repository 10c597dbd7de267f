//! A gRPC function server whose behaviour is exactly known, to hold a run's rows against what was on the wire.
//!
//! It speaks HTTP/2 by frames of its own, because a library hides what the tests are about: it keeps to the peer's rules where
//! a test needs them broken, and does not say when a frame was received. Each request gets the kernel's receive stamp, and the
//! server keeps what it saw and what it did: see [`Request`].
//!
//! ```text
//!   accept ──▶ a thread for each connection: recvmsg + stamp ──▶ frames ──▶ schedule (when, and how) ──▶ heap
//!                                                                                                        │
//!                                  the answering thread sleeps until the first is due, and writes it ◀───┘
//! ```
//!
//! Not covered: stream-level flow control of answers, which are some twenty bytes, and the headers of requests, which are
//! skipped: every request is taken for `faas.Executor/Execute`.

mod answers;
mod connection;
pub(crate) mod frames;
mod reader;
mod requests;
mod schedule;
mod stamps;
#[cfg(test)]
mod tests;

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use answers::Answers;
use connection::Connection;
pub use requests::{Request, write_csv};
use schedule::Schedule;
pub use schedule::{Refusal, Service};

/// What a peer does to a connection beside answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Closes it in order, with requests unanswered.
    Close,
    /// Aborts it: a TCP reset.
    Abort,
    /// Ends the stream with `RST_STREAM` (`INTERNAL_ERROR`) instead of an answer.
    ResetStream,
    /// Sends GOAWAY that names the stream so many requests earlier as the last one, answers up to that one, and closes.
    GoAway {
        /// How many of the latest requests are above the last stream.
        below: u32,
    },
    /// Sends GOAWAY as soon as no stream is open, and closes.
    GoAwayIdle,
}

/// How a server behaves.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// `SETTINGS_MAX_CONCURRENT_STREAMS` of new connections; without it the setting is not sent.
    pub streams: Option<u32>,
    /// When it answers, and how.
    pub service: Service,
    /// What happens at each connection's n-th request (from 1).
    pub fault: Option<(usize, Fault)>,
}

impl Default for Behaviour {
    /// Answers at once, without a limit.
    fn default() -> Self {
        Self { streams: None, service: Service::After(Duration::ZERO), fault: None }
    }
}

/// What the threads share.
#[derive(Debug)]
struct Shared {
    streams: Mutex<Option<u32>>,
    fault: Option<(usize, Fault)>,
    schedule: Mutex<Schedule>,
    requests: Mutex<Vec<Request>>,
    connections: Mutex<Vec<Arc<Connection>>>,
    answers: Answers,
}

/// A running server on loopback; it ends when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts a server on a port of the system's choice.
    ///
    /// # Panics
    /// When there is none.
    pub fn start(behaviour: Behaviour) -> Self {
        Self::start_on(0, behaviour)
    }

    /// Starts a server on a given port.
    ///
    /// # Panics
    /// When it is taken.
    pub fn start_on(port: u16, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            streams: Mutex::new(behaviour.streams),
            fault: behaviour.fault,
            schedule: Mutex::new(Schedule::new(behaviour.service)),
            requests: Mutex::default(),
            connections: Mutex::default(),
            answers: Answers::default(),
        });
        let (accepting, answering) = (Arc::clone(&shared), Arc::clone(&shared));
        let threads = vec![
            std::thread::spawn(move || accept(&listener, &accepting)),
            std::thread::spawn(move || answering.answers.serve(&answering.requests)),
        ];
        Self { address, shared, threads }
    }

    /// `host:port` on which it listens.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The requests so far, in order of their receipt.
    ///
    /// # Panics
    /// When a thread of the server did.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().expect("whole").clone()
    }

    /// How many connections were made so far.
    ///
    /// # Panics
    /// When a thread of the server did.
    pub fn connections(&self) -> usize {
        self.shared.connections.lock().expect("whole").len()
    }

    /// Changes the limit of concurrent streams, of open connections and of new ones.
    ///
    /// # Panics
    /// When a thread of the server did.
    pub fn limit_streams(&self, limit: u32) {
        let mut streams = self.shared.streams.lock().expect("whole");
        *streams = Some(limit);
        self.each_connection(|connection| connection.state().send_settings(Some(limit)));
        drop(streams);
    }

    /// The limits of streams that the clients have acknowledged, by connection.
    ///
    /// # Panics
    /// When a thread of the server did.
    pub fn acknowledged_limits(&self) -> Vec<Option<u32>> {
        self.shared.connections.lock().expect("whole").iter().map(|connection| connection.state().limit).collect()
    }

    /// Does something to all open connections, as of their latest request.
    ///
    /// # Panics
    /// When a thread of the server did.
    pub fn inflict(&self, fault: Fault) {
        self.each_connection(|connection| connection.state().inflict(fault, None));
    }

    fn each_connection(&self, act: impl Fn(&Connection)) {
        self.shared.connections.lock().expect("whole").iter().for_each(|connection| act(connection));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.answers.stop();
        // What wakes the accepting thread, which then sees that it is to end.
        let _woken = TcpStream::connect(self.address);
        for thread in self.threads.drain(..) {
            // One that panicked has said so.
            let _ended = thread.join();
        }
    }
}

/// Serves connections until the server stops, then closes them all.
fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut readers = Vec::new();
    for socket in listener.incoming().map_while(Result::ok) {
        if shared.answers.stopped() {
            break;
        }
        let mut connections = shared.connections.lock().expect("whole");
        let socket = Arc::new(socket);
        let connection = Arc::new(Connection::new(connections.len(), &socket));
        connections.push(Arc::clone(&connection));
        drop(connections);
        let shared = Arc::clone(shared);
        readers.push(std::thread::spawn(move || reader::serve(&socket, &connection, &shared)));
    }
    shared
        .connections
        .lock()
        .expect("whole")
        .iter()
        .for_each(|connection| connection.state().inflict(Fault::Close, None));
    for reader in readers {
        let _ended = reader.join();
    }
}
