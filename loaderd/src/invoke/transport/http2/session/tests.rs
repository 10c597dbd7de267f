//! A session against frames that are written by hand.

use std::{sync::Arc, task::Waker};

use bytes::Bytes;
use http::Request;
use proptest::prelude::*;

use super::state::{Numbered, Session};
use crate::invoke::{
    call::Call as Invoked,
    exchange::{Answer, Asked, Beyond, Exchange, Head, RequestHead, Wanted},
    outcome::{Failure, Reply},
    transport::http2::{
        call,
        ended::Ended,
        frame::{
            self, ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, PING, PUSH_PROMISE,
            RST_STREAM, SETTINGS, WINDOW_UPDATE,
        },
    },
};

/// Takes bodies of at most ten bytes; its replies say how long they were.
#[derive(Debug)]
struct Lengths;

impl Exchange for Lengths {
    fn version(&self) -> crate::endpoint::HttpVersion {
        crate::endpoint::HttpVersion::Http2
    }

    fn request(&self, _call: &Invoked) -> Asked {
        unreachable!("requests are made by hand")
    }

    fn wanted(&self, head: Head<'_>) -> Wanted {
        match head.status.as_u16() {
            204 => Wanted::Nothing,
            _ => Wanted::Body { keep: 10, beyond: Beyond::Refused, trailers: true },
        }
    }

    fn reply(&self, answer: Answer<'_>) -> Result<Reply, Failure> {
        let length = u32::try_from(answer.body?.len()).expect("short");
        let memory_kib = answer.trailers.get("t").map(|_| 1);
        Ok(Reply { runtime_us: Some(length), memory_kib, ..Reply::default() })
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::write(kind, flags, stream, payload, &mut bytes);
    bytes
}

fn request(body: &'static [u8]) -> Asked {
    let head = Request::post("http://f.example/p").header("te", "trailers").body(()).expect("a request");
    Asked { head: RequestHead::Shared(Arc::new(head)), own: Vec::new(), body: Bytes::from_static(body) }
}

/// A session whose peer has sent its settings.
fn settled(settings: &[u8]) -> Session {
    let mut session = Session::new();
    session.receive(&frame(SETTINGS, 0, 0, settings), None);
    drain(&mut session);
    assert!(session.is_settled());
    session
}

/// What the session has written since: kind, flags, stream and payload of each frame.
fn drain(session: &mut Session) -> Vec<(u8, u8, u32, Vec<u8>)> {
    let all = session.unwritten().to_vec();
    session.written(all.len());
    let mut bytes = all.strip_prefix(frame::PREFACE).unwrap_or(&all);
    let mut frames = Vec::new();
    while let Some((Frame { kind, flags, stream, payload }, rest)) = Frame::cut(bytes).expect("frames") {
        frames.push((kind, flags, stream, payload.to_vec()));
        bytes = rest;
    }
    assert_eq!(bytes, b"");
    frames
}

fn send(session: &mut Session, body: &'static [u8]) -> Numbered {
    let exchange: Arc<dyn Exchange> = Arc::new(Lengths);
    session.send(&request(body), &exchange).expect("is sent")
}

/// What has become of a call, in words; nothing while it is open.
fn outcome(call: &call::Shared) -> Option<String> {
    let context = std::task::Context::from_waker(Waker::noop());
    let std::task::Poll::Ready(Ok(received)) = call.borrow_mut().poll(&context) else { return None };
    Some(match received.reply {
        Ok(Reply { runtime_us, memory_kib, .. }) => {
            format!("{} bytes{}", runtime_us.unwrap_or_default(), if memory_kib.is_some() { ", trailers" } else { "" })
        }
        Err(Failure { status, error, .. }) => format!("{}: {error}", status.as_str()),
    })
}

/// The head of an answer with status 200, and trailers with one field.
const OK: &[u8] = b"\x88";
const TRAILERS: &[u8] = b"\0\x01t\x010";

#[test]
fn a_connection_begins_with_what_this_end_allows() {
    let mut session = Session::new();
    assert!(session.unwritten().starts_with(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    let frames = drain(&mut session);
    assert_eq!(frames[0], (SETTINGS, 0, 0, b"\0\x02\0\0\0\0\0\x04\0\x10\0\0\0\x06\0\x01\0\0".to_vec()));
    assert_eq!(frames[1], (WINDOW_UPDATE, 0, 0, ((8_u32 << 20) - 65_535).to_be_bytes().to_vec()));
    assert!(frames.len() == 2 && !session.is_settled() && session.is_usable());
    session.receive(&frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 9]), None);
    assert_eq!(drain(&mut session), [(SETTINGS, ACK, 0, vec![])]);
    assert_eq!((session.is_settled(), session.limit()), (true, 9));
    session.receive(&frame(SETTINGS, ACK, 0, &[]), None);
    session.receive(&frame(PING, 0, 0, b"12345678"), None);
    session.receive(&frame(PING, ACK, 0, b"12345678"), None);
    assert_eq!(drain(&mut session), [(PING, ACK, 0, b"12345678".to_vec())]);
}

#[test]
fn a_request_is_a_head_and_its_body() {
    let mut session = settled(&[]);
    let (first, call) = send(&mut session, b"hello");
    let (second, _) = send(&mut session, b"");
    assert_eq!((first, second), (1, 3));
    let [(kind, flags, stream, block), body, (_, last_flags, _, again)] = &drain(&mut session)[..] else {
        panic!("three frames")
    };
    assert_eq!((*kind, *flags, *stream), (HEADERS, END_HEADERS, 1));
    // POST and http by the static table; authority, path and te as they enter the peer's.
    assert_eq!(&block[..], b"\x83\x86\x41\x09f.example\x44\x02/p\x40\x02te\x08trailers");
    assert_eq!(*body, (DATA, END_STREAM, 1, b"hello".to_vec()));
    assert_eq!((*last_flags, &again[..]), (END_HEADERS | END_STREAM, &b"\x83\x86\xc0\xbf\xbe"[..]));
    assert!(!call.borrow().held.is_empty() || outcome(&call).is_none());
}

#[test]
fn a_long_head_goes_on_in_continuations() {
    let mut session = settled(&[]);
    let exchange: Arc<dyn Exchange> = Arc::new(Lengths);
    let value = "v".repeat(40_000);
    let head = Request::get("http://f.example/").header("long", value).body(()).expect("a request");
    let asked = Asked { head: RequestHead::Own(Box::new(head)), own: Vec::new(), body: Bytes::new() };
    session.send(&asked, &exchange).expect("is sent");
    let frames = drain(&mut session);
    let kinds: Vec<_> =
        frames.iter().map(|(kind, flags, stream, payload)| (*kind, *flags, *stream, payload.len())).collect();
    assert_eq!(kinds[..2], [(HEADERS, END_STREAM, 1, 1 << 14), (CONTINUATION, 0, 1, 1 << 14)]);
    assert!(matches!(kinds[2..], [(CONTINUATION, END_HEADERS, 1, 7000..8000)]), "{kinds:?}");
}

#[test]
fn answers_end_with_their_last_frame() {
    type Frames = Vec<Vec<u8>>;
    let head = |flags, block: &[u8]| frame(HEADERS, END_HEADERS | flags, 1, block);
    let data = |flags, part: &[u8]| frame(DATA, flags, 1, part);
    let with_length = |length: &str| [&b"\x88\x0f\x0d\x01"[..], length.as_bytes()].concat();
    let cases: Vec<(&str, Frames, &str)> = vec![
        ("body and trailers", vec![head(0, OK), data(0, b"abc"), head(END_STREAM, TRAILERS)], "3 bytes, trailers"),
        ("no trailers", vec![head(0, OK), data(0, b"ab"), data(END_STREAM, b"c")], "3 bytes"),
        ("an empty end", vec![head(0, OK), data(0, b"ab"), data(END_STREAM, b"")], "2 bytes"),
        ("padding", vec![head(0, OK), frame(DATA, 8 | END_STREAM, 1, b"\x02abc\0\0")], "3 bytes"),
        ("only a head", vec![head(END_STREAM, OK)], "0 bytes"),
        ("a head that says it all", vec![head(0, b"\x89")], "0 bytes"),
        ("informational first", vec![head(0, b"\x08\x03103"), head(0, OK), data(END_STREAM, b"a")], "1 bytes"),
        ("its length", vec![head(0, &with_length("3")), data(END_STREAM, b"abc")], "3 bytes"),
        (
            "another length",
            vec![head(0, &with_length("4")), data(END_STREAM, b"abc")],
            "grpc_INTERNAL: the peer violates HTTP/2: an answer has 3 bytes and a content-length of 4",
        ),
        ("too long", vec![head(0, OK), data(0, b"01234567890")], "grpc_INTERNAL: the answer is longer than 10 bytes"),
        (
            "a reset",
            vec![head(0, OK), frame(RST_STREAM, 0, 1, &[0, 0, 0, 7])],
            "grpc_UNAVAILABLE: the peer reset the stream (REFUSED_STREAM)",
        ),
        (
            "an unknown code",
            vec![frame(RST_STREAM, 0, 1, &[0, 0, 0, 77])],
            "grpc_INTERNAL: the peer reset the stream (error 77)",
        ),
        (
            "no head",
            vec![data(END_STREAM, b"abc")],
            "grpc_INTERNAL: the peer violates HTTP/2: an answer begins with its body",
        ),
        ("no status", vec![head(0, TRAILERS)], "grpc_INTERNAL: the peer violates HTTP/2: an answer has no status"),
        (
            "two heads",
            vec![head(0, OK), head(0, OK)],
            "grpc_INTERNAL: the peer violates HTTP/2: an answer has a second status",
        ),
        (
            "trailers that go on",
            vec![head(0, OK), head(0, TRAILERS)],
            "grpc_INTERNAL: the peer violates HTTP/2: trailers do not end an answer",
        ),
        (
            "an informational end",
            vec![head(END_STREAM, b"\x08\x03103")],
            "grpc_INTERNAL: the peer violates HTTP/2: an informational status ends an answer",
        ),
        (
            "a window of nothing more",
            vec![frame(WINDOW_UPDATE, 0, 1, &[0; 4])],
            "grpc_INTERNAL: the peer violates HTTP/2: it widens a stream's window wrongly",
        ),
    ];
    for (name, frames, expected) in cases {
        // At once, and byte by byte.
        for size in [usize::MAX, 1] {
            let mut session = settled(&[]);
            let (_, call) = send(&mut session, b"x");
            for part in frames.concat().chunks(size.min(frames.concat().len())) {
                session.receive(part, None);
            }
            assert_eq!(outcome(&call).as_deref(), Some(expected), "{name}");
            assert!(session.is_idle() && session.is_usable(), "{name}: others go on");
        }
    }
}

#[test]
fn what_is_not_wanted_is_reset_and_passed_over() {
    let mut session = settled(&[]);
    let (stream, call) = send(&mut session, b"x");
    drain(&mut session);
    session.abandon(stream);
    assert_eq!(drain(&mut session), [(RST_STREAM, 0, 1, vec![0, 0, 0, 8])]);
    // Its answer was on its way. Fields in it are those of the table all the same.
    session.receive(&frame(HEADERS, END_HEADERS, 1, b"\x88\x40\x01t\x010"), None);
    session.receive(&frame(DATA, END_STREAM, 1, b"abc"), None);
    assert!(outcome(&call).is_none() && session.ended().is_none());
    let (_, call) = send(&mut session, b"x");
    session.receive(&frame(HEADERS, END_HEADERS, 3, OK), None);
    session.receive(&frame(HEADERS, END_HEADERS | END_STREAM, 3, b"\xbe"), None);
    assert_eq!(outcome(&call).as_deref(), Some("0 bytes, trailers"));
    session.abandon(3);
    assert!(drain(&mut session).iter().all(|(kind, ..)| *kind != RST_STREAM), "it has ended");
}

#[test]
fn bodies_go_as_far_as_the_windows_let_them() {
    // A window of four bytes for each stream.
    let mut session = settled(&[0, 4, 0, 0, 0, 4]);
    assert!(session.allows(4) && session.allows(5), "the second in parts");
    let (_, call) = send(&mut session, b"abcdefghi");
    let sent = |session: &mut Session| {
        let frames = drain(session);
        frames.into_iter().filter(|frame| frame.0 == DATA).map(|(_, flags, _, part)| (flags, part)).collect::<Vec<_>>()
    };
    assert_eq!(sent(&mut session), [(0, b"abcd".to_vec())]);
    assert!(!call.borrow().held.is_empty());
    session.receive(&frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 2]), None);
    assert_eq!(sent(&mut session), [(0, b"ef".to_vec())]);
    // A smaller window for all takes back what was given; a larger one lets the rest go.
    session.receive(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]), None);
    assert_eq!(sent(&mut session), []);
    session.receive(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 100]), None);
    assert_eq!(sent(&mut session), [(END_STREAM, b"ghi".to_vec())]);
    assert!(call.borrow().held.is_empty());
}

#[test]
fn the_connections_window_is_shared() {
    let mut session = settled(&[0, 4, 0, 2, 0, 0]);
    let promised = session.promise(65_000);
    assert!(session.allows(535) && !session.allows(536) && session.allows(0));
    session.take_back(promised);
    static BODY: [u8; 65_000] = [b'x'; 65_000];
    send(&mut session, &BODY);
    let parts: Vec<_> = drain(&mut session).into_iter().filter(|it| it.0 == DATA).map(|it| it.3.len()).collect();
    assert_eq!(parts, [16_384, 16_384, 16_384, 15_848]);
    assert!(session.allows(535) && !session.allows(536));
    session.receive(&frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]), None);
    assert!(session.allows(536));
}

#[test]
fn windows_of_answers_are_given_back() {
    let mut session = settled(&[]);
    let (_, call) = send(&mut session, b"x");
    drain(&mut session);
    session.receive(&frame(HEADERS, END_HEADERS, 1, b"\x89"), None);
    assert_eq!(outcome(&call).as_deref(), Some("0 bytes"), "the body is not wanted");
    assert_eq!(drain(&mut session), [(RST_STREAM, 0, 1, vec![0, 0, 0, 8])]);
    let part = frame(DATA, 0, 1, &[0; 1 << 14]);
    for _ in 0..(4 << 20) / (1 << 14) {
        session.receive(&part, None);
    }
    assert_eq!(drain(&mut session), [(WINDOW_UPDATE, 0, 0, (4_u32 << 20).to_be_bytes().to_vec())]);
}

#[test]
fn a_peer_that_winds_up_ends_what_it_has_not_taken() {
    let mut session = settled(&[]);
    let calls: Vec<_> = (0..3).map(|_| send(&mut session, b"x").1).collect();
    session.receive(&frame(GOAWAY, 0, 0, b"\0\0\0\x03\0\0\0\x0btoo many\n calls"), None);
    let outcomes: Vec<_> = calls.iter().map(outcome).collect();
    let wound_up = "grpc_UNAVAILABLE: the peer winds the connection up (GOAWAY ENHANCE_YOUR_CALM: too many calls)";
    assert_eq!(outcomes, [None, None, Some(wound_up.to_owned())]);
    assert!(!session.is_usable() && session.ended().is_none());
    let exchange: Arc<dyn Exchange> = Arc::new(Lengths);
    assert!(session.send(&request(b""), &exchange).is_err());
    session.receive(&frame(HEADERS, END_HEADERS | END_STREAM, 1, OK), None);
    assert_eq!(outcome(&calls[0]).as_deref(), Some("0 bytes"), "it was taken");
    session.end(&Ended::Closed);
    assert_eq!(outcome(&calls[1]).as_deref(), Some(wound_up), "why it was closed");
    assert!(session.ended().is_some());
}

#[test]
fn violations_end_the_connection_and_say_why() {
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (frame(DATA, 0, 0, b""), "a frame is on the wrong stream"),
        (frame(PING, 0, 1, b"12345678"), "a frame is on the wrong stream"),
        (frame(PING, 0, 0, b"1234567"), "PING is not eight bytes long"),
        (frame(HEADERS, END_HEADERS, 2, OK), "a frame is on a stream that was not opened"),
        (frame(HEADERS, END_HEADERS, 99, OK), "a frame is on a stream that was not opened"),
        (
            frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff"),
            "a header block is malformed: an integer is too large",
        ),
        ([frame(HEADERS, 0, 1, OK), frame(DATA, 0, 1, b"")].concat(), "a block of header fields is interrupted"),
        (frame(CONTINUATION, END_HEADERS, 1, OK), "a continuation follows nothing"),
        (frame(PUSH_PROMISE, END_HEADERS, 1, OK), "it pushes, which was ruled out"),
        (frame(SETTINGS, 0, 0, b"1234567"), "SETTINGS has half an entry"),
        (frame(SETTINGS, 0, 0, b"\0\x04\xff\xff\xff\xff"), "its window is larger than there can be"),
        (frame(SETTINGS, 0, 0, b"\0\x05\0\0\0\x01"), "its frames are shorter or longer than there can be"),
        (frame(WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff"), "it widens the connection's window wrongly"),
        (frame(WINDOW_UPDATE, 0, 0, b"\0"), "WINDOW_UPDATE is not four bytes long"),
        (frame(RST_STREAM, 0, 1, b"\0"), "RST_STREAM is not four bytes long"),
        (frame(GOAWAY, 0, 0, b"\0"), "GOAWAY is cut off"),
        (vec![0xff; 9], "a frame is longer than 16 KiB"),
        (frame(DATA, 8, 1, b"\x07ab"), "its padding is longer than a frame"),
        (frame(PING, 0, 0, b"12345678").repeat(20_000), "it asks for more replies than it reads"),
        (
            [frame(HEADERS, 0, 1, OK), frame(CONTINUATION, 0, 1, &[0x20; 1 << 14]).repeat(16)].concat(),
            "a block of header fields is longer than 256 KiB",
        ),
    ];
    for (bytes, what) in cases {
        let mut session = settled(&[]);
        let (_, call) = send(&mut session, b"x");
        drain(&mut session);
        session.receive(&bytes, None);
        assert_eq!(outcome(&call), Some(format!("grpc_INTERNAL: the peer violates HTTP/2: {what}")));
        assert!(!session.is_usable() && session.ended().is_some());
        let last = drain(&mut session).pop().expect("a frame");
        assert_eq!(last.0, GOAWAY, "{what}");
    }
    let mut session = Session::new();
    session.receive(&frame(PING, 0, 0, b"12345678"), None);
    assert_eq!(session.ended(), Some(&Ended::Violation("it does not begin with SETTINGS".to_owned())));
}

proptest! {
    #[test]
    fn whatever_comes_nothing_is_lost_and_nothing_panics(
        frames in prop::collection::vec((0_u8..11, any::<u8>(), 0_u32..6, prop::collection::vec(any::<u8>(), 0..40)), 0..30),
        cuts in prop::collection::vec(1_usize..60, 1..30),
    ) {
        let mut session = settled(&[]);
        let calls: Vec<_> = (0..3).map(|_| send(&mut session, b"x").1).collect();
        let all: Vec<u8> = frames.iter().flat_map(|(kind, flags, stream, payload)| frame(*kind, *flags, *stream, payload)).collect();
        let (mut at, mut cuts) = (0, cuts.iter().cycle());
        while at < all.len() && session.ended().is_none() {
            let end = all.len().min(at + cuts.next().expect("endless"));
            session.receive(&all[at..end], None);
            at = end;
        }
        session.end(&Ended::Closed);
        prop_assert!(calls.iter().all(|call| outcome(call).is_some()));
    }
}
