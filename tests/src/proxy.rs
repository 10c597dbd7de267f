//! A TCP proxy that tests break on purpose.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{JoinHandle, sleep},
    time::Duration,
};

/// How often a connection that is held looks whether it still is.
const LOOK: Duration = Duration::from_millis(5);

/// Passes connections on to one address; it ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    to: SocketAddr,
    connections: Mutex<Vec<Arc<Connection>>>,
    /// Whether new connections are held.
    holds: AtomicBool,
    /// For how long each piece is kept, milliseconds.
    delay_ms: AtomicU64,
    is_over: AtomicBool,
}

/// A connection: its client's end, and its server's.
#[derive(Debug)]
struct Connection {
    ends: [TcpStream; 2],
    /// Whether nothing passes.
    is_held: AtomicBool,
}

impl Proxy {
    /// Starts one on a port of the system's choice.
    ///
    /// # Panics
    /// When there is none.
    pub fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            to,
            connections: Mutex::default(),
            holds: AtomicBool::default(),
            delay_ms: AtomicU64::default(),
            is_over: AtomicBool::default(),
        });
        let accepts = Arc::clone(&shared);
        let accepting = Some(std::thread::spawn(move || accepts.accept(&listener)));
        Self { address, shared, accepting }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.shared.with(|connections| connections.len())
    }

    /// Cuts all connections; new ones are passed on.
    pub fn cut(&self) {
        self.shared.with(|connections| connections.iter().for_each(|connection| connection.close()));
    }

    /// Lets nothing pass, on no connection, as if the network were down; or all again.
    pub fn hold(&self, is_held: bool) {
        self.shared.holds.store(is_held, Ordering::SeqCst);
        self.shared.with(|connections| {
            connections.iter().for_each(|connection| connection.is_held.store(is_held, Ordering::SeqCst));
        });
    }

    /// Lets nothing pass on one connection, by its number, nor on new ones.
    ///
    /// # Panics
    /// When there is no such connection.
    pub fn hold_one(&self, number: usize) {
        self.shared.holds.store(true, Ordering::SeqCst);
        self.shared.with(|connections| connections[number].is_held.store(true, Ordering::SeqCst));
    }

    /// Keeps each piece for so long before it is passed on.
    pub fn delay(&self, delay: Duration) {
        let delay_ms = u64::try_from(delay.as_millis()).expect("it is short");
        self.shared.delay_ms.store(delay_ms, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.hold(false);
        self.cut();
        // Wakes the thread that accepts.
        let _woken = TcpStream::connect(self.address);
        let _ended = self.accepting.take().map(JoinHandle::join);
    }
}

impl Shared {
    fn with<T>(&self, use_them: impl FnOnce(&[Arc<Connection>]) -> T) -> T {
        use_them(&self.connections.lock().expect("whole"))
    }

    /// Accepts until it is over, and waits for what it started.
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        let mut passing = Vec::new();
        for client in listener.incoming() {
            if self.is_over.load(Ordering::SeqCst) {
                break;
            }
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(self.to)) else { continue };
            let connection = Arc::new(Connection {
                ends: [client, server],
                is_held: AtomicBool::new(self.holds.load(Ordering::SeqCst)),
            });
            for (from, to) in [(0, 1), (1, 0)] {
                let (shared, connection) = (Arc::clone(self), Arc::clone(&connection));
                passing.push(std::thread::spawn(move || {
                    // How it ends does not matter: then both ends do.
                    let _ended = shared.pass(&connection, from, to);
                    connection.close();
                }));
            }
            self.connections.lock().expect("whole").push(connection);
        }
        self.with(|connections| connections.iter().for_each(|connection| connection.close()));
        for thread in passing {
            let _ended = thread.join();
        }
    }

    fn pass(&self, connection: &Connection, from: usize, to: usize) -> std::io::Result<()> {
        let (mut from, mut to) = (&connection.ends[from], &connection.ends[to]);
        to.set_nodelay(true)?;
        let mut piece = vec![0; 1 << 16];
        loop {
            let read = from.read(&mut piece)?;
            if read == 0 {
                return Ok(());
            }
            sleep(Duration::from_millis(self.delay_ms.load(Ordering::SeqCst)));
            while connection.is_held.load(Ordering::SeqCst) && !self.is_over.load(Ordering::SeqCst) {
                sleep(LOOK);
            }
            to.write_all(&piece[..read])?;
        }
    }
}

impl Connection {
    fn close(&self) {
        for end in &self.ends {
            // It may be closed.
            let _closed = end.shutdown(Shutdown::Both);
        }
    }
}
