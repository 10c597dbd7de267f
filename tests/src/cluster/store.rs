//! The objects of the fake API server, and what became of them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::stamp;

/// One object's key: resource with its group, namespace (empty for those that have none), name.
pub(super) type Key = (String, String, String);

/// Something that happened to an object.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) version: u64,
    pub(super) resource: String,
    pub(super) namespace: String,
    /// `ADDED`, `MODIFIED` or `DELETED`.
    pub(super) kind: &'static str,
    pub(super) object: Value,
}

/// All objects, with a history for those who watch.
#[derive(Debug, Default)]
pub(super) struct Store {
    objects: BTreeMap<Key, Value>,
    history: Vec<Change>,
    version: u64,
    /// Changes up to this one can't be watched any more.
    forgotten: u64,
}

fn key(resource: &str, namespace: &str, name: &str) -> Key {
    (resource.to_owned(), namespace.to_owned(), name.to_owned())
}

impl Store {
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<&Value> {
        self.objects.get(&key(resource, namespace, name))
    }

    /// Those of a resource in a namespace, or in all, by name.
    pub(super) fn list(&self, resource: &str, namespace: &str) -> impl Iterator<Item = &Value> {
        let wanted = move |(key, object)| {
            let (a, b, _): &Key = key;
            (a == resource && (namespace.is_empty() || b == namespace)).then_some(object)
        };
        self.objects.iter().filter_map(wanted)
    }

    /// Creates or replaces an object; the server's part of its metadata is filled in.
    pub(super) fn put(&mut self, resource: &str, mut object: Value) -> Value {
        let metadata = object["metadata"].as_object().cloned().unwrap_or_default();
        let text = |name: &str| metadata.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let key = key(resource, &text("namespace"), &text("name"));
        let before = self.objects.get(&key);
        self.version += 1;
        let generation = match before {
            None => 1,
            Some(before) => {
                let known = before["metadata"]["generation"].as_u64().unwrap_or(1);
                known + u64::from(before["spec"] != object["spec"])
            }
        };
        let uid = before.map_or_else(
            || json!(format!("00000000-0000-4000-8000-{:012}", self.version)),
            |it| it["metadata"]["uid"].clone(),
        );
        object["metadata"]["uid"] = uid;
        object["metadata"]["generation"] = json!(generation);
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let created = before.map_or_else(|| json!(stamp::now()), |it| it["metadata"]["creationTimestamp"].clone());
        object["metadata"]["creationTimestamp"] = created;
        stamp::transitions(before, &mut object);
        let kind = if before.is_some() { "MODIFIED" } else { "ADDED" };
        self.note(kind, &key, &object);
        self.objects.insert(key, object.clone());
        object
    }

    /// Changes an object that exists.
    pub(super) fn edit(
        &mut self,
        resource: &str,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) -> bool {
        let Some(mut object) = self.get(resource, namespace, name).cloned() else { return false };
        change(&mut object);
        self.put(resource, object);
        true
    }

    pub(super) fn remove(&mut self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        let key = key(resource, namespace, name);
        let mut object = self.objects.remove(&key)?;
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.note("DELETED", &key, &object);
        Some(object)
    }

    fn note(&mut self, kind: &'static str, (resource, namespace, _): &Key, object: &Value) {
        let (resource, namespace) = (resource.clone(), namespace.clone());
        self.history.push(Change { version: self.version, resource, namespace, kind, object: object.clone() });
    }

    /// What happened after `version`; `None` when that is too long ago.
    pub(super) fn since(&self, version: u64, resource: &str, namespace: &str) -> Option<Vec<Change>> {
        if version < self.forgotten {
            return None;
        }
        let begin = self.history.partition_point(|change| change.version <= version);
        let events = self.history[begin..].iter();
        let ours = events.filter(|it| it.resource == resource && (namespace.is_empty() || it.namespace == namespace));
        Some(ours.cloned().collect())
    }

    /// Lets go of the history: a watch from before can't be resumed.
    pub(super) fn forget(&mut self) {
        self.history.clear();
        self.forgotten = self.version;
    }
}

/// Whether an object's labels fit a selector of `name`, `name=value` and `name!=value`, or one of `name in (a,b)`.
pub(super) fn selects(selector: &str, object: &Value) -> bool {
    let none = Map::new();
    let labels = object["metadata"]["labels"].as_object().unwrap_or(&none);
    if let Some((name, values)) = selector.split_once(" in (") {
        let value = labels.get(name).and_then(Value::as_str);
        return values.trim_end_matches(')').split(',').any(|one| Some(one) == value);
    }
    selector.split(',').filter(|term| !term.is_empty()).all(|term| match term.split_once('=') {
        Some((name, value)) => match name.strip_suffix('!') {
            Some(name) => labels.get(name).and_then(Value::as_str) != Some(value),
            None => labels.get(name).and_then(Value::as_str) == Some(value),
        },
        None => labels.contains_key(term),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str) -> Value {
        json!({"metadata": {"name": name, "namespace": "n", "labels": {"a": "1"}}})
    }

    #[test]
    fn history_is_available_from_any_version_that_is_still_kept() {
        let mut store = Store::default();
        store.put("pods", pod("x"));
        assert!(store.edit("pods", "n", "x", |pod| pod["spec"] = json!({"a": 1})));
        assert!(!store.edit("pods", "n", "y", |_| {}));
        store.put("pods", pod("z"));
        store.remove("pods", "n", "z").expect("was there");
        let history = |version| -> Option<Vec<_>> {
            let name = |object: &Value| object["metadata"]["name"].as_str().map(str::to_owned);
            Some(store.since(version, "pods", "n")?.iter().map(|it| (it.kind, name(&it.object))).collect())
        };
        let [x, z] = ["x", "z"].map(|name| Some(name.to_owned()));
        assert_eq!(history(1), Some(vec![("MODIFIED", x), ("ADDED", z.clone()), ("DELETED", z)]));
        assert_eq!(store.get("pods", "n", "x").expect("is there")["metadata"]["generation"], 2);
        store.forget();
        assert!(store.since(1, "pods", "n").is_none());
        assert_eq!(store.since(4, "pods", "n").map(|changes| changes.len()), Some(0));
    }

    #[test]
    fn selectors_ask_for_labels_and_values() {
        for (selector, expected) in [
            ("", true),
            ("a", true),
            ("b", false),
            ("a=1", true),
            ("a=2", false),
            ("a!=2", true),
            ("a=1,b", false),
            ("a in (0,1)", true),
            ("a in (0)", false),
        ] {
            assert_eq!(selects(selector, &pod("x")), expected, "{selector}");
        }
    }
}
