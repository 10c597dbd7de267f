//! Runs the fake cluster by itself, for manual tests of a daemon: prints the configuration to start `loaderd` with.

use std::{
    io::{self, Write as _},
    thread,
};

use loader_tests::cluster::Cluster;

fn main() -> io::Result<()> {
    let cluster = Cluster::start();
    cluster.install_components();
    cluster.allow_disturbances();
    writeln!(io::stdout(), "loaderd --config {}", cluster.loaderd_config("disturb = true").display())?;
    loop {
        thread::park();
    }
}
