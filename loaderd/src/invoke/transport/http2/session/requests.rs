//! Sends requests.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use bytes::Bytes;
use http::Method;

use super::state::{Numbered, Session};
use crate::invoke::{
    exchange::{Asked, Exchange, OwnFields, RequestHead},
    transport::http2::{
        call::Call,
        ended::{Code, Ended},
        frame::{self, CONTINUATION, END_HEADERS, END_STREAM, GREATEST, HEADERS},
    },
};

impl Session {
    /// Whether a request with so many bytes may be sent. One that is longer than a stream's window is sent in parts, whatever
    /// the connection's window is.
    pub(in crate::invoke::transport::http2) fn allows(&self, bytes: usize) -> bool {
        let (bytes, outgoing) = (length(bytes), &self.outgoing);
        bytes == 0 || bytes <= outgoing.window - outgoing.promised || bytes > outgoing.stream_window
    }

    /// Keeps so many bytes of the connection's window for a call; to be taken back when it is sent, or is not.
    pub(in crate::invoke::transport::http2) fn promise(&mut self, bytes: usize) -> i64 {
        let bytes = length(bytes);
        let promised = if bytes <= self.outgoing.stream_window { bytes } else { 0 };
        self.outgoing.promised += promised;
        promised
    }

    /// Takes a promise back.
    pub(in crate::invoke::transport::http2) fn take_back(&mut self, promised: i64) {
        self.outgoing.promised -= promised;
    }

    /// Writes a request: its body, too, as far as the peer's flow control lets it go.
    ///
    /// # Errors
    /// A connection that takes no more streams.
    pub(in crate::invoke::transport::http2) fn send(
        &mut self,
        asked: &Asked,
        exchange: &Arc<dyn Exchange>,
    ) -> Result<Numbered, Ended> {
        if let Some(over) = &self.over {
            return Err(over.why.clone());
        }
        if self.next > GREATEST {
            return Err(Ended::UsedUp);
        }
        let stream = self.next;
        self.next += 2;
        let Asked { head, own, body } = asked;
        let is_head = head.request().method() == Method::HEAD;
        self.head(stream, head, own, body);
        let mut call = Call::new(exchange, is_head, self.outgoing.stream_window);
        call.held = body.clone();
        if !self.outgoing.body(stream, &mut call) {
            self.heads.held.push(stream);
        }
        let call = Rc::new(RefCell::new(call));
        self.calls.insert(stream, Rc::clone(&call));
        self.wake();
        Ok((stream, call))
    }

    fn head(&mut self, stream: u32, head: &RequestHead, own: &OwnFields, body: &Bytes) {
        let ends = if body.is_empty() { END_STREAM } else { 0 };
        let into = &mut self.outgoing.bytes;
        let at = into.len();
        frame::head(0, HEADERS, ends | END_HEADERS, stream, into);
        self.heads.block(head, own, into);
        let length = into.len() - at - frame::HEAD;
        if length <= frame::MOST {
            return frame::set_length(&mut into[at..], length);
        }
        let block = into.split_off(at + frame::HEAD);
        into.truncate(at);
        let parts = block.chunks(frame::MOST);
        let last = parts.len() - 1;
        for (number, part) in parts.enumerate() {
            let kind = if number == 0 { HEADERS } else { CONTINUATION };
            let flags = if number == 0 { ends } else { 0 } | if number == last { END_HEADERS } else { 0 };
            frame::write(kind, flags, stream, part, into);
        }
    }

    /// Sends what flow control held back, as far as it may go now.
    pub(super) fn send_held(&mut self) {
        let (calls, outgoing) = (&self.calls, &mut self.outgoing);
        self.heads.held.retain(|stream| {
            let Some(call) = calls.get(stream) else { return false };
            let mut call = call.borrow_mut();
            let is_held = !outgoing.body(*stream, &mut call);
            if !is_held {
                call.wake();
            }
            is_held
        });
    }

    /// Ends a stream, and lets others have what it leaves.
    pub(super) fn fail(&mut self, stream: u32, fault: &'static str) {
        if let Some(call) = self.calls.get(&stream).map(Rc::clone) {
            self.reset(stream, Code::PROTOCOL_ERROR);
            call.borrow_mut().ended(&Ended::Violation(fault.to_owned()), self.reading.arrived);
        }
    }
}

fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
