//! The instance that this process is: its id, its start, and whether an invocation is its first.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use loader_proto::metadata;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue, errors::InvalidMetadataValue};

/// One instance of the function: this process.
#[derive(Debug)]
pub struct Instance {
    id: MetadataValue<Ascii>,
    started: MetadataValue<Ascii>,
    invoked: AtomicBool,
}

/// An instance id that response metadata cannot carry.
#[derive(Debug, thiserror::Error)]
#[error("instance id {id:?} is not allowed in response metadata: use visible ASCII characters only")]
pub struct InvalidInstanceId {
    id: String,
    source: InvalidMetadataValue,
}

impl Instance {
    /// An instance that has not been invoked, started at `started` after the Unix epoch.
    pub fn new(id: &str, started: Duration) -> Result<Self, InvalidInstanceId> {
        let micros = u64::try_from(started.as_micros()).unwrap_or(u64::MAX);
        Ok(Self {
            id: id.parse().map_err(|source| InvalidInstanceId { id: id.to_owned(), source })?,
            started: micros.into(),
            invoked: AtomicBool::new(false),
        })
    }

    /// Marks an invocation's arrival. The stamp of exactly one arrival is that of the first invocation.
    pub fn arrive(&self) -> Stamp<'_> {
        Stamp { instance: self, first: !self.invoked.swap(true, Ordering::Relaxed) }
    }
}

/// The instance's metadata in the response to one invocation, be it a reply or an error.
#[derive(Debug)]
pub struct Stamp<'a> {
    instance: &'a Instance,
    first: bool,
}

impl Stamp<'_> {
    /// The id of the instance.
    pub fn instance(&self) -> &str {
        self.instance.id.to_str().unwrap_or_default()
    }

    /// Writes the stamp to response metadata, under the names in [`loader_proto::metadata`].
    pub fn write_to(&self, map: &mut MetadataMap) {
        let first = MetadataValue::from_static(if self.first { "true" } else { "false" });
        map.insert(metadata::INSTANCE, self.instance.id.clone());
        map.insert(metadata::FIRST_INVOCATION, first);
        map.insert(metadata::INSTANCE_STARTED, self.instance.started.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(stamp: &Stamp<'_>) -> [String; 3] {
        let mut map = MetadataMap::new();
        stamp.write_to(&mut map);
        [metadata::INSTANCE, metadata::FIRST_INVOCATION, metadata::INSTANCE_STARTED]
            .map(|name| map.get(name).unwrap().to_str().unwrap().to_owned())
    }

    #[test]
    fn only_the_first_arrival_is_stamped_as_the_first() {
        let instance = Instance::new("pod-1", Duration::from_micros(1_700_000_000_123_456)).unwrap();
        assert_eq!(written(&instance.arrive()), ["pod-1", "true", "1700000000123456"]);
        assert_eq!(written(&instance.arrive()), ["pod-1", "false", "1700000000123456"]);
    }

    #[test]
    fn an_id_that_metadata_cannot_carry_is_refused_by_name() {
        let error = Instance::new("pod\n1", Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains(r#""pod\n1""#), "{error}");
    }
}
