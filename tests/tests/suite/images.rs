//! The images of the function server: built, run, driven, stopped.

use std::process::Command;

use loader_tests::{Daemon, Ran, eventually, heavy, root, run};

const IMAGE: &str = "localhost/trace-func:test";
/// What these machines need; elsewhere it does no harm.
const PODMAN: [&str; 2] = ["--runtime", "runc"];

fn podman(arguments: &[&str]) -> Ran {
    run("podman", PODMAN.iter().chain(arguments))
}

/// A container that is removed at the end.
struct Container(String);

impl Container {
    fn start(flags: &[&str], arguments: &[&str]) -> Self {
        let fixed = ["run", "--detach", "--network=host", "--ulimit=nofile=20000:20000", "--ulimit=nproc=10000:10000"];
        Self(podman(&[&fixed, flags, arguments].concat()).ok().stdout.trim().to_owned())
    }

    /// The address on which the function listens.
    fn address(&self) -> String {
        eventually("the container listens", || {
            let logged = podman(&["logs", &self.0]).ok().stdout;
            logged.lines().find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
        })
    }

    fn inspect(&self, format: &str) -> String {
        podman(&["inspect", "--format", format, &self.0]).ok().stdout.trim().to_owned()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        podman(&["rm", "--force", "--time", "0", &self.0]);
    }
}

#[test]
fn images_are_small_unprivileged_and_stop_on_sigterm() {
    let _turn = heavy();
    let built = Command::new(root().join("scripts/build-images"))
        .args(["--image", "trace-func", "--image", "trace-func-firecracker", "--tag", "test"])
        .status();
    assert!(built.expect("it runs").success());
    for (image, port) in [("trace-func", "8080"), ("trace-func-firecracker", "50051")] {
        let format = "{{.Size}}|{{.Config.User}}|{{.Config.Entrypoint}}|{{.Config.ExposedPorts}}|\
                      {{index .Labels \"org.opencontainers.image.title\"}}";
        let printed = podman(&["image", "inspect", "--format", format, &format!("localhost/{image}:test")]).ok().stdout;
        let (size, rest) = printed.trim().split_once('|').expect("it has a size");
        assert!(size.parse::<u64>().expect("a number") <= 4_000_000, "{printed}");
        assert_eq!(rest, format!("65532:65532|[/trace-func]|map[{port}/tcp:{{}}]|{image}"));
    }

    let container = Container::start(&["--memory=64m"], &[IMAGE, "--host", "127.0.0.1", "--port", "0"]);
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(state.path());
    let address = container.address();
    let asked = ["--mode", "rps", "--start", "20", "--end", "20", "--slot", "1s", "--platform", "attach", "--attach"];
    let submit = |memory: &str| {
        let flags = [&asked[..], &[&address, "--runtime", "5ms", "--memory", memory]].concat();
        let ended = daemon.ended(&daemon.submit(&flags));
        daemon.table(ended["runId"].as_str().expect("text"), "invocations.csv")
    };
    let rows = submit("2MiB");
    assert_eq!(rows.counts("status").get("ok"), Some(&20), "{:?}", rows.counts("status"));
    // What the container can't have is refused, and does not get it killed.
    let rows = submit("80MiB");
    assert_eq!(rows.counts("status").get("memory_allocation_failed"), Some(&20), "{:?}", rows.counts("status"));
    assert!(rows.column("error")[0].contains("memory limit of the control group"), "{}", rows.column("error")[0]);
    assert_eq!(container.inspect("{{.State.Running}}"), "true");

    podman(&["stop", "--time", "60", &container.0]).ok();
    // It ended by itself: podman kills with 137 after the minute.
    assert_eq!(container.inspect("{{.State.ExitCode}}"), "0");
}
