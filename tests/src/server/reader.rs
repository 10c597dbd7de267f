//! The thread of a connection, which reads and stamps its frames.

use std::{
    io,
    net::{Shutdown, TcpStream},
    sync::{Arc, MutexGuard},
};

use super::{
    Request, Shared,
    answers::Answer,
    connection::{Connection, Open, State},
    frames::{self, ACK, END_STREAM, Frame, PREFACE, kind},
    stamps,
};

/// Serves a connection until one of both sides ends it.
pub(super) fn serve(socket: &TcpStream, connection: &Arc<Connection>, shared: &Shared) {
    // How it ended matters to nobody: the requests that have no answer say enough.
    let _ended = read(socket, connection, shared);
    connection.state().end(Shutdown::Both);
}

fn read(socket: &TcpStream, connection: &Arc<Connection>, shared: &Shared) -> io::Result<()> {
    socket.set_nodelay(true)?;
    stamps::enable(socket)?;
    // Nobody changes the limit between its look-up and its being sent.
    let streams = shared.streams.lock().expect("whole");
    connection.state().send_settings(*streams);
    drop(streams);
    let mut buffer = vec![0; 1 << 16];
    let (mut bytes, mut greeted) = (Vec::new(), false);
    loop {
        let (length, stamp) = stamps::receive(socket, &mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        bytes.extend(&buffer[..length]);
        if !greeted && bytes.len() >= PREFACE.len() {
            if !bytes.starts_with(PREFACE) {
                return Err(io::ErrorKind::InvalidData.into());
            }
            bytes.drain(..PREFACE.len());
            greeted = true;
        }
        let mut data = 0;
        while greeted && let Some(frame) = Frame::take(&mut bytes) {
            data += if frame.kind == kind::DATA { frame.payload.len() } else { 0 };
            receive(frame, stamp, connection, shared);
        }
        if data > 0 {
            connection.state().write(&frames::window_update(data));
        }
    }
}

fn receive(frame: Frame, stamp: i64, connection: &Arc<Connection>, shared: &Shared) {
    let mut state = connection.state();
    let (stream, ends) = (frame.stream, frame.flags & END_STREAM != 0);
    match frame.kind {
        kind::SETTINGS if frame.flags & ACK != 0 => state.acknowledged(),
        kind::SETTINGS => state.write(&frames::frame(kind::SETTINGS, ACK, 0, &[])),
        kind::PING if frame.flags & ACK == 0 => state.write(&frames::frame(kind::PING, ACK, 0, &frame.payload)),
        kind::WINDOW_UPDATE if stream == 0 => state.widen(frame.increment()),
        kind::RST_STREAM => {
            state.open.remove(&stream);
        }
        kind::HEADERS => {
            begin(&mut state, stream, stamp, connection.number, shared);
            if ends {
                complete(state, stream, stamp, connection, shared);
            }
        }
        kind::DATA => {
            if let Some(open) = state.open.get_mut(&stream) {
                open.body.extend(frame.payload);
            }
            if ends {
                complete(state, stream, stamp, connection, shared);
            }
        }
        // What is left needs no answer: priorities, the rest of headers, the client's GOAWAY.
        _ => {}
    }
}

/// A request has begun.
fn begin(state: &mut State, stream: u32, arrived_unix_ns: i64, connection: usize, shared: &Shared) {
    let mut requests = shared.requests.lock().expect("whole");
    let request = requests.len();
    state.requests += 1;
    state.latest = stream;
    let number = state.requests;
    state.open.insert(stream, Open { request, number, body: Vec::new() });
    let (open, limit) = (state.open.len(), state.limit);
    requests.push(Request {
        connection,
        stream,
        arrived_unix_ns,
        answered_unix_ns: None,
        open,
        limit,
        runtime_ms: 0,
        refused: false,
    });
    if state.is_above_last(stream) {
        state.open.remove(&stream);
    }
}

/// A request is there in full: it is answered when that is due.
fn complete(mut state: MutexGuard<'_, State>, stream: u32, stamp: i64, connection: &Arc<Connection>, shared: &Shared) {
    let Some(open) = state.open.get(&stream) else { return };
    let (request, number) = (open.request, open.number);
    shared.requests.lock().expect("whole")[request].runtime_ms = frames::runtime_ms(&open.body);
    if let Some((after, fault)) = shared.fault
        && number == after
    {
        state.inflict(fault, Some(stream));
    }
    if !state.open.contains_key(&stream) {
        return;
    }
    drop(state);
    let answer = shared.schedule.lock().expect("whole").answer(stamp);
    if let Some((due, refusal)) = answer {
        shared.answers.push(Answer { due, request, connection: Arc::clone(connection), stream, refusal });
    }
}
