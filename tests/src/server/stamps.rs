//! The kernel's receive stamps, and the clock that they are of.

use std::{
    io::{self, IoSliceMut},
    net::TcpStream,
    os::fd::AsRawFd as _,
};

use nix::{
    cmsg_space,
    sys::{
        socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt::ReceiveTimestampns},
        time::TimeSpec,
    },
    time::{ClockId, clock_gettime},
};

/// Asks the kernel for stamps.
pub(super) fn enable(socket: &TcpStream) -> io::Result<()> {
    Ok(setsockopt(socket, ReceiveTimestampns, &true)?)
}

/// Nanoseconds since the Unix epoch, by the clock that stamps packets.
pub(super) fn now() -> i64 {
    nanos(clock_gettime(ClockId::CLOCK_REALTIME).expect("there is such a clock"))
}

/// Reads: how many bytes, 0 at the end, and the stamp of the last of them. Where the kernel gives none, that is the read.
pub(super) fn receive(socket: &TcpStream, buffer: &mut [u8]) -> io::Result<(usize, i64)> {
    let mut control = cmsg_space!(TimeSpec);
    let mut parts = [IoSliceMut::new(buffer)];
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::empty())?;
    let stamp = message.cmsgs()?.find_map(|it| {
        let ControlMessageOwned::ScmTimestampns(stamp) = it else { return None };
        Some(nanos(stamp))
    });
    Ok((message.bytes, stamp.unwrap_or_else(now)))
}

fn nanos(time: TimeSpec) -> i64 {
    time.tv_sec() * 1_000_000_000 + time.tv_nsec()
}
