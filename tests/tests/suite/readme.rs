//! The README's commands do what they say.

use std::{collections::BTreeSet, env, fs, os::unix::fs::PermissionsExt as _, process::Command};

use loader_tests::{Daemon, bin, root};

/// The shell commands of the README, block by block.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while lines.by_ref().any(|line| line == "```sh") {
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(block.join("\n"));
    }
    blocks
}

#[test]
fn the_tour_can_be_walked() {
    let text = fs::read_to_string(root().join("README.md")).expect("there is a README");
    let blocks = blocks(&text);
    // These three take long, and the second one is what runs this test; the daemon here has other ports.
    assert_eq!(blocks[..2], ["./scripts/demo", "./scripts/test"]);
    assert_eq!(blocks.last().map(String::as_str), Some("./scripts/bench"));
    assert!(blocks[2].ends_with("\nloaderd --state-dir /tmp/loader &"), "{}", blocks[2]);
    let directory = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&directory.path().join("state"));
    let here = directory.path().join("here");
    fs::create_dir(&here).expect("makes");
    std::os::unix::fs::symlink(root().join("workloads"), here.join("workloads")).expect("links");
    // On a busy machine a run may find the loader saturated (code 3), which is no fault of the README.
    let wrapper = format!("#!/bin/sh\n{} \"$@\" || [ $? -eq 3 ]\n", bin("loaderctl").display());
    fs::write(directory.path().join("loaderctl"), wrapper).expect("writes");
    fs::set_permissions(directory.path().join("loaderctl"), fs::Permissions::from_mode(0o755)).expect("is ours");
    std::os::unix::fs::symlink(bin("trace-func"), directory.path().join("trace-func")).expect("links");
    let mut path = vec![directory.path().to_owned()];
    path.extend(env::split_paths(&env::var_os("PATH").expect("there is a PATH")));
    for block in &blocks[3..blocks.len() - 1] {
        let block =
            block.replace("127.0.0.1:9470", daemon.address()).replace("127.0.0.1:9480", daemon.metrics_address());
        let mut shell = Command::new("bash");
        shell.args(["-e", "-u", "-o", "pipefail", "-c", &block]).current_dir(&here);
        shell.env("PATH", env::join_paths(&path).expect("a path"));
        shell.env("LOADERD_ADDRESS", format!("http://{}", daemon.address()));
        let output = shell.output().expect("bash starts");
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{block}\n{stdout}\n{stderr}");
    }
    let files = fs::read_dir(here.join("my-results")).expect("was made").flatten();
    let files: BTreeSet<_> = files.map(|file| file.file_name().into_string().expect("text")).collect();
    let table = text.split_once("\n## Results\n").expect("is there").1.lines().filter(|line| line.starts_with("| `"));
    let documented: BTreeSet<_> =
        table.filter_map(|row| row.split('|').nth(1)).flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert_eq!(files.iter().map(String::as_str).collect::<BTreeSet<_>>(), documented);
}
