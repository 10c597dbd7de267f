//! `loaderd`: arguments, logging, build, wait for a signal, drain, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use loaderd::{
    app::{App, Ends, Reloader},
    cli::Arguments,
    supervisor, telemetry, words,
};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = match arguments.config() {
        Ok(config) => config,
        Err(faults) => return arguments.refuse(&faults),
    };
    telemetry::logging::init(config.log_level, config.log_format);
    if arguments.check_config {
        return ExitCode::SUCCESS;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    match runtime.block_on(run(config, &arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

async fn run(config: loaderd::config::Config, arguments: &Arguments) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let ends = Ends::default();
    let app = App::build(config, ends.clone()).await?;
    let mut reloader = app.reloader();
    let mut running = std::pin::pin!(app.run());
    let mut asked = 0;
    loop {
        tokio::select! {
            ended = &mut running => return ended,
            _ = hang_up.recv() => reload(&mut reloader, arguments),
            _ = terminate.recv() => asked += 1,
            _ = interrupt.recv() => asked += 1,
        }
        match asked {
            0 => {}
            1 if ends.shutdown.is_cancelled() => {}
            1 => {
                log::info!("shutting down; a second signal awaits no answers, a third ends at once");
                ends.shutdown.cancel();
            }
            2 => ends.hurry.cancel(),
            _ => anyhow::bail!("ended by a third signal"),
        }
    }
}

/// Reads the configuration again. One that can't be used changes nothing.
fn reload(reloader: &mut Reloader, arguments: &Arguments) {
    supervisor::reloading();
    match arguments.config() {
        Ok(config) => reloader.reload(config),
        Err(faults) => {
            for fault in &faults {
                log::error!("not reloaded: {fault}");
            }
        }
    }
    supervisor::ready();
}

fn failed(error: &anyhow::Error) -> ExitCode {
    log::error!("{}", words::of(error.as_ref()));
    ExitCode::FAILURE
}
