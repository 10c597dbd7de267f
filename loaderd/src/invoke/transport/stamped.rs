//! A TCP connection of which it is known when the kernel received what was read last.
//!
//! The worker reads an answer when its thread gets to it. What lies between the kernel's receive stamp and that is the
//! loader's own delay, and no part of a response.

use std::{
    cell::Cell,
    io::{self, IoSliceMut},
    os::fd::{AsRawFd as _, RawFd},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use nix::{
    errno::Errno,
    libc::cmsghdr,
    sys::{
        socket::{ControlMessageOwned, MsgFlags, recv, recvmsg, setsockopt, sockopt},
        time::TimeSpec,
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
    time::Instant,
};

use crate::clock::{Clock, WallClock};

/// Most bytes of one read. A longer one would give more answers the stamp of the last.
const MOST_READ: usize = 4096;

/// Room for the control message of a stamp.
#[repr(align(8))]
struct Control([u8; size_of::<cmsghdr>() + size_of::<TimeSpec>()]);

/// When the last bytes of a connection arrived. Clones share their state.
#[derive(Debug, Clone, Default)]
pub(super) struct Receipt {
    arrived: Rc<Cell<Option<Instant>>>,
    /// The socket; absent once it is closed on this side.
    socket: Rc<Cell<Option<RawFd>>>,
}

impl Receipt {
    /// When the last bytes that were read had arrived, as far as is known; at the latest when they were read.
    pub(super) fn arrived(&self) -> Option<Instant> {
        self.arrived.get()
    }

    /// Whether the peer has closed the connection, also when nothing has read that yet.
    pub(super) fn is_closed(&self) -> bool {
        let peek = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
        match self.socket.get().map(|socket| recv(socket, &mut [0], peek)) {
            Some(Ok(bytes)) => bytes == 0,
            Some(Err(error)) => error != Errno::EAGAIN && error != Errno::EINTR,
            None => true,
        }
    }
}

/// A TCP connection whose receipts are stamped.
#[derive(Debug)]
pub(super) struct Stamped {
    stream: TcpStream,
    receipt: Receipt,
    wall: WallClock,
    clock: Clock,
}

/// What one read gave.
struct Read {
    bytes: usize,
    /// The kernel's stamp, since the Unix epoch.
    stamp: Option<Duration>,
}

impl Stamped {
    /// Asks the kernel for stamps. Where it has none, a receipt is the time of the read.
    pub(super) fn new(stream: TcpStream, receipt: Receipt, clock: Clock) -> Self {
        // Refused by a kernel without stamps; then there are none.
        let _refused = setsockopt(&stream, sockopt::ReceiveTimestampns, &true);
        receipt.socket.set(Some(stream.as_raw_fd()));
        Self { stream, receipt, wall: WallClock::new(clock), clock }
    }

    /// Reads once. A read that did not fill the buffer has emptied the socket: that is noted, which saves asking again.
    fn read(&self, buffer: &mut [u8]) -> io::Result<Read> {
        let length = buffer.len();
        let mut short = None;
        let full = self.stream.try_io(Interest::READABLE, || {
            let read = receive(&self.stream, buffer)?;
            if read.bytes > 0 && read.bytes < length {
                short = Some(read);
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(read)
        });
        short.map_or(full, Ok)
    }
}

impl Drop for Stamped {
    fn drop(&mut self) {
        self.receipt.socket.set(None);
    }
}

/// Reads what is there, with the kernel's stamp of its last part.
fn receive(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<Read> {
    let mut control = Control([0; _]);
    let mut parts = [IoSliceMut::new(buffer)];
    let message = recvmsg::<()>(stream.as_raw_fd(), &mut parts, Some(&mut control.0), MsgFlags::MSG_DONTWAIT)?;
    let stamp = message
        .cmsgs()?
        .find_map(|it| if let ControlMessageOwned::ScmTimestampns(at) = it { Some(Duration::from(at)) } else { None });
    Ok(Read { bytes: message.bytes, stamp })
}

impl AsyncRead for Stamped {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(context))?;
            let room = buffer.remaining().min(MOST_READ);
            match self.read(buffer.initialize_unfilled_to(room)) {
                Ok(Read { bytes, stamp }) => {
                    let now = self.clock.now();
                    self.receipt.arrived.set(Some(stamp.map_or(now, |stamp| self.wall.instant(stamp, now).min(now))));
                    buffer.advance(bytes);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Stamped {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_connection_that_its_peer_closed_is_known_before_anything_reads_that() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (peer, _) = listener.accept().await.unwrap();
        let receipt = Receipt::default();
        let stamped = Stamped::new(stream, receipt.clone(), Clock);
        assert!(!receipt.is_closed());
        drop(peer);
        stamped.stream.readable().await.unwrap();
        assert!(receipt.is_closed());
        drop(stamped);
        assert!(receipt.is_closed(), "its descriptor may be another's now");
    }
}
