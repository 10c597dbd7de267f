//! One connection: what is read from it, and what is written to it.

use std::{
    collections::{BTreeMap, VecDeque},
    io::Write as _,
    net::{Shutdown, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
};

use nix::sys::socket::{setsockopt, sockopt::Linger};

use super::{Fault, Refusal, frames};

/// The window of a connection at its start (RFC 9113, section 6.9.2).
const WINDOW: i64 = 65_535;

/// A connection that was accepted.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) number: usize,
    state: Mutex<State>,
}

/// What reading and answering share.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Absent once it is closed.
    socket: Option<Arc<TcpStream>>,
    /// Streams that are open, until their last frame is written.
    pub(super) open: BTreeMap<u32, Open>,
    /// How many requests there were.
    pub(super) requests: usize,
    /// The latest stream.
    pub(super) latest: u32,
    /// Limits of streams that the client has not acknowledged yet, and the one that it has.
    sent: VecDeque<Option<u32>>,
    pub(super) limit: Option<u32>,
    /// How many bytes of answers the client can take, and the answers that wait for more.
    window: i64,
    waiting: VecDeque<(Vec<u8>, i64)>,
    /// The stream after which nothing is answered, once there was a GOAWAY.
    last: Option<u32>,
    /// Whether to send GOAWAY when no stream is open.
    leaves_when_idle: bool,
}

/// An open stream.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// The request's place among all.
    pub(super) request: usize,
    /// Its number on the connection, from 1.
    pub(super) number: usize,
    pub(super) body: Vec<u8>,
}

impl Connection {
    pub(super) fn new(number: usize, socket: &Arc<TcpStream>) -> Self {
        let state = State { socket: Some(Arc::clone(socket)), window: WINDOW, ..State::default() };
        Self { number, state: Mutex::new(state) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("whole")
    }
}

impl State {
    /// Sends the settings; a limit of streams holds once the client has acknowledged them.
    pub(super) fn send_settings(&mut self, streams: Option<u32>) {
        self.sent.push_back(streams);
        self.write(&frames::settings(streams));
    }

    /// The client has acknowledged the oldest of the settings that it had not.
    pub(super) fn acknowledged(&mut self) {
        if let Some(limit) = self.sent.pop_front() {
            self.limit = limit;
        }
    }

    /// Answers a stream.
    pub(super) fn answer(&mut self, stream: u32, refusal: Option<Refusal>) {
        // It is closed before the client can know it, so that what is counted as open never exceeds what the client counts.
        self.open.remove(&stream);
        self.waiting.push_back(frames::answer(stream, refusal));
        self.widen(0);
    }

    /// The client can take so many bytes more: writes the answers that have waited for them.
    pub(super) fn widen(&mut self, bytes: i64) {
        self.window += bytes;
        while let Some((answer, length)) = self.waiting.pop_front_if(|(_, length)| *length <= self.window) {
            self.window -= length;
            self.write(&answer);
        }
        self.leave();
    }

    /// Does something to the connection: at the request on `stream`, or at the latest one.
    pub(super) fn inflict(&mut self, fault: Fault, stream: Option<u32>) {
        let stream = stream.unwrap_or(self.latest);
        match fault {
            Fault::Close => self.end(Shutdown::Both),
            Fault::Abort => self.abort(),
            Fault::ResetStream => {
                if self.open.remove(&stream).is_some() {
                    self.write(&frames::reset(stream));
                }
            }
            Fault::GoAway { below } => self.go_away(stream.saturating_sub(2 * below)),
            Fault::GoAwayIdle => {
                self.leaves_when_idle = true;
                self.leave();
            }
        }
    }

    fn go_away(&mut self, last: u32) {
        self.write(&frames::goaway(last));
        self.last = Some(last);
        self.open.retain(|stream, _| *stream <= last);
        self.leave();
    }

    /// Ends the connection where it was to end once no stream is open.
    fn leave(&mut self) {
        if !self.open.is_empty() || !self.waiting.is_empty() {
            return;
        }
        if std::mem::take(&mut self.leaves_when_idle) {
            self.go_away(self.latest);
        } else if self.last.is_some() {
            self.end(Shutdown::Both);
        }
    }

    /// Whether a stream is above the last one of a GOAWAY.
    pub(super) fn is_above_last(&self, stream: u32) -> bool {
        self.last.is_some_and(|last| stream > last)
    }

    fn abort(&mut self) {
        if let Some(socket) = &self.socket {
            let at_once = nix::libc::linger { l_onoff: 1, l_linger: 0 };
            setsockopt(socket, Linger, &at_once).expect("it is a socket");
        }
        // With its sending half open it is reset when the reader has let go of it.
        self.end(Shutdown::Read);
    }

    /// Ends the connection; requests that are open stay unanswered.
    pub(super) fn end(&mut self, how: Shutdown) {
        if let Some(socket) = self.socket.take() {
            // The client may have ended it already.
            let _ended = socket.shutdown(how);
        }
        self.open.clear();
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        if let Some(socket) = &self.socket {
            // The client may have gone: its requests stay unanswered.
            let _written = (&**socket).write_all(bytes);
        }
    }
}
