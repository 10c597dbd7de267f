//! The program `trace-func`: arguments, logging, build, wait for a signal, drain, exit code.
//!
//! Exit codes: 0 after a drain; 1 when serving failed; 2 when a flag, a variable or the address is invalid; 128 plus
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
    behaviour::RuntimeUse,
    calibrate::calibrate,
    cli::{Arguments, CalibrateArguments, Command, Config, Kind},
    clock,
    consumer::Consumer,
    executor::{Function, Work},
    hello::Hello,
    instance::Instance,
    memory::{self, Memory, SystemLimits},
    parent,
    saturate::saturate,
    serve::{self, MAX_CONCURRENT, Service},
    spin,
};

const USAGE: u8 = 2;
const FAILURE: u8 = 1;

/// Enough for the work, whose calls are shallow; there may be thousands of threads.
const THREAD_STACK_BYTES: usize = 256 << 10;

/// An error, and its exit code.
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
            // Help, the version, or a bad flag; an error of printing it cannot be reported either.
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
    let Arguments { command, serve } = arguments;
    if let Some(Command::Calibrate(arguments)) = command {
        return calibrated(&arguments);
    }
    let config = Config::new(serve, |name| env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
        .map_err(failure(USAGE))?;
    if let Some(expected) = config.die_with_parent {
        parent::die_with(expected.map_or(parent, Pid::from_raw)).map_err(failure(FAILURE))?;
    }
    if let RuntimeUse::Iterations(per_ms) = config.behaviour.runtime {
        log::warn!("ITERATIONS_MULTIPLIER is set: {per_ms} iterations for each millisecond, whatever time they take");
    }
    let runtime = runtime().map_err(failure(FAILURE))?;
    let code = runtime.block_on(until_signalled(&config, started));
    // After a drain no thread is left; after a second signal there is no waiting for any.
    runtime.shutdown_background();
    code
}

fn calibrated(arguments: &CalibrateArguments) -> Result<ExitCode, Failure> {
    let found = runtime().map_err(failure(FAILURE))?.block_on(calibrate(&arguments.times, arguments.runs));
    let found = found.map_err(failure(FAILURE))?;
    let text = if arguments.json { found.json() } else { found.table() };
    io::stdout().write_all(text.as_bytes()).map_err(failure(FAILURE))?;
    Ok(ExitCode::SUCCESS)
}

fn service(config: &Config, started: Duration, threads: &TaskTracker) -> Result<Service, Failure> {
    let id = config.instance_id.clone().unwrap_or_else(host_and_process);
    let instance = Instance::new(&id, started).map_err(failure(USAGE))?;
    let work = match config.kind {
        Kind::Hello => return Ok(Service::Hello(Hello::new(instance))),
        Kind::Empty => Work::Empty { memory_bytes: memory::resident_bytes().map_err(failure(FAILURE))? },
        Kind::Trace | Kind::Timed | Kind::Wimpy | Kind::Saturate => {
            let memory = Memory::new(SystemLimits::of_this_process()).at_most(config.max_memory_mib);
            let memory = if config.fresh_memory { memory.fresh() } else { memory };
            Work::Consume(Consumer::new(memory, config.behaviour, config.max_runtime, threads.clone()))
        }
    };
    Ok(Service::Function(Function::new(instance, work)))
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

/// Does what is configured until it has ended, which a signal makes it do.
async fn until_signalled(config: &Config, started: Duration) -> Result<ExitCode, Failure> {
    let mut signals = Signals::install().map_err(failure(FAILURE))?;
    let stop = CancellationToken::new();
    let working = work(config, started, stop.clone());
    pin!(working);
    loop {
        select! {
            ended = &mut working => return ended.map(|()| ExitCode::SUCCESS),
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

async fn work(config: &Config, started: Duration, stop: CancellationToken) -> Result<(), Failure> {
    if config.kind == Kind::Saturate {
        let all =
            || std::thread::available_parallelism().map_or(1, |count| u16::try_from(count.get()).unwrap_or(u16::MAX));
        return saturate(config.threads.unwrap_or_else(all), config.duration, stop).await.map_err(failure(FAILURE));
    }
    let threads = TaskTracker::new();
    let service = service(config, started, &threads)?;
    if !config.cold_start.is_zero() {
        let cold = tokio::task::spawn_blocking({
            let (deadline, stop) = (clock::now() + config.cold_start, stop.clone());
            move || spin::spin_until(deadline, clock::now, || stop.is_cancelled())
        });
        match cold.await.map_err(failure(FAILURE))? {
            Some(_) => {}
            // A signal came before it could serve.
            None => return Ok(()),
        }
    }
    let (listener, bound) = serve::bind(config.address).await.map_err(failure(USAGE))?;
    announce(bound);
    serve::serve(listener, service, threads, stop).await.map_err(failure(FAILURE))
}

/// Prints on standard output where the server listens, for the process that started it. Connections are queued from the
/// binding on.
fn announce(bound: SocketAddr) {
    let mut stdout = io::stdout().lock();
    if let Err(error) = writeln!(stdout, "listening on {bound}").and_then(|()| stdout.flush()) {
        log::warn!("cannot write to standard output that the server listens on {bound}: {error}");
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
