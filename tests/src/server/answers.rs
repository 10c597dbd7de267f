//! The thread that answers each request when that is due.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use super::{Refusal, Request, connection::Connection, stamps};

/// An answer to come.
#[derive(Debug)]
pub(super) struct Answer {
    /// When, in nanoseconds since the Unix epoch.
    pub(super) due: i64,
    /// The request's place among all.
    pub(super) request: usize,
    pub(super) connection: Arc<Connection>,
    pub(super) stream: u32,
    pub(super) refusal: Option<Refusal>,
}

/// The answers to come, by when they are due.
#[derive(Debug, Default)]
pub(super) struct Answers {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    due: BinaryHeap<Reverse<Answer>>,
    stopped: bool,
}

impl Answers {
    pub(super) fn push(&self, answer: Answer) {
        self.state.lock().expect("whole").due.push(Reverse(answer));
        self.changed.notify_one();
    }

    pub(super) fn stop(&self) {
        self.state.lock().expect("whole").stopped = true;
        self.changed.notify_one();
    }

    pub(super) fn stopped(&self) -> bool {
        self.state.lock().expect("whole").stopped
    }

    /// Writes answers until the server stops, and notes in `requests` when that was.
    pub(super) fn serve(&self, requests: &Mutex<Vec<Request>>) {
        while let Some(answer) = self.next() {
            let mut state = answer.connection.state();
            if state.open.contains_key(&answer.stream) {
                let mut requests = requests.lock().expect("whole");
                requests[answer.request].answered_unix_ns = Some(stamps::now());
                requests[answer.request].refused = answer.refusal.is_some();
                drop(requests);
                state.answer(answer.stream, answer.refusal);
            }
        }
    }

    /// Waits for the next answer that is due; `None` at the end.
    fn next(&self) -> Option<Answer> {
        let mut state = self.state.lock().expect("whole");
        while !state.stopped {
            let wait = state.due.peek().map(|Reverse(answer)| answer.due - stamps::now());
            state = match wait {
                Some(wait) if wait <= 0 => return state.due.pop().map(|Reverse(answer)| answer),
                Some(wait) => {
                    let wait = Duration::from_nanos(wait.unsigned_abs());
                    self.changed.wait_timeout(state, wait).expect("whole").0
                }
                None => self.changed.wait(state).expect("whole"),
            };
        }
        None
    }
}

// By when they are due, then in order of arrival.
impl Ord for Answer {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.request).cmp(&(other.due, other.request))
    }
}

impl PartialOrd for Answer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Answer {}
