//! Files that hold secrets. As `ssh` does with its keys, the daemon uses none that others can read.
//!
//! A file of the daemon's own user must be for that user alone. One of root's may be for the daemon's group, too, as a package or a
//! cluster's Secret lays it out: the rule that PostgreSQL has for its server's key.

use std::{
    fs::{File, Metadata},
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use nix::unistd::{Uid, User};

/// Why a secret is not used. The path is in the message only where it is part of the remedy.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It can't be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// Others can read it.
    #[error("others can read this secret (mode {mode:04o}): {remedy}")]
    Exposed {
        /// The permissions of the file.
        mode: u32,
        /// Commands that mend it.
        remedy: String,
    },
}

/// Reads a file that holds a secret.
///
/// # Errors
/// A file that can't be read, or that others can read.
pub fn read(path: &Path) -> Result<Vec<u8>, SecretError> {
    let mut file = File::open(path)?;
    // The file that was opened, whatever becomes of its name.
    judge(path, &file.metadata()?)?;
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    Ok(content)
}

/// Whether a file may hold a secret, for those who read it themselves.
///
/// # Errors
/// A file that can't be opened, or that others can read.
pub fn check(path: &Path) -> Result<(), SecretError> {
    judge(path, &File::open(path)?.metadata()?)
}

fn judge(path: &Path, metadata: &Metadata) -> Result<(), SecretError> {
    let mode = metadata.mode() & 0o7777;
    let me = Uid::effective();
    match remedy(path, mode, Uid::from_raw(metadata.uid()), me) {
        None => Ok(()),
        Some(remedy) => Err(SecretError::Exposed { mode, remedy }),
    }
}

/// What mends the permissions of a file, where they are too wide.
fn remedy(path: &Path, mode: u32, owner: Uid, me: Uid) -> Option<String> {
    let of_root = owner.is_root() && !me.is_root();
    let (forbidden, right) = if of_root { (0o037, "0640") } else { (0o077, "0600") };
    if mode & forbidden == 0 {
        return None;
    }
    let path = path.display();
    if of_root || owner == me {
        return Some(format!("chmod {right} {path}"));
    }
    let user = User::from_uid(me).ok().flatten().map_or_else(|| me.to_string(), |user| user.name);
    Some(format!("chown {user} {path} && chmod {right} {path}"))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn a_secret_is_for_the_daemons_user_alone_or_roots_for_its_group() {
        let (root, me, other) = (Uid::from_raw(0), Uid::from_raw(990), Uid::from_raw(1000));
        let path = Path::new("/etc/loader/key");
        for (mode, owner, me, mended_by) in [
            (0o600, me, me, None),
            (0o400, me, me, None),
            (0o640, me, me, Some("chmod 0600 /etc/loader/key")),
            (0o604, me, me, Some("chmod 0600 /etc/loader/key")),
            (0o620, me, me, Some("chmod 0600 /etc/loader/key")),
            // Installed by root for the service's group; a Secret's volume with an fsGroup.
            (0o640, root, me, None),
            (0o440, root, me, None),
            (0o644, root, me, Some("chmod 0640 /etc/loader/key")),
            (0o660, root, me, Some("chmod 0640 /etc/loader/key")),
            // A daemon that is root's.
            (0o640, root, root, Some("chmod 0600 /etc/loader/key")),
            (0o600, other, root, None),
        ] {
            assert_eq!(remedy(path, mode, owner, me).as_deref(), mended_by, "{mode:o} {owner} {me}");
        }
        let taken = remedy(path, 0o644, other, Uid::from_raw(u32::MAX - 7)).unwrap();
        assert_eq!(taken, "chown 4294967288 /etc/loader/key && chmod 0600 /etc/loader/key");
    }

    #[test]
    fn an_exposed_file_is_named_with_its_mode_and_what_mends_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        fs::write(&path, "secret").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let message = read(&path).unwrap_err().to_string();
        assert_eq!(message, format!("others can read this secret (mode 0644): chmod 0600 {}", path.display()));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read(&path).unwrap(), b"secret");
        assert!(matches!(read(&directory.path().join("none")), Err(SecretError::Read(_))));
    }
}
