//! What a request asks for by its metadata, beyond the fields of its message: the clock, and the exact run time.

use std::time::Duration;

use loader_proto::metadata;
use tonic::metadata::{MetadataMap, MetadataValue};

use crate::{
    behaviour::{RuntimeClock, UnknownClock},
    consumer::Demand,
};

/// What a request asks for by its metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Asked {
    /// The clock that counts the run time; absent: the function's.
    clock: Option<RuntimeClock>,
    /// The exact run time; absent: as the field of the request has it.
    runtime: Option<Duration>,
}

/// Metadata that cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadMetadata {
    /// The clock.
    #[error(transparent)]
    Clock(#[from] UnknownClock),
    /// The run time.
    #[error("{name} is {text:?}; must be a whole number of microseconds", name = metadata::RUNTIME)]
    Runtime {
        /// What it is instead.
        text: String,
    },
}

impl Asked {
    /// Reads the metadata of a request.
    ///
    /// # Errors
    /// Metadata that is there and cannot be read.
    pub(crate) fn read(metadata: &MetadataMap) -> Result<Self, BadMetadata> {
        let text = |name| metadata.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let clock = text(metadata::CLOCK).map(|name| name.parse::<RuntimeClock>()).transpose()?;
        let runtime = text(metadata::RUNTIME).map(|text| match text.parse::<u32>() {
            Ok(micros) => Ok(Duration::from_micros(micros.into())),
            Err(_) => Err(BadMetadata::Runtime { text }),
        });
        Ok(Self { clock, runtime: runtime.transpose()? })
    }

    /// The demand of a request whose fields are `runtime_ms` and `memory_mib`.
    pub(crate) fn demand(self, runtime_ms: u32, memory_mib: u32) -> Demand {
        let runtime = self.runtime.unwrap_or(Duration::from_millis(runtime_ms.into()));
        Demand { runtime, memory_mib, clock: self.clock }
    }

    /// Writes into an answer's metadata that the exact run time was followed, where the request gave one.
    pub(crate) fn confirm(self, metadata: &mut MetadataMap) {
        if self.runtime.is_some() {
            metadata.insert(metadata::RUNTIME_EXACT, MetadataValue::from_static("true"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> Result<Asked, String> {
        let mut metadata = MetadataMap::new();
        for (name, value) in pairs {
            metadata.insert(*name, value.parse().unwrap());
        }
        Asked::read(&metadata).map_err(|error| error.to_string())
    }

    #[test]
    fn a_request_may_name_its_clock() {
        assert_eq!(read(&[]), Ok(Asked::default()));
        assert_eq!(read(&[("loader-clock", "cpu")]).unwrap().demand(1, 2).clock, Some(RuntimeClock::Cpu));
        assert_eq!(read(&[("loader-clock", "sun")]).unwrap_err(), "unknown clock \"sun\": expected wall or cpu");
    }

    #[test]
    fn an_exact_run_time_replaces_the_field_and_is_confirmed() {
        for (pairs, micros, confirmed) in [
            (&[][..], 12_000, None),
            (&[("loader-runtime-us", "12345")], 12_345, Some("true")),
            (&[("loader-runtime-us", "0")], 0, Some("true")),
            (&[("loader-clock", "wall")], 12_000, None),
        ] {
            let asked = read(pairs).unwrap();
            let demand = asked.demand(12, 34);
            assert_eq!((demand.runtime, demand.memory_mib), (Duration::from_micros(micros), 34), "{pairs:?}");
            let mut answer = MetadataMap::new();
            asked.confirm(&mut answer);
            assert_eq!(answer.get("loader-runtime-exact").map(|value| value.to_str().unwrap()), confirmed, "{pairs:?}");
        }
    }

    #[test]
    fn a_run_time_that_is_no_number_is_refused() {
        for text in ["", "-1", "1.5", "12ms", "4294967296"] {
            let expected = format!("loader-runtime-us is {text:?}; must be a whole number of microseconds");
            assert_eq!(read(&[("loader-runtime-us", text)]), Err(expected));
        }
    }
}
