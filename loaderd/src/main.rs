//! `loaderd`: arguments, logging, build, wait for a signal, drain, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use loaderd::{
    app::{self, App},
    cli::{Arguments, Command},
    config::{LogFormat, OnStop},
    error_chain, logging,
    registry::Ends,
    worker::{self, Ending, WorkerArguments},
};
use nix::sys::{
    signal::Signal,
    stat::{Mode, umask},
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Threads free what others allocated. With this allocator they take no lock for that, which a thread that waits for a processor
/// might hold while one that sends needs it. Large pages are not asked for: making them holds up page faults.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(to) = &arguments.write_man {
        return Arguments::write_man(to);
    }
    if let Some(Command::Worker(arguments)) = &arguments.command {
        return worker_process(arguments);
    }
    let config = match arguments.config() {
        Ok(config) => config,
        Err(faults) => return arguments.refuse(&faults),
    };
    logging::init(config.log_level, config.log_format);
    if arguments.check_config {
        return ExitCode::SUCCESS;
    }
    // What the daemon writes is its user's alone, whatever started it: directories 0700, files 0600.
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    if let Err(error) = app::keep_off_isolated_cpus(&config) {
        return failed(&error);
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
    let finish = config.on_stop == OnStop::Finish;
    let app = App::build(config, ends.clone()).await?;
    let mut reloader = app.reloader();
    let mut running = std::pin::pin!(app.run());
    // One stage for each signal.
    let mut stages = stages(&ends, finish).into_iter();
    loop {
        tokio::select! {
            ended = &mut running => return ended,
            _ = hang_up.recv() => reloader.reload(|| arguments.config()),
            _ = terminate.recv() => end(&mut stages)?,
            _ = interrupt.recv() => end(&mut stages)?,
        }
    }
}

/// A worker of a run: its exit code says how it ended, and its last line why.
fn worker_process(arguments: &WorkerArguments) -> ExitCode {
    logging::init(log::LevelFilter::Info, LogFormat::default());
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    let ending = worker_ending(arguments).unwrap_or_else(|error| Ending::Failed(error_chain::of(error.as_ref())));
    if let Some(reason) = ending.reason() {
        worker::leave(reason);
    }
    ExitCode::from(ending.code())
}

fn worker_ending(arguments: &WorkerArguments) -> anyhow::Result<Ending> {
    worker::follow_parent(arguments)?;
    let settings = worker::Settings::new(arguments, |name| std::env::var(name).ok())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let (mut told, terminate) = (signal(SignalKind::terminate())?, CancellationToken::new());
        // A file that may not grow any more is an error of who writes it, as a full disk is, and ends no process.
        let _file_too_large = signal(SignalKind::from_raw(Signal::SIGXFSZ as i32))?;
        let mut working = std::pin::pin!(worker::work(settings, terminate.clone()));
        loop {
            tokio::select! {
                ending = &mut working => return Ok(ending),
                // The first process of a container has no other way to hear it.
                _ = told.recv() => terminate.cancel(),
            }
        }
    })
}

/// A stage of the shutdown: its log message, and the tokens that it cancels.
type Stage = (&'static str, Vec<CancellationToken>);

/// The stages of the shutdown, each for one more signal.
fn stages(ends: &Ends, finish: bool) -> Vec<Stage> {
    let Ends { shutdown, interrupt, skip_drain } = ends.clone();
    let mut stages = Vec::new();
    if finish {
        stages.push(("shutting down when the active run has ended; a second signal interrupts it", vec![shutdown]));
        stages.push(("interrupting the active run; a third signal skips the drain", vec![interrupt]));
    } else {
        let message = "shutting down, and interrupting the active run; a second signal skips the drain";
        stages.push((message, vec![shutdown, interrupt]));
    }
    stages.push(("skipping the drain; one more signal exits at once", vec![skip_drain]));
    stages
}

fn end(stages: &mut impl Iterator<Item = Stage>) -> anyhow::Result<()> {
    let (message, tokens) =
        stages.next().ok_or_else(|| anyhow::anyhow!("exiting on a signal before the drain has ended"))?;
    log::info!("{message}");
    tokens.iter().for_each(CancellationToken::cancel);
    Ok(())
}

fn failed(error: &anyhow::Error) -> ExitCode {
    log::error!("{}", error_chain::of(error.as_ref()));
    ExitCode::FAILURE
}
