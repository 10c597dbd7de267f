//! The run's trace, fetched from the coordinator by its content.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Component, Path, PathBuf},
};

use loader_proto::worker::{ReadTraceRequest, WireTrace};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::channel::Client;

/// Most files of a trace.
const MOST_FILES: usize = 100_000;

/// A trace that was fetched. Dropped, its files are removed.
#[derive(Debug)]
pub(super) struct Fetched {
    _directory: TempDir,
    /// Its folder, or the file that it is named by.
    pub(super) path: PathBuf,
}

/// Fetches all files of a trace into a directory below `place`.
///
/// # Errors
/// Names that lead elsewhere, a stream that breaks, a directory that can't be written, content that is another.
pub(super) async fn fetch(client: &mut Client, trace: &WireTrace, place: &Path) -> Result<Fetched, String> {
    let WireTrace { hash, files, focus, folder } = trace;
    if files.len() > MOST_FILES {
        return Err(format!("the trace has {} files; at most {MOST_FILES}", files.len()));
    }
    let directory = tempfile::Builder::new().prefix("loader-trace-").tempdir_in(place);
    let directory = directory.map_err(|error| format!("no directory for the trace in {}: {error}", place.display()))?;
    let wrong = |name: &str| format!("{name:?} is no name of a file of a trace");
    // Without a name of its own the folder is the directory.
    let folder = if folder.is_empty() { "trace" } else { folder };
    let folder = below(directory.path(), folder).ok_or_else(|| wrong(folder))?;
    let path = if focus.is_empty() { folder.clone() } else { below(&folder, focus).ok_or_else(|| wrong(focus))? };
    let mut names = files.clone();
    names.sort_unstable();
    let mut whole = Sha256::new();
    for name in names {
        let path = below(&folder, &name).ok_or_else(|| wrong(&name))?;
        let content = fetch_file(client, hash, &name, &path).await.map_err(|reason| format!("{name}: {reason}"))?;
        whole.update((name.len() as u64).to_le_bytes());
        whole.update(&name);
        whole.update(content);
    }
    if whole.finalize().as_slice() != hash.as_slice() {
        return Err("the trace that was sent is another than that of the assignment".to_owned());
    }
    Ok(Fetched { _directory: directory, path })
}

/// The path of a file below a directory; absent where its name leads elsewhere.
fn below(directory: &Path, name: &str) -> Option<PathBuf> {
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    let is_below = !name.is_empty() && !name.ends_with('/') && !name.contains('\0');
    (is_below && Path::new(name).components().all(is_plain)).then(|| directory.join(name))
}

/// Fetches one file; returns SHA-256 of its content.
async fn fetch_file(client: &mut Client, hash: &[u8], name: &str, path: &Path) -> Result<[u8; 32], String> {
    let written = |error: std::io::Error| error.to_string();
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(written)?;
    }
    let mut file = File::create_new(path).map_err(written)?;
    let request = ReadTraceRequest { hash: hash.to_vec(), file: name.to_owned() };
    let broken = |status: tonic::Status| status.message().to_owned();
    let mut pieces = client.read_trace(request).await.map_err(broken)?.into_inner();
    let mut content = Sha256::new();
    while let Some(piece) = pieces.message().await.map_err(broken)? {
        content.update(&piece.data);
        file.write_all(&piece.data).map_err(written)?;
    }
    Ok(content.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_directory() {
        let of = |name| below(Path::new("/t"), name);
        assert_eq!(of("a.csv"), Some("/t/a.csv".into()));
        assert_eq!(of("d/a.csv"), Some("/t/d/a.csv".into()));
        for name in ["", "/etc/passwd", "../a", "d/../../a", "..", "d/", "./a", "a\0b"] {
            assert_eq!(of(name), None, "{name:?}");
        }
    }
}
