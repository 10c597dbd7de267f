//! The commands and their flags.

mod compare;
mod records;
mod report;
mod study;
mod trace;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use loader_proto::v1::RunState;

pub(crate) use compare::{CompareArguments, FailIf};
pub(crate) use records::Joined;
pub(crate) use report::{Panels, PlotArguments, ReportArguments, Scales};
pub(crate) use study::{
    ClientHooks, StudyArgument, StudyCancelArguments, StudyCommand, StudyCompareArguments, StudyDeleteArguments,
    StudyFileArguments, StudyGetArguments, StudyImportArguments, StudyListArguments, StudyPlanArguments,
    StudyReportArguments, StudyRunArguments, StudyWatchArguments,
};
pub(crate) use trace::{
    ConvertArguments, DeleteTracesArguments, DescribeArguments, DiffArguments, FitArguments, Granularity, MapArguments,
    MergeArguments, OutputArguments, OutputFormat, PreserveName, ReadingArguments, RuleName, SampleArguments,
    ScaleArguments, SliceArguments, SplitArguments, SynthArguments, TraceCommand, WayName,
};

use crate::{address::Address, credentials::Credentials, ending::EXIT_CODES, output::Format, spec::SpecArguments};

/// Submits runs to the loader daemon, follows them and fetches what they measured.
#[derive(Debug, Parser)]
#[command(name = "loaderctl", version, after_help = EXIT_CODES)]
pub struct Arguments {
    /// Address of the daemon: http://host:port, https://host:port or unix:/path [unix:/run/loader/loaderd.sock where it
    /// can be opened, else http://127.0.0.1:9470]
    #[arg(long, global = true, env = "LOADERD_ADDRESS", value_name = "ADDR")]
    pub(crate) address: Option<Address>,
    #[command(flatten)]
    pub(crate) credentials: Credentials,
    /// table, or json: the API's messages as proto3 JSON, streams as one message a line
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value_t, hide_possible_values = true)]
    pub(crate) output: Format,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Queue a run, described by a spec file, by flags, or by both
    #[command(after_help = EXIT_CODES)]
    Submit(Box<SubmitArguments>),
    /// Queue a run again, with the spec of an earlier run
    #[command(after_help = EXIT_CODES)]
    Resubmit(ResubmitArguments),
    /// Show what a run would do, and every fault of its spec; deploys nothing
    #[command(after_help = EXIT_CODES)]
    Plan(Box<PlanArguments>),
    /// Convert a loader configuration of InVitro to a spec (needs no daemon)
    Import(ImportArguments),
    /// List runs, newest first
    List(ListArguments),
    /// Show a run
    #[command(after_help = EXIT_CODES)]
    Get(GetArguments),
    /// Follow a run to its end, then show its summary
    #[command(after_help = EXIT_CODES)]
    Watch(WatchArguments),
    /// End a run early; its records are kept
    Cancel(CancelArguments),
    /// Pin a run: retention does not remove it
    Pin(RunArgument),
    /// Unpin a run: retention applies again
    Unpin(RunArgument),
    /// Remove runs that have ended, with their records
    Delete(DeleteArguments),
    /// Print the records of a run, as CSV or JSON; follows a run under way until it ends
    Records(RecordsArguments),
    /// Fetch the files of a run that has ended
    Results(ResultsArguments),
    /// Write a report of runs: one HTML file with verdicts, figures and tables
    Report(ReportArguments),
    /// Draw a figure of runs or of a study for a paper, as SVG, PDF, PNG or CSV
    Plot(PlotArguments),
    /// Compare two groups of runs: what is better, worse, the same, or not shown
    #[command(after_help = EXIT_CODES)]
    Compare(CompareArguments),
    /// Verify result files against the checksums that their run recorded
    #[command(after_help = EXIT_CODES)]
    Check(CheckArguments),
    /// Make a single invocation, outside any run
    Invoke(InvokeArguments),
    /// Remove functions that runs left behind: kept ones, and those of a crash
    Clean(CleanArguments),
    /// Evaluate a PromQL expression on the daemon's Prometheus (prometheus.url)
    Query(QueryArguments),
    /// Show the state of the daemon and of its platforms
    Status,
    /// Print the address of the daemon's live page; where the page wants a login, the address lets its reader in, once
    Dashboard(DashboardArguments),
    /// List and remove uploaded traces; describe, sample, cut, scale, convert and generate traces
    #[command(subcommand)]
    Trace(TraceCommand),
    /// Studies: many runs of one spec, of which some fields vary
    #[command(subcommand)]
    Study(StudyCommand),
    /// Collect diagnostics for support, without secrets, in one archive
    SupportBundle(BundleArguments),
    /// Generate a bearer token and its line for the daemon's configuration (needs no daemon)
    Token(TokenArguments),
    /// Write manual pages
    #[command(hide = true)]
    Man {
        /// Directory for the pages
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgument {
    /// The run's id, or latest
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
}

/// What becomes of cells that a spreadsheet would run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Cells {
    /// They get a ' in front
    Safe,
    /// As recorded
    Raw,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RecordsArguments {
    #[command(flatten)]
    pub(crate) run: RunArgument,
    /// Columns to join to each row
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) with: Vec<Joined>,
    /// Of CSV, cells that a spreadsheet would run as formulas: safe (a ' in front makes them text) or raw (as recorded)
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Cells::Raw, hide_possible_values = true)]
    pub(crate) cells: Cells,
}

/// How a summary is printed.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Printing {
    /// Show the 95 % interval of each percentile [on terminals of 140 columns and more]
    #[arg(long)]
    pub(crate) intervals: bool,
}

/// Where it is written whether expectations are met.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Judging {
    /// Also write the expectations, and whether they are met, as JUnit XML; an earlier file is replaced
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct GetArguments {
    #[command(flatten)]
    pub(crate) run: RunArgument,
    #[command(flatten)]
    pub(crate) printing: Printing,
    #[command(flatten)]
    pub(crate) judging: Judging,
}

#[derive(Debug, clap::Args)]
pub(crate) struct WatchArguments {
    #[command(flatten)]
    pub(crate) run: RunArgument,
    #[command(flatten)]
    pub(crate) printing: Printing,
    #[command(flatten)]
    pub(crate) judging: Judging,
    /// Exit code 0 also where more than half of the invocations failed
    #[arg(long)]
    pub(crate) allow_failed_invocations: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SubmitArguments {
    #[command(flatten)]
    pub(crate) spec: SpecArguments,
    /// Submitting again with the same key returns the first submission's run
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
    #[command(flatten)]
    pub(crate) following: Following,
    /// Only show what the run would do, as plan does
    #[arg(long, conflicts_with_all = ["watch", "wait"])]
    pub(crate) dry_run: bool,
}

/// Whether a run is followed once it is queued.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Following {
    /// Follow the run to its end, then print its summary
    #[arg(long)]
    pub(crate) watch: bool,
    /// Wait for the run's end without showing progress, then print its summary
    #[arg(long, conflicts_with = "watch")]
    pub(crate) wait: bool,
    /// With --watch or --wait: exit code 0 also where more than half of the invocations failed
    #[arg(long)]
    pub(crate) allow_failed_invocations: bool,
    #[command(flatten)]
    pub(crate) printing: Printing,
    #[command(flatten)]
    pub(crate) judging: Judging,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ResubmitArguments {
    #[command(flatten)]
    pub(crate) run: RunArgument,
    #[command(flatten)]
    pub(crate) following: Following,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BundleArguments {
    /// File for the archive; must not exist yet
    #[arg(long, value_name = "FILE", default_value = "loader-support.tar.gz")]
    pub(crate) to: PathBuf,
    /// The daemon's configuration
    #[arg(long, value_name = "FILE", default_value = "/etc/loader/loaderd.toml")]
    pub(crate) config: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TokenArguments {
    /// Its owner's name, as it appears in the daemon's audit log
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) name: String,
    /// The bearer's role
    #[arg(long, value_enum, value_name = "ROLE", default_value_t = RoleName::Submit)]
    pub(crate) role: RoleName,
    /// File for the token; must not exist yet; readable by you alone
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
}

/// Names that need no quotes anywhere.
fn name(text: &str) -> Result<String, &'static str> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=64).contains(&text.len()) && text.bytes().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("use 1 to 64 of a-z, A-Z, 0-9, - and _")
    }
}

/// What the bearer of a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleName {
    /// Read runs and records
    Read,
    /// Also submit and cancel runs, upload traces and remove its own, make single invocations
    Submit,
    /// Also delete runs and clean up
    Admin,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) spec: SpecArguments,
    /// Show all slots and functions [the first 20]
    #[arg(long)]
    pub(crate) all: bool,
    /// Write each invocation to a CSV file: a trace that replays the plan exactly
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
    /// Replace the file of --write if it exists
    #[arg(long, requires = "write")]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) room: RoomArguments,
}

/// Whether there is room for a plan.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct RoomArguments {
    /// Also show whether the run fits the platform now: processors, memory and instances that it is expected to ask for, what is free,
    /// and which size would fit
    #[arg(long)]
    pub(crate) room: bool,
    /// Exit code 6 where the run does not fit, or where that is not known
    #[arg(long, requires = "room")]
    pub(crate) fail_if_no_room: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ImportArguments {
    /// The configuration, as InVitro takes it with --config
    #[arg(value_name = "CONFIG.json")]
    pub(crate) file: PathBuf,
    /// Failure configuration, as InVitro takes it with --failureConfig: becomes disturb in the spec
    #[arg(long, value_name = "FILE")]
    pub(crate) failure: Option<PathBuf>,
    /// File for the spec [standard output]
    #[arg(long, value_name = "SPEC.yaml")]
    pub(crate) to: Option<PathBuf>,
    /// Leave unknown keys out, and say so
    #[arg(long)]
    pub(crate) lenient: bool,
    /// Overwrite the file of --to
    #[arg(long, requires = "to")]
    pub(crate) force: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArguments {
    /// Only runs in this state; repeatable [all]
    #[arg(long, value_enum, value_name = "STATE", ignore_case = true)]
    pub(crate) state: Vec<StateName>,
    /// Maximum number of runs to list
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CancelArguments {
    #[command(flatten)]
    pub(crate) run: RunArgument,
    /// Wait until the run has ended
    #[arg(long)]
    pub(crate) wait: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DeleteArguments {
    /// Ids of runs, or latest
    #[arg(value_name = "RUN", required = true)]
    pub(crate) runs: Vec<String>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct CleanArguments {
    /// The run's id
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// Every run that has ended, or that the daemon does not know
    #[arg(long)]
    pub(crate) all_runs: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct QueryArguments {
    /// The expression, such as 'sum(loader_invocations_in_flight)'
    #[arg(value_name = "EXPR")]
    pub(crate) expression: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DashboardArguments {
    /// Show it in the browser
    #[arg(long)]
    pub(crate) open: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ResultsArguments {
    #[command(flatten)]
    pub(crate) run: RunArgument,
    /// Directory for the files; created if missing
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// native (the run directory) or invitro (the files of the InVitro loader)
    #[arg(long, value_name = "LAYOUT", default_value = "native")]
    pub(crate) layout: String,
    /// Of CSV files, cells that a spreadsheet would run as formulas: safe (a ' in front makes them text) or raw (as recorded)
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Cells::Safe, hide_possible_values = true)]
    pub(crate) cells: Cells,
    /// Write into a directory that is not empty; files of the same names are replaced
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArguments {
    /// A directory written by results, or the id of a run that has ended, or latest
    #[arg(value_name = "DIR|RUN")]
    pub(crate) target: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InvokeArguments {
    /// Address of the function
    #[arg(value_name = "HOST:PORT")]
    pub(crate) target: String,
    /// The request's :authority [HOST:PORT]
    #[arg(long, value_name = "HOST")]
    pub(crate) authority: Option<String>,
    /// Requested run time [0s]
    #[arg(long, value_name = "DURATION", value_parser = loader_proto::json::parse_duration)]
    pub(crate) runtime: Option<prost_types::Duration>,
    /// Requested memory [0MiB]
    #[arg(long, value_name = "MEMORY", value_parser = loader_proto::json::parse_mib)]
    pub(crate) memory: Option<u32>,
    /// Timeout of the invocation [1m]
    #[arg(long, value_name = "DURATION", value_parser = loader_proto::json::parse_duration)]
    pub(crate) timeout: Option<prost_types::Duration>,
}

/// The states of runs, as `list --state` takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum StateName {
    Queued,
    Deploying,
    WarmingUp,
    Running,
    Draining,
    Cleaning,
    Succeeded,
    Failed,
    Cancelled,
    Interrupted,
}

impl From<StateName> for RunState {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Queued => Self::Queued,
            StateName::Deploying => Self::Deploying,
            StateName::WarmingUp => Self::WarmingUp,
            StateName::Running => Self::Running,
            StateName::Draining => Self::Draining,
            StateName::Cleaning => Self::Cleaning,
            StateName::Succeeded => Self::Succeeded,
            StateName::Failed => Self::Failed,
            StateName::Cancelled => Self::Cancelled,
            StateName::Interrupted => Self::Interrupted,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_flags_of_all_commands_fit_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn each_state_has_its_name() {
        for name in StateName::value_variants() {
            let rendered = name.to_possible_value().expect("a name").get_name().to_uppercase();
            assert_eq!(RunState::from(*name).as_str_name(), format!("RUN_STATE_{rendered}"));
        }
        let states = (1..).map_while(|number| RunState::try_from(number).ok());
        assert_eq!(StateName::value_variants().len(), states.count());
    }
}
