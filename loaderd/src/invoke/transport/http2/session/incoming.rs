//! Takes what the peer sends.

use std::rc::Rc;

use tokio::time::Instant;

use super::{
    outgoing::{CONNECTION_WINDOW, STREAM_WINDOW},
    reading::Block,
    state::{Over, Session},
};
use crate::invoke::transport::http2::{
    call::Progress,
    ended::{Code, Ended, Violation},
    frame::{
        ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, GREATEST, HEADERS, PING, PRIORITY,
        PUSH_PROMISE, RST_STREAM, SETTINGS, TooLong, WINDOW_UPDATE,
    },
};

/// Most bytes of a block of header fields.
const MOST_BLOCK: usize = 256 << 10;

/// Most characters that are kept of what a peer adds to a GOAWAY.
const MOST_TEXT: usize = 200;

const HEADER_TABLE_SIZE: u16 = 1;
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_FRAME_SIZE: u16 = 5;

impl Session {
    /// Takes what has arrived, at that instant.
    pub(in crate::invoke::transport::http2) fn receive(&mut self, bytes: &[u8], arrived: Option<Instant>) {
        self.reading.arrived = arrived;
        if let Err(violation) = self.frames(bytes) {
            self.violated(violation);
        }
    }

    /// Takes the frames in what has arrived.
    fn frames(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        if self.reading.partial.is_empty() {
            let rest = self.whole_frames(bytes)?;
            self.reading.partial.extend_from_slice(rest);
            return Ok(());
        }
        let mut partial = std::mem::take(&mut self.reading.partial);
        partial.extend_from_slice(bytes);
        let left = self.whole_frames(&partial)?.len();
        partial.drain(..partial.len() - left);
        self.reading.partial = partial;
        Ok(())
    }

    /// Takes the frames that have come as a whole; returns the rest.
    fn whole_frames<'a>(&mut self, mut bytes: &'a [u8]) -> Result<&'a [u8], Violation> {
        loop {
            match Frame::cut(bytes) {
                Ok(Some((frame, rest))) => {
                    self.frame(&frame)?;
                    bytes = rest;
                }
                Ok(None) => return Ok(bytes),
                Err(TooLong) => return Err(Violation::new(Code::FRAME_SIZE_ERROR, "a frame is longer than 16 KiB")),
            }
        }
    }

    fn frame(&mut self, frame: &Frame<'_>) -> Result<(), Violation> {
        let Frame { kind, stream, .. } = *frame;
        if self.reading.block.is_some() && kind != CONTINUATION {
            return Err(Violation::protocol("a block of header fields is interrupted"));
        }
        if !self.outgoing.is_settled && !matches!(kind, SETTINGS | GOAWAY) {
            return Err(Violation::protocol("it does not begin with SETTINGS"));
        }
        match (kind, stream) {
            (DATA | HEADERS | RST_STREAM | CONTINUATION, 0) | (SETTINGS | PING | GOAWAY, 1..) => {
                Err(Violation::protocol("a frame is on the wrong stream"))
            }
            // An even number would be the peer's own, which it may not open.
            (DATA | HEADERS | RST_STREAM | WINDOW_UPDATE, 1..) if stream >= self.next || stream % 2 == 0 => {
                Err(Violation::protocol("a frame is on a stream that was not opened"))
            }
            (DATA, _) => self.data(frame),
            (HEADERS, _) => self.headers(frame),
            (CONTINUATION, _) => self.continuation(frame),
            (RST_STREAM, _) => self.reset_by_peer(frame),
            (SETTINGS, _) => self.settings(frame),
            (PING, _) => self.ping(frame),
            (GOAWAY, _) => self.goaway(frame),
            (WINDOW_UPDATE, _) => self.window_update(frame),
            (PUSH_PROMISE, _) => Err(Violation::protocol("it pushes, which was ruled out")),
            // Obsolete, and what is not known: passed over, as the specification says.
            (PRIORITY | _, _) => Ok(()),
        }
    }

    fn data(&mut self, frame: &Frame<'_>) -> Result<(), Violation> {
        let part = frame.unpadded().ok_or(Violation::protocol("its padding is longer than a frame"))?;
        let length = u32::try_from(frame.payload.len()).unwrap_or(u32::MAX);
        let taken = &mut self.reading.taken;
        *taken += length;
        if *taken > CONNECTION_WINDOW {
            return Err(Violation::new(Code::FLOW_CONTROL_ERROR, "it sends more than the window allows"));
        }
        if *taken >= CONNECTION_WINDOW / 2 {
            let taken = std::mem::take(taken);
            self.outgoing.give_back(0, taken);
        }
        let Some(call) = self.calls.get(&frame.stream) else { return Ok(()) };
        let (ends, arrived) = (frame.has(END_STREAM), self.reading.arrived);
        let mut call = call.borrow_mut();
        let progress = call.data(part, length, ends, arrived);
        let back = if ends { None } else { call.give_back(STREAM_WINDOW / 2) };
        drop(call);
        if let (Ok(Progress::Open), Some(bytes)) = (progress, back) {
            self.outgoing.give_back(frame.stream, bytes);
        }
        self.progressed(frame.stream, progress, ends);
        Ok(())
    }

    /// What came on a stream was taken. A stream of which no more is wanted is left; one that the peer has not ended is reset.
    fn progressed(&mut self, stream: u32, progress: Result<Progress, &'static str>, ends: bool) {
        match progress {
            Ok(Progress::Open) => {}
            // What is held back of the request is not sent any more.
            Ok(Progress::Done) if ends && !self.heads.held.contains(&stream) => drop(self.calls.remove(&stream)),
            Ok(Progress::Done) => self.reset(stream, Code::CANCEL),
            Err(fault) => self.fail(stream, fault),
        }
    }

    fn headers(&mut self, frame: &Frame<'_>) -> Result<(), Violation> {
        let fragment = frame.unpadded().ok_or(Violation::protocol("its padding is longer than a frame"))?;
        let (stream, ends) = (frame.stream, frame.has(END_STREAM));
        if frame.has(END_HEADERS) {
            return self.block(stream, ends, fragment);
        }
        self.reading.block = Some(Block { stream, ends, bytes: fragment.to_vec() });
        Ok(())
    }

    fn continuation(&mut self, frame: &Frame<'_>) -> Result<(), Violation> {
        let Some(mut block) = self.reading.block.take_if(|block| block.stream == frame.stream) else {
            return Err(Violation::protocol("a continuation follows nothing"));
        };
        block.bytes.extend_from_slice(frame.payload);
        if block.bytes.len() > MOST_BLOCK {
            return Err(Violation::new(Code::ENHANCE_YOUR_CALM, "a block of header fields is longer than 256 KiB"));
        }
        if frame.has(END_HEADERS) {
            return self.block(block.stream, block.ends, &block.bytes);
        }
        self.reading.block = Some(block);
        Ok(())
    }

    fn block(&mut self, stream: u32, ends: bool, bytes: &[u8]) -> Result<(), Violation> {
        let decoded = self.reading.decoder.decode(bytes);
        let block = decoded.map_err(|malformed| Violation::new(Code::COMPRESSION_ERROR, malformed.to_string()))?;
        let Some(call) = self.calls.get(&stream) else { return Ok(()) };
        let progress = call.borrow_mut().block(block, ends, self.reading.arrived);
        self.progressed(stream, progress, ends);
        Ok(())
    }

    fn reset_by_peer(&mut self, frame: &Frame<'_>) -> Result<(), Violation> {
        let code = frame.number().ok_or(Violation::new(Code::FRAME_SIZE_ERROR, "RST_STREAM is not four bytes long"))?;
        if let Some(call) = self.calls.remove(&frame.stream) {
            call.borrow_mut().ended(&Ended::Reset(Code(code)), self.reading.arrived);
        }
        Ok(())
    }

    fn settings(&mut self, frame: &Frame<'_>) -> Result<(), Violation> {
        if frame.has(ACK) {
            return Ok(());
        }
        let (entries, []) = frame.payload.as_chunks::<6>() else {
            return Err(Violation::new(Code::FRAME_SIZE_ERROR, "SETTINGS has half an entry"));
        };
        for &[a, b, value @ ..] in entries {
            self.setting(u16::from_be_bytes([a, b]), u32::from_be_bytes(value))?;
        }
        self.outgoing.is_settled = true;
        self.outgoing.acknowledge(SETTINGS, &[])?;
        self.send_held();
        Ok(())
    }

    fn setting(&mut self, name: u16, value: u32) -> Result<(), Violation> {
        match name {
            HEADER_TABLE_SIZE => self.heads.encoder.allow(usize::try_from(value).unwrap_or(usize::MAX)),
            MAX_CONCURRENT_STREAMS => self.outgoing.limit = value,
            INITIAL_WINDOW_SIZE if value > GREATEST => {
                return Err(Violation::new(Code::FLOW_CONTROL_ERROR, "its window is larger than there can be"));
            }
            INITIAL_WINDOW_SIZE => {
                let more = i64::from(value) - self.outgoing.stream_window;
                self.outgoing.stream_window = value.into();
                self.calls.values().for_each(|call| call.borrow_mut().window += more);
            }
            MAX_FRAME_SIZE if !(1 << 14..1 << 24).contains(&value) => {
                return Err(Violation::protocol("its frames are shorter or longer than there can be"));
            }
            // Frames of the default length do.
            _ => {}
        }
        Ok(())
    }

    fn ping(&mut self, frame: &Frame<'_>) -> Result<(), Violation> {
        match frame.payload.len() {
            8 if frame.has(ACK) => Ok(()),
            8 => self.outgoing.acknowledge(PING, frame.payload),
            _ => Err(Violation::new(Code::FRAME_SIZE_ERROR, "PING is not eight bytes long")),
        }
    }

    /// The peer takes no more streams, and has not taken those above the last one that it names.
    fn goaway(&mut self, frame: &Frame<'_>) -> Result<(), Violation> {
        let Some((&[a, b, c, d, code @ ..], text)) = frame.payload.split_first_chunk::<8>() else {
            return Err(Violation::new(Code::FRAME_SIZE_ERROR, "GOAWAY is cut off"));
        };
        let last = u32::from_be_bytes([a & 0x7f, b, c, d]);
        let text: String =
            String::from_utf8_lossy(text).chars().filter(|it| !it.is_control()).take(MOST_TEXT).collect();
        let more = if text.is_empty() { text } else { format!(": {text}") };
        let why = Ended::WoundUp { code: Code(u32::from_be_bytes(code)), more };
        let arrived = self.reading.arrived;
        self.calls.retain(|&stream, call| {
            if stream > last {
                call.borrow_mut().ended(&why, arrived);
            }
            stream <= last
        });
        self.over = Some(Over { why, goes_on: true });
        Ok(())
    }

    fn window_update(&mut self, frame: &Frame<'_>) -> Result<(), Violation> {
        let more =
            frame.number().ok_or(Violation::new(Code::FRAME_SIZE_ERROR, "WINDOW_UPDATE is not four bytes long"))?;
        let more = i64::from(more & GREATEST);
        let call = self.calls.get(&frame.stream).map(Rc::clone);
        let greatest = i64::from(GREATEST);
        let overflows = match (frame.stream, &call) {
            (0, _) => {
                self.outgoing.window += more;
                self.outgoing.window > greatest
            }
            (_, Some(call)) => {
                let window = &mut call.borrow_mut().window;
                *window += more;
                *window > greatest
            }
            (_, None) => false,
        };
        match (overflows || more == 0, frame.stream) {
            (true, 0) => {
                return Err(Violation::new(Code::FLOW_CONTROL_ERROR, "it widens the connection's window wrongly"));
            }
            (true, stream) => self.fail(stream, "it widens a stream's window wrongly"),
            (false, _) => self.send_held(),
        }
        Ok(())
    }
}
