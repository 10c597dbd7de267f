//! A trace below a trace root: whatever its path, its links and its files say, nothing outside the root is read. The kernel
//! resolves each name below the root (openat2(2), RESOLVE_BENEATH), so that there is no time between a check and its use.

use std::{
    fs::{self, File},
    io,
    os::fd::{AsRawFd as _, OwnedFd},
    path::{Path, PathBuf},
    sync::Arc,
};

use loader_trace::{Bytes, Source};
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};

/// A directory below a root, or a file.
#[derive(Debug, Clone)]
pub(super) struct Confined {
    root: Arc<OwnedFd>,
    /// From the root on.
    path: PathBuf,
    /// As it was named.
    shown: PathBuf,
}

impl Confined {
    /// The trace at `path`, if it exists below one of `roots`.
    pub(super) fn open(path: &Path, roots: &[PathBuf]) -> Option<Self> {
        // A root may be named by another path, through links.
        let resolved = path.canonicalize().ok();
        let below = |root: &PathBuf| {
            let directory = Arc::new(OwnedFd::from(File::open(root).ok()?));
            let real = root.canonicalize().ok()?;
            let lexical = path.strip_prefix(root).ok();
            let of_links = resolved.as_ref().and_then(|resolved| resolved.strip_prefix(&real).ok());
            [lexical, of_links].into_iter().flatten().find_map(|rest| {
                let rest = if rest.as_os_str().is_empty() { Path::new(".") } else { rest };
                let found = Self { root: Arc::clone(&directory), path: rest.to_owned(), shown: path.to_owned() };
                found.find(rest).is_ok().then_some(found)
            })
        };
        roots.iter().find_map(below)
    }

    fn resolve(&self, path: &Path, flags: OFlag) -> io::Result<File> {
        let how = OpenHow::new()
            .flags(flags | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
        Ok(File::from(openat2(&*self.root, path, how)?))
    }

    /// What is there, which is not opened.
    fn find(&self, path: &Path) -> io::Result<fs::Metadata> {
        self.resolve(path, OFlag::O_PATH)?.metadata()
    }

    /// The names in a directory that lead to something below the root, and what that is.
    fn entries(&self, path: &Path) -> io::Result<Vec<(String, fs::Metadata)>> {
        let directory = self.resolve(path, OFlag::O_RDONLY | OFlag::O_DIRECTORY)?;
        let mut entries = Vec::new();
        for entry in fs::read_dir(format!("/proc/self/fd/{}", directory.as_raw_fd()))? {
            let Ok(name) = entry?.file_name().into_string() else { continue };
            if let Ok(metadata) = self.find(&path.join(&name)) {
                entries.push((name, metadata));
            }
        }
        Ok(entries)
    }

    /// The directory that the names start from.
    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if self.focus().is_some() && !parent.as_os_str().is_empty() => parent,
            Some(_) if self.focus().is_some() => Path::new("."),
            _ => &self.path,
        }
    }
}

impl Source for Confined {
    fn location(&self) -> String {
        self.shown.display().to_string()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for (name, metadata) in self.entries(self.folder())? {
            if metadata.is_dir() && self.focus().is_none() {
                let files = self.entries(&self.path.join(&name)).unwrap_or_default();
                let files = files.into_iter().filter(|(_, metadata)| metadata.is_file());
                names.extend(files.map(|(file, _)| format!("{name}/{file}")));
            } else if metadata.is_file() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Bytes>> {
        let path = self.folder().join(name);
        // A FIFO would be waited for.
        if !self.find(&path)?.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Box::new(self.resolve(&path, OFlag::O_RDONLY | OFlag::O_NONBLOCK)?))
    }

    fn focus(&self) -> Option<String> {
        let is_file = self.find(&self.path).is_ok_and(|metadata| metadata.is_file());
        is_file.then(|| self.path.file_name()?.to_str().map(str::to_owned)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read as _, os::unix::fs::symlink};

    use super::*;

    fn names(trace: &Confined) -> Vec<String> {
        let mut names = trace.names().expect("lists");
        names.sort();
        names
    }

    #[test]
    fn links_out_of_a_root_lead_nowhere_and_those_within_it_do() {
        let directory = tempfile::tempdir().expect("a directory");
        let (root, outside) = (directory.path().join("root"), directory.path().join("outside"));
        fs::create_dir_all(root.join("trace/days")).expect("makes");
        fs::create_dir(&outside).expect("makes");
        fs::write(outside.join("secret.csv"), "secret").expect("writes");
        fs::write(root.join("other.csv"), "other").expect("writes");
        fs::write(root.join("trace/days/a.csv"), "a").expect("writes");
        let link = |to: &Path, name: &str| symlink(to, root.join("trace").join(name)).expect("links");
        link(&outside.join("secret.csv"), "file.csv");
        link(&outside, "folder");
        link(Path::new("../../outside/secret.csv"), "up.csv");
        link(Path::new("../other.csv"), "within.csv");
        nix::unistd::mkfifo(&root.join("trace/pipe.csv"), nix::sys::stat::Mode::S_IRWXU).expect("makes");
        let trace = Confined::open(&root.join("trace"), std::slice::from_ref(&root)).expect("is below the root");
        assert_eq!(names(&trace), ["days/a.csv", "within.csv"]);
        for name in ["file.csv", "folder/secret.csv", "up.csv", "pipe.csv", "../../outside/secret.csv"] {
            assert!(Source::open(&trace, name).is_err(), "{name}");
        }
        let mut text = String::new();
        Source::open(&trace, "within.csv").expect("opens").read_to_string(&mut text).expect("reads");
        assert_eq!(text, "other");
        // The path of the trace itself.
        let roots = [root.clone()];
        for path in ["trace/folder", "trace/file.csv", "../outside", "trace/../../outside", "missing"] {
            assert!(Confined::open(&root.join(path), &roots).is_none(), "{path}");
        }
        let lone = Confined::open(&root.join("other.csv"), &roots).expect("is below the root");
        assert_eq!((names(&lone), lone.focus()), (vec!["other.csv".to_owned()], Some("other.csv".to_owned())));
        // A root by another name.
        let alias = directory.path().join("alias");
        symlink(&root, &alias).expect("links");
        assert!(Confined::open(&alias.join("trace"), &roots).is_some());
        assert!(Confined::open(&root.join("trace"), &[alias]).is_some());
        assert!(Confined::open(&root, &roots).is_some());
    }
}
