//! The command line of `loaderd`: flags that win over the configuration file.

use std::{
    fs,
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{CommandFactory as _, Parser};
use loader_proto::json::bracketed;

use crate::{config::Config, secret, worker::WorkerArguments};

/// Exit code for an invalid configuration.
const EX_CONFIG: u8 = 2;

/// Measures serverless clusters: accepts runs over a gRPC API, deploys functions, generates load, records the results.
#[derive(Debug, Parser)]
#[command(name = "loaderd", version, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// Configuration file (TOML); flags win over it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory for runs and uploaded traces [default: /var/lib/loader].
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Address of the control API; repeatable; port 0 picks a free one [default: 127.0.0.1:9470].
    #[arg(long, value_name = "ADDR", value_parser = address)]
    listen: Vec<SocketAddr>,
    /// Address of the Prometheus endpoint; port 0 picks a free one [default: 127.0.0.1:9480].
    #[arg(long, value_name = "ADDR", value_parser = address)]
    metrics_listen: Option<SocketAddr>,
    /// Unix socket of the control API.
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Platform for specs that name none [default: local].
    #[arg(long, value_name = "NAME")]
    platform: Option<String>,
    /// Check the configuration and exit: code 0 if it is valid, 2 if not.
    #[arg(long)]
    pub check_config: bool,
    /// Write the manual page to a directory and exit.
    #[arg(long, value_name = "DIR", hide = true)]
    pub write_man: Option<PathBuf>,
    /// What the program is instead of the daemon; absent: the daemon.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the program is instead of the daemon.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Send a share of a run's load; daemons start it.
    #[command(hide = true)]
    Worker(WorkerArguments),
}

/// Reads an address to listen on.
fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| match bracketed(text) {
        Some(right) => format!("did you mean {right}?"),
        None => "must be IP:PORT, such as 127.0.0.1:9470 or [::1]:9470".to_owned(),
    })
}

impl Arguments {
    /// The configuration: defaults, the file, the flags.
    ///
    /// # Errors
    /// Every fault, as a message.
    pub fn config(&self) -> Result<Config, Vec<String>> {
        let mut config = match &self.config {
            Some(path) => {
                let text = fs::read_to_string(path).map_err(|error| vec![format!("{}: {error}", path.display())])?;
                Config::from_toml(&text).map_err(|faults| {
                    faults.iter().map(|fault| format!("{}: {fault}", path.display())).collect::<Vec<_>>()
                })?
            }
            None => Config::default(),
        };
        if let Some(path) = self.config.as_deref().filter(|_| config.holds_secrets())
            && let Err(error) = secret::check(path)
        {
            return Err(vec![format!("{}: it has the password of a URL: {error}", path.display())]);
        }
        if let Some(state_dir) = &self.state_dir {
            config.state_dir.clone_from(state_dir);
        }
        if !self.listen.is_empty() {
            config.listen.clone_from(&self.listen);
        }
        if let Some(platform) = &self.platform {
            config.platform.clone_from(platform);
        }
        config.metrics_listen = self.metrics_listen.or(config.metrics_listen);
        config.socket = self.socket.clone().or(config.socket);
        let faults = config.check();
        if faults.is_empty() { Ok(config) } else { Err(faults) }
    }

    /// Writes the manual page.
    pub fn write_man(to: &Path) -> ExitCode {
        match clap_mangen::generate_to(Self::command(), to) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                // Fails only when stderr is closed.
                let _closed = writeln!(std::io::stderr().lock(), "loaderd: {}: {error}", to.display());
                ExitCode::FAILURE
            }
        }
    }

    /// Prints the faults of the configuration.
    pub fn refuse(&self, faults: &[String]) -> ExitCode {
        let mut stderr = std::io::stderr().lock();
        for fault in faults {
            // Fails only when stderr is closed.
            let _closed = writeln!(stderr, "loaderd: {fault}");
        }
        ExitCode::from(EX_CONFIG)
    }
}
