//! Workers of runs on a cluster.

use loader_tests::{Daemon, cluster::Cluster};

/// The lines of `status` about workers, without their name's padding.
fn shown(cluster: &Cluster, more: &str) -> Vec<String> {
    let state = tempfile::tempdir().expect("a directory");
    let config = cluster.loaderd_config(more);
    let daemon = Daemon::start_with(state.path(), &["--config", config.to_str().expect("text")]);
    let status = daemon.ctl(&["status"]).ok().stdout;
    let lines = status.lines().filter(|line| line.starts_with("knative") && line.contains("workers"));
    lines.map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn status_says_what_workers_need_where_they_are_configured() {
    let cluster = Cluster::start();
    assert_eq!(shown(&cluster, ""), [""; 0]);
    let listen = "[workers]\nlisten = \"0.0.0.0:9490\"\nadvertise = \"10.0.0.9:9490\"";
    let missing = "missing for workers create jobs.batch in namespace loader, list jobs.batch in namespace loader, delete jobs.batch in \
                   namespace loader, create secrets in namespace loader";
    let without_image = "workers runs with workers need workers.image (the daemon's own) in the daemon's configuration: docs/knative.md";
    assert_eq!(shown(&cluster, listen), [missing, without_image]);
    cluster.allow_workers();
    let able = format!("{listen}\nimage = \"dev.local/loaderd:v1\"");
    assert_eq!(shown(&cluster, &able), ["missing for workers none", "workers reach this daemon at 10.0.0.9:9490"]);
}
