//! The commands of a page, run as its reader would.

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{Daemon, Page, bin, root};

/// A page's commands, run one after the other against a daemon, in a directory that has the workloads of the repository.
#[derive(Debug)]
pub struct Walk {
    directory: TempDir,
}

impl Walk {
    /// Runs a page's blocks in `sh`, but for those of `not_run`.
    ///
    /// # Panics
    /// When a block fails.
    pub fn through(page: &str, not_run: &[&str]) -> Self {
        let walk = Self { directory: tempfile::tempdir().expect("a directory") };
        let daemon = Daemon::start(&walk.directory.path().join("state"));
        let here = walk.here();
        fs::create_dir(&here).expect("makes");
        symlink(root().join("workloads"), here.join("workloads")).expect("links");
        let path = programs(walk.directory.path());
        let blocks = Page::read(page).blocks_in("sh");
        for block in blocks.iter().filter(|block| !not_run.contains(&block.as_str())) {
            let block =
                block.replace("127.0.0.1:9470", daemon.address()).replace("127.0.0.1:9480", daemon.metrics_address());
            let mut shell = Command::new("bash");
            shell.args(["-e", "-u", "-o", "pipefail", "-c", &block]).current_dir(&here).env("PATH", &path);
            shell.env("LOADERD_ADDRESS", format!("http://{}", daemon.address()));
            let output = shell.output().expect("bash starts");
            let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success(), "{page}: {block}\n{stdout}\n{stderr}");
        }
        walk
    }

    /// Where the commands have run.
    pub fn here(&self) -> PathBuf {
        self.directory.path().join("here")
    }
}

/// Puts the programs into a directory; a PATH that begins with it.
fn programs(directory: &Path) -> OsString {
    // On a busy machine a run may find the loader saturated (code 3), which is no fault of the page.
    let wrapper = format!("#!/bin/sh\n{} \"$@\" || [ $? -eq 3 ]\n", bin("loaderctl").display());
    let loaderctl = directory.join("loaderctl");
    fs::write(&loaderctl, wrapper).expect("writes");
    fs::set_permissions(&loaderctl, fs::Permissions::from_mode(0o755)).expect("is ours");
    symlink(bin("trace-func"), directory.join("trace-func")).expect("links");
    let mut path = vec![directory.to_owned()];
    path.extend(env::split_paths(&env::var_os("PATH").expect("there is a PATH")));
    env::join_paths(path).expect("a path")
}
