//! `support-bundle`: diagnostics for support in one archive, without secrets.

use std::{
    fs::{self, File},
    io,
    path::Path,
    process::Command,
};

use flate2::{Compression, write::GzEncoder};
use loader_proto::{
    json::{Integers, to_value},
    v1::{GetStatusRequest, ListRunsRequest},
};

use super::session::Session;
use crate::{Ending, Failure, cli::BundleArguments, output};

/// Files that describe the host.
const HOST: [&str; 6] =
    ["/etc/os-release", "/proc/version", "/proc/cpuinfo", "/proc/meminfo", "/proc/loadavg", "/proc/mounts"];

/// Commands that query the service manager; none runs in a shell.
const COMMANDS: [(&str, &[&str]); 3] = [
    ("service.txt", &["systemctl", "show", "loaderd"]),
    ("unit.txt", &["systemctl", "cat", "loaderd"]),
    ("journal.txt", &["journalctl", "--no-pager", "--unit=loaderd", "--output=short-precise", "--lines=20000"]),
];

/// Maximum number of runs in the list.
const RUNS: u32 = 1000;

/// Collects the files and writes the archive, which lists what is missing.
pub(super) async fn bundle(session: &Session, arguments: &BundleArguments) -> Result<Ending, Failure> {
    let BundleArguments { to, config } = arguments;
    let mut archive = Archive::default();
    archive.put("loaderctl.txt", format!("loaderctl {}\n", env!("CARGO_PKG_VERSION")));
    ask(session, &mut archive).await;
    match fs::read_to_string(config) {
        Ok(text) => archive.put("loaderd.toml", without_secrets(&text)),
        Err(error) => archive.miss(&config.display().to_string(), &error.to_string()),
    }
    for path in HOST {
        match fs::read(path) {
            Ok(content) => archive.put(&format!("host{path}"), content),
            Err(error) => archive.miss(path, &error.to_string()),
        }
    }
    for (name, line) in COMMANDS {
        match Command::new(line[0]).args(&line[1..]).output() {
            Ok(output) if output.status.success() => archive.put(name, output.stdout),
            Ok(output) => archive.miss(&line.join(" "), &String::from_utf8_lossy(&output.stderr)),
            Err(error) => archive.miss(&line.join(" "), &error.to_string()),
        }
    }
    let missing = archive.missing.len();
    archive.write(to).map_err(|source| Failure::System { doing: format!("cannot write {}", to.display()), source })?;
    output::text(&to.display().to_string())?;
    if missing > 0 {
        output::note(&format!("{missing} items are missing: missing.txt in the archive names them, with the reason"));
    }
    Ok(Ending::Done)
}

/// The daemon's status and its list of runs.
async fn ask(session: &Session, archive: &mut Archive) {
    let daemon = match session.daemon().await {
        Ok(daemon) => daemon,
        Err(failure) => return archive.miss("the daemon", &failure.to_string()),
    };
    match daemon.api.clone().get_status(GetStatusRequest { probe_platforms: true }).await {
        Ok(status) => archive.put("status.json", format!("{:#}\n", to_value(status.get_ref(), Integers::Strings))),
        Err(status) => archive.miss("GetStatus", status.message()),
    }
    let request = ListRunsRequest { page_size: RUNS, ..ListRunsRequest::default() };
    match daemon.api.clone().list_runs(request).await {
        Ok(runs) => archive.put("runs.json", format!("{:#}\n", to_value(runs.get_ref(), Integers::Strings))),
        Err(status) => archive.miss("ListRuns", status.message()),
    }
}

/// A configuration without digests of tokens, and without names and passwords in addresses.
fn without_secrets(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", without_user(&without_digests(line)))).collect()
}

/// A line without digests, which are long sequences of hexadecimal digits.
fn without_digests(line: &str) -> String {
    let mut kept = String::new();
    let mut digits = String::new();
    for letter in line.chars().map(Some).chain([None]) {
        match letter {
            Some(letter) if letter.is_ascii_hexdigit() => digits.push(letter),
            letter => {
                kept.push_str(if digits.len() >= 32 { "REMOVED" } else { &digits });
                digits.clear();
                kept.extend(letter);
            }
        }
    }
    kept
}

/// A line whose address `scheme://user:password@host` is without user and password.
fn without_user(line: &str) -> String {
    let Some((before, rest)) = line.split_once("://") else { return line.to_owned() };
    let authority_ends = rest.find(['/', '"', '\'']).unwrap_or(rest.len());
    match rest[..authority_ends].rfind('@') {
        Some(at) => format!("{before}://REMOVED{}", &rest[at..]),
        None => line.to_owned(),
    }
}

/// Files of the archive, and what is missing from it.
#[derive(Default)]
struct Archive {
    files: Vec<(String, Vec<u8>)>,
    missing: Vec<String>,
}

impl Archive {
    fn put(&mut self, name: &str, content: impl Into<Vec<u8>>) {
        self.files.push((name.to_owned(), content.into()));
    }

    fn miss(&mut self, what: &str, why: &str) {
        self.missing.push(format!("{what}: {}\n", why.trim()));
    }

    fn write(mut self, to: &Path) -> io::Result<()> {
        if !self.missing.is_empty() {
            let missing = self.missing.concat();
            self.put("missing.txt", missing);
        }
        let file = File::options().write(true).create_new(true).open(to)?;
        let mut archive = tar::Builder::new(GzEncoder::new(file, Compression::default()));
        for (name, content) in &self.files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o600);
            archive.append_data(&mut header, format!("loader-support/{name}"), content.as_slice())?;
        }
        archive.into_inner()?.finish()?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_left_out_and_nothing_else() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let text = format!(
            "state_dir = \"/var/lib/loader\"\nci = {{ role = \"read\", sha256 = \"{digest}\" }}\n\
             url = \"http://me:secret@10.0.0.1:9090/x\"\nother = \"http://10.0.0.1:9090/a@b\"\n"
        );
        assert_eq!(
            without_secrets(&text),
            "state_dir = \"/var/lib/loader\"\nci = { role = \"read\", sha256 = \"REMOVED\" }\n\
             url = \"http://REMOVED@10.0.0.1:9090/x\"\nother = \"http://10.0.0.1:9090/a@b\"\n"
        );
    }
}
