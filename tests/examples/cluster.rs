//! Runs the fake cluster by itself, to try a daemon on by hand: prints the configuration to start `loaderd` with.

use std::thread;

use loader_tests::cluster::Cluster;

fn main() {
    let cluster = Cluster::start();
    println!("loaderd --config {}", cluster.loaderd_config("").display());
    loop {
        thread::park();
    }
}
