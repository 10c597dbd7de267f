//! The formats, and telling one from another by the files' names.

use std::fmt;
use std::str::FromStr;

use super::fault::{Fault, Problem};
use super::source::Source;
use super::tables::Tables;

/// The ending of the triplet's invocations file.
const TRIPLET_INVOCATIONS: &str = "_inv.csv";

/// A trace format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Azure Functions 2019, preprocessed: `invocations.csv`, `durations.csv`, `memory.csv`.
    Azure2019,
    /// The seed-era samples of InVitro: `<N>_inv.csv`, `<N>_run.csv`, `<N>_mem.csv`.
    Triplet,
}

/// A name that is none of [`Format::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no trace format is named {0:?}; there are {names}", names = Format::ALL.map(Format::name).join(", "))]
pub struct UnknownFormat(String);

impl Format {
    /// All of them, in the order in which they are looked for.
    pub const ALL: [Self; 2] = [Self::Azure2019, Self::Triplet];

    /// As in a run's spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Azure2019 => "azure2019",
            Self::Triplet => "triplet",
        }
    }

    /// The format of a trace that has files of these names.
    pub fn detect(names: &[String]) -> Option<Self> {
        Self::ALL.into_iter().find(|format| match format {
            Self::Azure2019 => names.iter().any(|name| name == &Tables::azure2019().invocations),
            Self::Triplet => names.iter().any(|name| name.ends_with(TRIPLET_INVOCATIONS)),
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// Which of the source's files are to be read as what.
pub(super) fn identify(source: &dyn Source, format: Option<Format>) -> Result<Tables, Fault> {
    let mut names = source.names().map_err(|error| Fault::in_file(&source.location(), error.into()))?;
    names.sort();
    match format.or_else(|| Format::detect(&names)) {
        Some(Format::Azure2019) => Ok(Tables::azure2019()),
        Some(Format::Triplet) => triplet(source, &names),
        None => Err(Fault::in_file(&source.location(), Problem::UnknownFormat { names })),
    }
}

fn triplet(source: &dyn Source, names: &[String]) -> Result<Tables, Fault> {
    let samples: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix(TRIPLET_INVOCATIONS)).collect();
    match samples[..] {
        [sample] => Ok(Tables {
            invocations: format!("{sample}{TRIPLET_INVOCATIONS}"),
            durations: format!("{sample}_run.csv"),
            memory: format!("{sample}_mem.csv"),
        }),
        [] => Err(Fault::in_file(&format!("<N>{TRIPLET_INVOCATIONS}"), Problem::FileMissing)),
        _ => {
            let samples = samples.into_iter().map(str::to_owned).collect();
            Err(Fault::in_file(&source.location(), Problem::SeveralTriplets { samples }))
        }
    }
}
