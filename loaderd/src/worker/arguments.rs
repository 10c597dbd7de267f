use std::path::PathBuf;

use crate::id::RunId;

/// Sends a share of a run's load. Daemons start it; it is of no use by hand.
#[derive(Debug, clap::Args)]
pub struct WorkerArguments {
    /// The daemon that coordinates the run's workers.
    #[arg(long, value_name = "HOST:PORT")]
    pub coordinator: String,
    /// Id of the run.
    #[arg(long, value_name = "ID")]
    pub run: RunId,
    /// Number of this worker, from 0 [default: the environment's JOB_COMPLETION_INDEX].
    #[arg(long, value_name = "N")]
    pub index: Option<u32>,
    /// File with the run's token.
    #[arg(long, value_name = "FILE")]
    pub token_file: PathBuf,
    /// Certificate of the coordinator's authority (PEM); without it the connection is not secured.
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Directory for what was not handed over yet [default: that for temporary files].
    #[arg(long, value_name = "DIR")]
    pub spool_dir: Option<PathBuf>,
    /// End with the process that started this one, which has this id.
    #[arg(long, value_name = "PID")]
    pub die_with_parent: Option<i32>,
}
