//! How long a connection may do nothing: until its first request, between requests, and while what it was sent is not read. A
//! connection that exceeds one of these fails with an error, so that its server closes it.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Sleep, sleep};

/// How long a client may take until its first request, after a TLS handshake if there is one.
pub(super) const FIRST_REQUEST: Duration = Duration::from_secs(20);

/// How long a connection stays open at least that has no request; at most twice as long.
pub(super) const IDLE: Duration = Duration::from_mins(5);

/// How long a client may take to read anything of what it was sent.
pub(super) const UNREAD: Duration = Duration::from_secs(30);

/// The requests of a connection. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    open: AtomicUsize,
    /// Whether there was one since this was last asked for.
    recent: AtomicBool,
}

/// A request that is being answered, until this is dropped.
#[derive(Debug)]
pub struct OpenRequest(Requests);

impl Requests {
    /// A request begins.
    pub fn begin(&self) -> OpenRequest {
        self.0.open.fetch_add(1, Ordering::Relaxed);
        self.0.recent.store(true, Ordering::Relaxed);
        OpenRequest(self.clone())
    }

    fn were_made(&self) -> bool {
        self.0.recent.swap(false, Ordering::Relaxed) || self.0.open.load(Ordering::Relaxed) > 0
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.0.0.recent.store(true, Ordering::Relaxed);
        self.0.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The deadlines of one connection.
#[derive(Debug)]
pub(super) struct Deadlines {
    pub(super) requests: Requests,
    next_request: Pin<Box<Sleep>>,
    unread: Option<Pin<Box<Sleep>>>,
}

impl Deadlines {
    pub(super) fn start() -> Self {
        Self { requests: Requests::default(), next_request: Box::pin(sleep(FIRST_REQUEST)), unread: None }
    }

    /// Called when nothing can be read.
    pub(super) fn nothing_to_read(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        while self.next_request.as_mut().poll(context).is_ready() {
            if !self.requests.were_made() {
                return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the client makes no request"));
            }
            self.next_request = Box::pin(sleep(IDLE));
        }
        Poll::Pending
    }

    /// What writing has come to.
    pub(super) fn written<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.unread = None;
            return written;
        }
        let unread = self.unread.get_or_insert_with(|| Box::pin(sleep(UNREAD)));
        unread
            .as_mut()
            .poll(context)
            .map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the client reads nothing of what it was sent")))
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::UnixStream,
        time::timeout,
    };

    use super::*;
    use crate::listener::{
        Bounds, Connection,
        places::{Places, Who},
    };

    /// A connection, and its client's end.
    fn connection() -> (Connection, UnixStream) {
        let (client, stream) = UnixStream::pair().expect("makes");
        let places = Places::new(Bounds { all: 1, each: 1, reserve: 0 });
        (Connection::unix(stream, None, places.take(Who::User(None)).expect("is free")), client)
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_is_dropped() {
        let (mut connection, _client) = connection();
        let read = timeout(FIRST_REQUEST * 2, connection.read_u8()).await.expect("ends by itself");
        assert_eq!(read.expect_err("is an error").kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_client_without_a_request_is_dropped() {
        let (mut connection, mut client) = connection();
        let trickle = async {
            while client.write_u8(0).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(3)).await;
            }
        };
        let read = async {
            let read = async { while connection.read_u8().await.is_ok() {} };
            timeout(FIRST_REQUEST * 2, read).await.expect("ends by itself");
        };
        tokio::select! {
            () = read => {}
            () = trickle => panic!("the connection is open"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_with_a_request_stays_open_as_long_as_that_lasts() {
        let (mut connection, _client) = connection();
        let open = connection.accepted().requests.begin();
        timeout(IDLE * 10, connection.read_u8()).await.expect_err("stays open");
        drop(open);
        timeout(IDLE / 2, connection.read_u8()).await.expect_err("stays open for a while");
        let read = timeout(IDLE * 2, connection.read_u8()).await.expect("ends by itself");
        assert_eq!(read.expect_err("is an error").kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_nothing_is_dropped() {
        let (mut connection, _client) = connection();
        let written = timeout(UNREAD * 2, connection.write_all(&vec![0; 16 << 20])).await.expect("ends by itself");
        assert_eq!(written.expect_err("is an error").kind(), io::ErrorKind::TimedOut);
    }
}
