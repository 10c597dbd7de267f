//! The credentials that a kubeconfig has, or names the files of: they must be for the daemon's user alone.

use std::{
    env,
    path::{Path, PathBuf},
};

use kube::config::{AuthInfo, Kubeconfig};

use crate::secret::{self, SecretError};

/// Others can read a credential.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub(super) struct Exposed {
    /// The kubeconfig, or a file that it names.
    path: PathBuf,
    source: SecretError,
}

/// Checks a kubeconfig, else those that the environment names or that the user has. A file that can't be read passes: its reader
/// reports that.
///
/// # Errors
/// A file with a credential that others can read.
pub(super) fn check(kubeconfig: Option<&Path>) -> Result<(), Exposed> {
    let paths = kubeconfig.map_or_else(defaults, |path| vec![path.to_owned()]);
    for (path, config) in paths.iter().filter_map(|path| Some((path, Kubeconfig::read_from(path).ok()?))) {
        for user in config.auth_infos.iter().filter_map(|named| named.auth_info.as_ref()) {
            let own = has_credentials(user).then_some(path.as_path());
            let named = [&user.client_key, &user.token_file].into_iter().flatten().map(Path::new);
            own.into_iter().chain(named).try_for_each(for_us_alone)?;
        }
    }
    Ok(())
}

/// Where kubeconfigs are looked for, as every client of Kubernetes does.
fn defaults() -> Vec<PathBuf> {
    match env::var_os("KUBECONFIG") {
        Some(paths) => env::split_paths(&paths).filter(|path| !path.as_os_str().is_empty()).collect(),
        None => env::home_dir().map(|home| home.join(".kube/config")).into_iter().collect(),
    }
}

fn has_credentials(user: &AuthInfo) -> bool {
    user.token.is_some() || user.password.is_some() || user.client_key_data.is_some() || user.auth_provider.is_some()
}

fn for_us_alone(path: &Path) -> Result<(), Exposed> {
    match secret::check(path) {
        Err(source @ SecretError::Exposed { .. }) => Err(Exposed { path: path.to_owned(), source }),
        Ok(()) | Err(SecretError::Read(_)) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn what_a_kubeconfig_has_or_names_must_be_for_us_alone() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str, mode: u32| {
            let path = directory.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let config = |user: &str| format!("apiVersion: v1\nkind: Config\nusers:\n- name: u\n  user: {user}\n");
        let refused = |path: &Path| check(Some(path)).err().map(|error| error.to_string());
        let with_token = write("token", &config("{token: t}"), 0o644);
        let message = refused(&with_token).unwrap();
        let shown = with_token.display();
        assert_eq!(message, format!("{shown}: others can read this secret (mode 0644): chmod 0600 {shown}"));
        fs::set_permissions(&with_token, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(refused(&with_token), None);
        // Without a credential it is no secret; a file that it names, relative to it, is one.
        assert_eq!(refused(&write("none", &config("{username: x}"), 0o644)), None);
        let names = write("names", &config("{client-certificate: c.pem, client-key: c.key}"), 0o644);
        assert_eq!(refused(&names), None, "that it is missing is not said here");
        let key = write("c.key", "", 0o640);
        assert!(refused(&names).unwrap().starts_with(&format!("{}: others can read", key.display())));
        fs::set_permissions(&key, fs::Permissions::from_mode(0o400)).unwrap();
        assert_eq!(refused(&names), None);
        assert_eq!(refused(Path::new("/nowhere")), None);
    }
}
