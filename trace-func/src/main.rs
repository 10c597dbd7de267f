//! The program `trace-func`: arguments, logging, build, wait for a signal, drain, exit code.
//!
//! Exit codes: 0 after a drain; 1 when serving failed; 2 when a flag, a variable or the address can't be used; 128 plus
//! the signal's number when a second signal cut the drain short.

use std::{
    env,
    error::Error,
    io::{self, Write as _},
    net::SocketAddr,
    process::{self, ExitCode},
    time::Duration,
};

use clap::Parser as _;
use nix::{
    sys::signal::Signal,
    unistd::{Pid, gethostname, getppid},
};
use tokio::{
    pin,
    runtime::{Builder, Runtime},
    select,
    signal::unix::{self, SignalKind},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use trace_func::{
    cli::{Arguments, Config, Kind},
    clock,
    consumer::Consumer,
    executor::{Function, Work},
    instance::{Instance, InvalidInstanceId},
    memory::{Memory, SystemRoom},
    parent,
    serve::{self, MAX_CONCURRENT},
};

const USAGE: u8 = 2;
const FAILURE: u8 = 1;

/// Enough for the work, which is shallow; thousands of threads may stand at once.
const THREAD_STACK_BYTES: usize = 256 << 10;

/// An error, and the exit code that says its sort.
struct Failure(u8, Box<dyn Error>);

/// Makes an error a failure with exit code `code`.
fn failure<E: Error + 'static>(code: u8) -> impl Fn(E) -> Failure {
    move |error| Failure(code, Box::new(error))
}

fn main() -> ExitCode {
    let (started, parent) = (clock::since_unix_epoch(), getppid());
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help, the version, or a bad flag; there is nobody to tell when that can't be printed.
            error.print().ok();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE));
        }
    };
    match run(arguments, started, parent) {
        Ok(code) => code,
        Err(Failure(code, error)) => {
            writeln!(io::stderr(), "trace-func: {error}").ok();
            ExitCode::from(code)
        }
    }
}

fn run(arguments: Arguments, started: Duration, parent: Pid) -> Result<ExitCode, Failure> {
    let config = Config::new(arguments, |name| env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
        .map_err(failure(USAGE))?;
    if let Some(expected) = config.die_with_parent {
        parent::die_with(expected.map_or(parent, Pid::from_raw)).map_err(failure(FAILURE))?;
    }
    let threads = TaskTracker::new();
    let function = function(&config, started, threads.clone()).map_err(failure(USAGE))?;
    let runtime = runtime().map_err(failure(FAILURE))?;
    let code = runtime.block_on(serve_until_signalled(config.address, function, threads));
    // After a drain no thread is left; after a second signal there is no waiting for any.
    runtime.shutdown_background();
    code
}

fn function(config: &Config, started: Duration, threads: TaskTracker) -> Result<Function, InvalidInstanceId> {
    let id = config.instance_id.clone().unwrap_or_else(host_and_process);
    let work = match config.kind {
        Kind::Empty => Work::Empty,
        Kind::Trace => {
            Work::Trace(Consumer::new(Memory::new(SystemRoom::of_this_process()), config.max_runtime, threads))
        }
    };
    Ok(Function::new(Instance::new(&id, started)?, work))
}

/// One thread for all I/O: it starts faster than a pool, and leaves the CPUs to the invocations.
fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(usize::from(MAX_CONCURRENT))
        .thread_stack_size(THREAD_STACK_BYTES)
        .thread_name("invocation")
        .build()
}

async fn serve_until_signalled(
    address: SocketAddr,
    function: Function,
    threads: TaskTracker,
) -> Result<ExitCode, Failure> {
    let mut signals = Signals::install().map_err(failure(FAILURE))?;
    let (listener, bound) = serve::bind(address).await.map_err(failure(USAGE))?;
    let stop = CancellationToken::new();
    let serving = serve::serve(listener, function, threads, stop.clone());
    pin!(serving);
    announce(bound);
    loop {
        select! {
            served = &mut serving => return served.map(|()| ExitCode::SUCCESS).map_err(failure(FAILURE)),
            signal = signals.next() => {
                if stop.is_cancelled() {
                    log::warn!("{signal} while draining: ending at once");
                    return Ok(ExitCode::from(u8::try_from(128 + signal as i32).unwrap_or(FAILURE)));
                }
                log::info!("{signal}: draining");
                stop.cancel();
            }
        }
    }
}

/// Says on standard output where the server listens, for who started it. Connections are queued from the binding on.
fn announce(bound: SocketAddr) {
    let mut stdout = io::stdout().lock();
    if let Err(error) = writeln!(stdout, "listening on {bound}").and_then(|()| stdout.flush()) {
        log::warn!("can't say on standard output that the server listens on {bound}: {error}");
    }
}

/// The signals that end the process. They need handlers of our own: as process 1 of a container there are no others.
struct Signals {
    terminate: unix::Signal,
    interrupt: unix::Signal,
}

impl Signals {
    fn install() -> io::Result<Self> {
        Ok(Self {
            terminate: unix::signal(SignalKind::terminate())?,
            interrupt: unix::signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Signal {
        select! {
            _ = self.terminate.recv() => Signal::SIGTERM,
            _ = self.interrupt.recv() => Signal::SIGINT,
        }
    }
}

fn host_and_process() -> String {
    let host = gethostname().map_or_else(|_| "unknown".to_owned(), |name| name.to_string_lossy().into_owned());
    format!("{host}-{}", process::id())
}
