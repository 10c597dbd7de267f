//! The profile of real functions: a JSON object of the form that vSwarm's profiler writes, which names each function with its
//! run time in ms and memory in MB at nine percentiles.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

/// The percentiles of a profile.
pub(super) const PERCENTILES: [u8; 9] = [0, 1, 5, 25, 50, 75, 95, 99, 100];

/// Most faults that are told.
const SHOWN: usize = 10;

/// A real function.
#[derive(Debug, Clone, PartialEq)]
pub struct Proxy {
    /// Its name.
    pub name: String,
    /// The file that it is deployed from; absent where the profile has none.
    pub yaml: Option<String>,
    /// Run time in milliseconds at the nine percentiles, ascending.
    pub runtime_ms: [f64; 9],
    /// Memory in MiB likewise.
    pub memory_mib: [f64; 9],
}

/// Real functions, in the order of the profile: of equally good ones the first is chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Proxies(pub(super) Vec<Proxy>);

/// Why text is no profile.
#[derive(Debug, Error)]
pub enum ProxyError {
    /// It is no JSON of this form.
    #[error("not a profile of functions: {0}")]
    Form(#[from] serde_json::Error),
    /// Functions whose values can't be.
    #[error("{}", .0.join("\n"))]
    Values(Vec<String>),
    /// It has no functions.
    #[error("the profile has no function")]
    Empty,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    yaml: Option<String>,
    memory: BTreeMap<String, f64>,
    duration: BTreeMap<String, f64>,
}

impl Proxies {
    /// The one at a place.
    pub fn get(&self, place: usize) -> Option<&Proxy> {
        self.0.get(place)
    }

    /// Reads a profile.
    ///
    /// # Errors
    /// When it is none, with every function that is wrong, bounded.
    pub fn parse(text: &str) -> Result<Self, ProxyError> {
        let entries: Map<String, Value> = serde_json::from_str(text)?;
        let (mut proxies, mut wrong) = (Vec::new(), Vec::new());
        for (name, value) in entries {
            match proxy(&name, value) {
                Ok(proxy) => proxies.push(proxy),
                Err(reason) => wrong.push(format!("function {name}: {reason}")),
            }
        }
        if wrong.len() > SHOWN {
            let more = wrong.len() - SHOWN;
            wrong.truncate(SHOWN);
            wrong.push(format!("... and {more} more"));
        }
        match (wrong.is_empty(), proxies.is_empty()) {
            (false, _) => Err(ProxyError::Values(wrong)),
            (true, true) => Err(ProxyError::Empty),
            (true, false) => Ok(Self(proxies)),
        }
    }
}

fn proxy(name: &str, value: Value) -> Result<Proxy, String> {
    let Entry { yaml, memory, duration } = serde_json::from_value(value).map_err(|error| error.to_string())?;
    Ok(Proxy {
        name: name.to_owned(),
        yaml,
        runtime_ms: percentiles("duration", &duration)?,
        memory_mib: percentiles("memory", &memory)?,
    })
}

fn percentiles(what: &str, values: &BTreeMap<String, f64>) -> Result<[f64; 9], String> {
    let mut found = [0.0; 9];
    for (found, percentile) in found.iter_mut().zip(PERCENTILES) {
        let key = format!("{percentile}-percentile");
        let value = values.get(&key).copied().ok_or_else(|| format!("{what} has no {key}"))?;
        if !value.is_finite() || value < 0.0 {
            return Err(format!("{what}: {key} is {value}; it must be 0 or more"));
        }
        *found = value;
    }
    if found.is_sorted() { Ok(found) } else { Err(format!("{what}: percentiles must not decrease")) }
}
