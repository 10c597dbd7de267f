use super::*;

/// A directory of hooks with one executable.
fn hook(script: &str) -> (tempfile::TempDir, HookSettings, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("hook");
    fs::write(&path, script).expect("writes");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("is mine");
    let settings = HookSettings { directory: Some(directory.path().to_owned()), timeout: Duration::from_secs(20) };
    (directory, settings, path)
}

#[test]
fn what_others_could_change_is_not_run() {
    let (directory, settings, path) = hook("#!/bin/sh\n");
    settings.find("hook").expect("is mine alone");
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("is mine");
    for (wrong, expected) in [
        (0o775, "can be changed by others (mode 0775)"),
        (0o757, "can be changed by others (mode 0757)"),
        (0o644, "is not executable"),
    ] {
        mode(&path, wrong);
        let fault = settings.find("hook").expect_err(expected).to_string();
        assert!(fault.contains(expected), "{fault}");
    }
    mode(&path, 0o755);
    mode(directory.path(), 0o777);
    let fault = settings.find("hook").expect_err("the directory is everybody's").to_string();
    assert!(fault.contains("can be changed by others (mode 0777)"), "{fault}");
    mode(directory.path(), 0o700);
    std::os::unix::fs::symlink(&path, directory.path().join("link")).expect("links");
    assert!(matches!(settings.find("link"), Err(HookFault::NoFile(_))));
    assert!(matches!(settings.find("none"), Err(HookFault::Unreadable { .. })));
    assert!(matches!(HookSettings { directory: None, ..settings }.find("hook"), Err(HookFault::Off)));
}

#[test]
fn files_of_other_users_are_not_run() {
    let (_directory, _, path) = hook("");
    let metadata = fs::metadata(&path).expect("is there");
    let (mine, other) = (Uid::from_raw(metadata.uid()), Uid::from_raw(metadata.uid() + 1));
    judge(&path, &metadata, mine, false).expect("is the daemon's");
    let judged = judge(&path, &metadata, other, false);
    // What belongs to root is everybody's to run.
    assert!(mine.is_root() || matches!(judged, Err(HookFault::Foreign { .. })), "{judged:?}");
}

#[tokio::test]
async fn a_hook_has_its_environment_and_no_other_and_its_output_is_kept() {
    let (_directory, settings, _) = hook("#!/bin/sh\nenv | sort\necho oh >&2\nexit 3\n");
    let ran = settings.run("hook", vec![("LOADER_RUN_ID".to_owned(), "7; $(x)".to_owned())]).await;
    let output = String::from_utf8(ran.output).expect("text");
    let named: Vec<_> = output.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    assert_eq!(
        named.iter().filter(|name| !["PWD", "_", "SHLVL", "OLDPWD"].contains(name)).collect::<Vec<_>>(),
        [&"LOADER_RUN_ID", &"PATH"]
    );
    assert!(output.contains("LOADER_RUN_ID=7; $(x)\n") && output.ends_with("--- standard error ---\noh\n"), "{output}");
    let outcome = ran.outcome.expect_err("fails").to_string();
    assert_eq!(outcome, "it failed: exit status: 3");
}

#[tokio::test]
async fn of_a_flood_only_the_beginning_is_kept() {
    let (_directory, settings, _) = hook("#!/bin/sh\nhead -c 1000000 /dev/zero\n");
    let ran = settings.run("hook", Vec::new()).await;
    ran.outcome.expect("succeeds");
    let output = String::from_utf8_lossy(&ran.output).into_owned();
    assert!(output.ends_with(&format!("… and {} bytes more\n", 1_000_000 - MOST_OUTPUT)), "{}", output.len());
}

#[tokio::test]
async fn what_hangs_is_killed_with_all_that_it_has_started() {
    let (directory, settings, _) = hook("#!/bin/sh\nsleep 1000 & echo $! > \"$FILE\"\nwait\n");
    let file = directory.path().join("pid");
    let settings = HookSettings { timeout: Duration::from_millis(300), ..settings };
    let ran = settings.run("hook", vec![("FILE".to_owned(), file.display().to_string())]).await;
    assert!(matches!(ran.outcome, Err(HookFault::TimedOut(_))), "{:?}", ran.outcome);
    let pid = fs::read_to_string(&file).unwrap_or_default();
    if let Ok(pid) = pid.trim().parse() {
        // Killed processes are reaped by whoever inherits them.
        let is_gone = || {
            let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            state.is_empty() || state.contains(") Z ")
        };
        let pid: i32 = pid;
        while !is_gone() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(pid > 1);
    }
}
