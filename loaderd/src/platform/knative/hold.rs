//! The autoscaler's settings: changed for a warm-up, and restored after it.
//!
//! ```text
//! hold:    read ConfigMap  ─▶ back up its settings in the run's directory      ─▶ patch
//! restore: read the backup ─▶ patch back what still has the warm-up's value    ─▶ mark the backup as restored
//! ```
//!
//! The backup is on disk before the cluster is touched, so that the next start of a daemon that died can restore it.

use std::{collections::BTreeMap, io};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    backup,
    cluster::Cluster,
    cluster_error::ClusterError,
    preflight::{self, Need, Scope},
};
use crate::{id::RunId, platform::SettingsBackup};

const NAMESPACE: &str = "knative-serving";
const CONFIG: &str = "config-autoscaler";
/// Version of the backup's format.
const VERSION: u32 = 1;

/// The autoscaler's settings while it is held, which are InVitro's: no scale to zero, scale up at once, scale down late.
const HELD: [(&str, &str); 4] = [
    ("enable-scale-to-zero", "false"),
    ("max-scale-up-rate", "1000000.0"),
    ("max-scale-down-rate", "1.1"),
    ("scale-down-delay", "15m"),
];

/// Permissions that a warm-up needs.
pub(super) const NEEDS: [Need; 2] = [need("get"), need("patch")];

const fn need(verb: &'static str) -> Need {
    Need { group: "", resource: "configmaps", subresource: "", verb, name: CONFIG, scope: Scope::Serving }
}

/// What a [`SettingsBackup`] holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Saved {
    version: u32,
    namespace: String,
    config_map: String,
    /// By key: the value before; null when the key did not exist.
    before: BTreeMap<String, Option<String>>,
    /// By key: the value during the warm-up.
    during: BTreeMap<String, String>,
    /// Whether it was restored.
    restored: bool,
}

impl Saved {
    fn of(data: &BTreeMap<String, String>) -> Self {
        let before = HELD.iter().map(|(key, _)| ((*key).to_owned(), data.get(*key).cloned()));
        let during = HELD.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Self {
            version: VERSION,
            namespace: NAMESPACE.to_owned(),
            config_map: CONFIG.to_owned(),
            before: before.collect(),
            during: during.collect(),
            restored: false,
        }
    }

    /// The keys to restore, given the present settings; and those that another client has changed meanwhile, which are left alone.
    fn to_restore(&self, now: &BTreeMap<String, String>) -> (BTreeMap<String, Option<String>>, Vec<String>) {
        let (mut back, mut changed) = (BTreeMap::new(), Vec::new());
        for (key, before) in &self.before {
            if now.get(key) == self.during.get(key) {
                back.insert(key.clone(), before.clone());
            } else if now.get(key) != before.as_ref() {
                changed.push(key.clone());
            }
        }
        (back, changed)
    }

    fn read(backup: &SettingsBackup) -> io::Result<Option<Self>> {
        backup::read(backup)
    }

    /// Writes it atomically and durably.
    fn write(&self, backup: &SettingsBackup) -> io::Result<()> {
        backup::write(self, backup)
    }
}

/// The autoscaler of a cluster, as a run holds it.
pub(super) struct Autoscaler<'a> {
    pub(super) run: &'a RunId,
    pub(super) cluster: &'a Cluster,
    pub(super) deadline: Instant,
}

impl Autoscaler<'_> {
    /// Backs the settings up and replaces them by those of a warm-up.
    ///
    /// # Errors
    /// Missing permissions, a server that can't be reached, a backup that can't be written; then nothing has changed.
    pub(super) async fn hold(&self, backup: &SettingsBackup) -> Result<(), ClusterError> {
        let never = CancellationToken::new();
        let missing = preflight::missing(self.cluster, &NEEDS, NAMESPACE, self.deadline, &never).await?;
        if !missing.is_empty() {
            return Err(ClusterError::MissingPermissions { purpose: " for a warm-up", missing });
        }
        let saved = Saved::of(&self.settings().await?);
        saved.write(backup).map_err(|error| backup_failed(backup, error))?;
        self.patch(&json!(saved.during)).await
    }

    /// Restores what a backup holds, unless that was done before.
    ///
    /// # Errors
    /// A server that can't be reached, a backup that can't be read or written.
    pub(super) async fn restore(&self, backup: &SettingsBackup) -> Result<(), ClusterError> {
        let saved = Saved::read(backup).map_err(|error| backup_failed(backup, error))?;
        let Some(saved) = saved.filter(|saved| !saved.restored) else { return Ok(()) };
        let settings = match self.settings().await {
            Err(error) if error.is_not_found() => {
                log::warn!(RUN_ID = self.run.as_str(); "{CONFIG} was deleted by another client: there is nothing to restore");
                return Self::mark_restored(saved, backup);
            }
            settings => settings?,
        };
        let (back, changed) = saved.to_restore(&settings);
        if !changed.is_empty() {
            log::warn!(RUN_ID = self.run.as_str(); "{CONFIG}: {} changed by another client meanwhile: not restored", changed.join(", "));
        }
        if !back.is_empty() {
            self.patch(&json!(back)).await?;
        }
        log::info!(RUN_ID = self.run.as_str(); "restored the settings of {CONFIG} in {NAMESPACE} from before the warm-up");
        Self::mark_restored(saved, backup)
    }

    fn mark_restored(saved: Saved, backup: &SettingsBackup) -> Result<(), ClusterError> {
        Saved { restored: true, ..saved }.write(backup).map_err(|error| backup_failed(backup, error))
    }

    async fn settings(&self) -> Result<BTreeMap<String, String>, ClusterError> {
        let never = CancellationToken::new();
        let config = self.cluster.ask(self.deadline, &never, |client| async move {
            Api::<ConfigMap>::namespaced(client, NAMESPACE).get(CONFIG).await
        });
        Ok(config.await?.data.unwrap_or_default())
    }

    /// A merge patch: a key with value null is removed.
    async fn patch(&self, data: &serde_json::Value) -> Result<(), ClusterError> {
        let (never, patch) = (CancellationToken::new(), &json!({"data": data}));
        let patched = self.cluster.ask(self.deadline, &never, |client| async move {
            let configs = Api::<ConfigMap>::namespaced(client, NAMESPACE);
            configs.patch(CONFIG, &PatchParams::default(), &Patch::Merge(patch)).await
        });
        patched.await.map(|_| ())
    }
}

fn backup_failed(backup: &SettingsBackup, source: io::Error) -> ClusterError {
    ClusterError::Backup { path: backup.path().to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_setting_is_restored_unless_another_client_has_changed_it() {
        let before =
            settings(&[("allow-zero-initial-scale", "true"), ("scale-down-delay", "0s"), ("max-scale-up-rate", "7.0")]);
        let saved = Saved::of(&before);
        let mut now = before.clone();
        now.extend(saved.during.clone());
        let expected: BTreeMap<String, Option<String>> = [
            ("enable-scale-to-zero", None),
            ("max-scale-down-rate", None),
            ("max-scale-up-rate", Some("7.0")),
            ("scale-down-delay", Some("0s")),
        ]
        .map(|(key, value)| (key.to_owned(), value.map(str::to_owned)))
        .into();
        assert_eq!(saved.to_restore(&now), (expected, Vec::new()));
        // Another client has changed one of them; another is back already.
        now.insert("scale-down-delay".to_owned(), "1h".to_owned());
        now.remove("enable-scale-to-zero");
        let (back, changed) = saved.to_restore(&now);
        assert_eq!(back.keys().collect::<Vec<_>>(), ["max-scale-down-rate", "max-scale-up-rate"]);
        assert_eq!(changed, ["scale-down-delay"]);
    }

    #[test]
    fn a_backup_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let backup = SettingsBackup::at(directory.path().join("cluster_settings.json"));
        assert_eq!(Saved::read(&backup).unwrap(), None);
        let saved = Saved::of(&settings(&[("scale-down-delay", "0s")]));
        saved.write(&backup).unwrap();
        assert_eq!(Saved::read(&backup).unwrap(), Some(saved));
        std::fs::write(backup.path(), "{").unwrap();
        assert!(Saved::read(&backup).is_err());
    }
}
