//! The formats, and telling one from another by the files' names.

use std::fmt;
use std::str::FromStr;

use super::fault::{Fault, Problem};
use super::source::Source;
use super::tables::Tables;
use super::{Options, azure2019, azure2021, huawei2023, plan, triplet};

/// A trace format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Azure Functions 2019 as published, for one day: invocations per minute and run times per function, memory per app.
    ///
    /// - `invocations_per_function_md.anon.dNN.csv`: `HashOwner,HashApp,HashFunction,Trigger`, then a column for each
    ///   minute, `1` to `1440`, with the number of invocations;
    /// - `function_durations_percentiles.anon.dNN.csv`: the ids, then among others
    ///   `percentile_Average_{0,1,25,50,75,99,100}` in ms, without cold starts: percentiles of averages over 30 s;
    /// - `app_memory_percentiles.anon.dNN.csv`: `HashOwner,HashApp`, then among others
    ///   `AverageAllocatedMb_pct{1,5,25,50,75,95,99,100}` in MB per app, of averages over a minute. A function's memory
    ///   is its app's, divided by the number of the app's functions in the invocations file, and at least 1 MiB. The
    ///   last two of the fourteen days have no such file.
    ///
    /// Source: Shahrad et al., "Serverless in the Wild" (USENIX ATC 2020); repository `Azure/AzurePublicDataset`,
    /// `AzureFunctionsDataset2019.md`.
    Azure2019,
    /// Azure Functions 2019, preprocessed: `invocations.csv`, `durations.csv`, `memory.csv`, with the columns of
    /// [`Self::Azure2019`], but any number of minutes (or seconds), and memory per function: with a column
    /// `HashFunction`. `Trigger` may lack.
    Azure2019Preprocessed,
    /// The seed-era samples of InVitro: `<N>_inv.csv`, `<N>_run.csv`, `<N>_mem.csv`, with the columns of
    /// [`Self::Azure2019Preprocessed`].
    ///
    /// Source: repository `vhive-serverless/invitro`.
    Triplet,
    /// Huawei's private cloud 2023, for one day: a folder for each quantity, in it `day_NNN.csv` with a row for each minute,
    /// `day,time,<function>,<function>,…`. `time` is in seconds, from the midnight of the first day. Cells may be empty.
    ///
    /// - `requests_minute`: the number of invocations; empty, or without a row: none;
    /// - `function_delay_minute`: the mean run time of a minute's invocations in seconds. A function's profile is the
    ///   distribution of these means, each counted as often as the function is invoked in its minute: it spreads less
    ///   than the run times of single invocations, which are not published;
    /// - `memory_limit_minute`: the memory allocated to all instances of the function, in MB;
    /// - `instances_minute`: how many those are. With this folder, memory is that of one instance; without, it is taken
    ///   as it stands.
    ///
    /// Source: Joosen et al., "How Does It Function? Characterizing Long-term Trends in Production Serverless Workloads"
    /// (SoCC 2023); repository `sir-lab/data-release`, `README_data_release_2023.md`.
    Huawei2023,
    /// Azure Functions 2021: one CSV file with a row for each invocation, `app,func,end_timestamp,duration`, the last two
    /// in seconds. Other traces of single invocations come in it too, once converted.
    ///
    /// An invocation starts at `end_timestamp - duration`; the first start of the file is the start of the trace. A
    /// function is one pair of `app` and `func`, for a `func` is unique only in its app; its id is `app/func`. Memory is
    /// not known.
    ///
    /// Source: Zhang et al., "Faster and Cheaper Serverless Computing on Harvested Resources" (SOSP 2021); repository
    /// `Azure/AzurePublicDataset`, `AzureFunctionsInvocationTrace2021.md`.
    Azure2021,
    /// A plan that was written to a file, to be replayed exactly: `plan.csv` with a row for each invocation,
    /// `due_ns,function,runtime_us,memory_mib`: when it is due after the start of the load, whom it calls, and what it asks
    /// for. Further columns are passed over.
    Plan,
}

/// A name that is none of [`Format::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no trace format is named {0:?}; there are {names}", names = Format::ALL.map(Format::name).join(", "))]
pub struct UnknownFormat(String);

impl Format {
    /// All of them, in the order in which they are looked for: those with the most telling names first.
    pub const ALL: [Self; 6] =
        [Self::Azure2019, Self::Azure2019Preprocessed, Self::Triplet, Self::Huawei2023, Self::Plan, Self::Azure2021];

    /// As in a run's spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Azure2019 => "azure2019",
            Self::Azure2019Preprocessed => "azure2019-preprocessed",
            Self::Triplet => "triplet",
            Self::Huawei2023 => "huawei2023",
            Self::Azure2021 => "azure2021",
            Self::Plan => "plan",
        }
    }

    /// The files that it is known by.
    pub(super) fn files(self) -> &'static str {
        match self {
            Self::Azure2019 => "invocations_per_function_md.anon.dNN.csv, …",
            Self::Azure2019Preprocessed => "invocations.csv, durations.csv, memory.csv",
            Self::Triplet => "<N>_inv.csv, <N>_run.csv, <N>_mem.csv",
            Self::Huawei2023 => "requests_minute/day_NNN.csv, …",
            Self::Azure2021 => "one CSV file alone",
            Self::Plan => plan::FILE,
        }
    }

    /// The format of a trace that has files of these names.
    pub fn detect(names: &[String]) -> Option<Self> {
        Self::ALL.into_iter().find(|format| match format {
            Self::Azure2019 => !azure2019::INVOCATIONS.days(names).is_empty(),
            Self::Azure2019Preprocessed => names.contains(&azure2019::preprocessed().invocations),
            Self::Triplet => !triplet::samples(names).is_empty(),
            Self::Huawei2023 => !huawei2023::REQUESTS.days(names).is_empty(),
            Self::Plan => names.iter().any(|name| name == plan::FILE),
            Self::Azure2021 => azure2021::tables(names).len() == 1,
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

/// Which of the source's files are to be read, by which reader.
pub(super) enum Layout {
    Tables(Tables),
    Minutes(huawei2023::Files),
    Events(String),
    Plan,
}

/// Tells the layout of a source by the names of its files and what is asked for.
pub(super) fn identify(source: &dyn Source, options: &Options) -> Result<Layout, Fault> {
    let mut names = source.names().map_err(|error| Fault::in_file(&source.location(), error.into()))?;
    names.sort();
    let Some(format) = options.format.or_else(|| Format::detect(&names)) else {
        return Err(Fault::in_file(&source.location(), Problem::UnknownFormat { names }));
    };
    let dayless = || options.day.map_or(Ok(()), |day| Err(Fault::in_file(&source.location(), Problem::NoDays(day))));
    match format {
        Format::Azure2019 => azure2019::published(source, &names, options.day).map(Layout::Tables),
        Format::Azure2019Preprocessed => dayless().map(|()| Layout::Tables(azure2019::preprocessed())),
        Format::Triplet => dayless().and_then(|()| triplet::tables(source, &names)).map(Layout::Tables),
        Format::Huawei2023 => huawei2023::files(source, &names, options.day).map(Layout::Minutes),
        Format::Plan => dayless().map(|()| Layout::Plan),
        Format::Azure2021 => dayless().and_then(|()| azure2021::table(source, &names)).map(Layout::Events),
    }
}
