//! Looking at processes, to see that none is left behind.

use std::fs;

/// Processes whose parent is `pid`, by the name of their program.
pub fn children(pid: u32, program: &str) -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("there is a /proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|&child| {
        // A process may end while it is looked at.
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        let Some((name, rest)) = stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')) else { return false };
        let parent = rest.split_whitespace().nth(1).and_then(|parent| parent.parse().ok());
        name == program && parent == Some(pid)
    })
    .collect()
}

/// Whether a process exists and is not a zombie.
pub fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}
