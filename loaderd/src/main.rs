//! `loaderd`: arguments, logging, build, wait for a signal, drain, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use loaderd::{app::App, cli::Arguments, telemetry, words};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = match arguments.config() {
        Ok(config) => config,
        Err(faults) => return arguments.refuse(&faults),
    };
    telemetry::logging::init(config.log_level);
    if arguments.check_config {
        return ExitCode::SUCCESS;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    match runtime.block_on(run(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

async fn run(config: loaderd::config::Config) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = CancellationToken::new();
    let app = App::build(config, shutdown.clone()).await?;
    let mut running = std::pin::pin!(app.run());
    tokio::select! {
        ended = &mut running => return ended,
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    log::info!("shutting down; a second signal ends at once");
    shutdown.cancel();
    tokio::select! {
        ended = running => ended,
        _ = terminate.recv() => anyhow::bail!("ended by a second signal"),
        _ = interrupt.recv() => anyhow::bail!("ended by a second signal"),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    log::error!("{}", words::of(error.as_ref()));
    ExitCode::FAILURE
}
