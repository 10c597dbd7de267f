//! A worker that is the bottleneck is named.

use std::{thread::sleep, time::Duration};

use nix::sys::signal::Signal;

use super::{Loader, number, signal, sums_up, workers};

#[test]
fn a_worker_that_was_late_names_itself() {
    let loader = Loader::start();
    let run = loader.under_way("--workers 4 --saturation-lag 10ms");
    let late = workers(&loader.daemon)[&2];
    signal(late, Signal::SIGSTOP);
    sleep(Duration::from_millis(600));
    signal(late, Signal::SIGCONT);
    assert_eq!(loader.daemon.ended(&run)["state"], "RUN_STATE_SUCCEEDED");
    let summary = sums_up(&loader.daemon, &run, 4);
    let of = |worker: usize, name: &str| number(&summary["workers"][worker][name]);
    // Others may have been late as well, where the machine stood still.
    assert!(of(2, "saturatedSlots") >= 1 && of(2, "longestStallUs") >= 500_000, "{summary:#}");
    assert_eq!(summary["saturated"]["saturated"], true, "{summary:#}");
    let reason = summary["saturated"]["reason"].as_str().expect("a reason");
    let others = (0..4).filter(|worker| *worker != 2 && of(*worker, "saturatedSlots") > 0).count();
    assert!(reason.contains(if others == 0 { "worker 2 " } else { "worker" }), "{reason}");
    assert_eq!(loader.daemon.ctl(&["watch", &run]).code, 3);
}
