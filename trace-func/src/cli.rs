//! Flags and environment variables, and the configuration made of them. Touches neither the network nor the system.

mod variables;

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::behaviour::{Behaviour, MemoryUse, RuntimeClock, RuntimeUse};
use variables::Variables;
pub use variables::{VariableErrors, VariableFault};

const DEFAULT_PORT: u16 = 8080;
/// The variables with the port; the first that is set counts.
const PORT_VARIABLES: [&str; 2] = ["PORT", "FUNC_PORT_ENV"];
/// The variables that name the instance; the first that is set counts. In a pod both are its name.
const INSTANCE_VARIABLES: [&str; 2] = ["POD_NAME", "HOSTNAME"];

/// The environment variables, for `--help`.
const VARIABLES: &str = "\
Environment variables (flags win; empty ones count as not set):
  FUNC_TYPE_ENV            kind
  PORT, FUNC_PORT_ENV      port
  POD_NAME, HOSTNAME       name of the instance
  FUNC_CLOCK               wall or cpu
  MAX_RUNTIME, MAX_MEMORY  limits of what an invocation may ask for, such as 90s; MiB
  COLD_START_BUSY_LOOP_MS  milliseconds to spin before listening
  IO_PERCENTAGE            share of the run time that is spent waiting instead, 0 to 100
  ITERATIONS_MULTIPLIER    of old manifests: hundreds of square roots for each requested millisecond, whatever time
                           they take, as InVitro counts them

One port serves gRPC and plain HTTP/1.1 and HTTP/2, in the form of InVitro's HTTP functions: headers workload (trace or
empty), function, requested_cpu (ms) and requested_memory (MiB); answers 200 with JSON, 400 for invalid headers,
413 for a body above a MiB, 507 with FAILURE - mem_alloc for memory that is not available.

Exit codes: 0 after a drain; 1 when serving failed; 2 when a flag, a variable or the address is invalid.";

/// What the function does with an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Kind {
    /// Consumes the run time and the memory that the invocation asks for
    #[default]
    Trace,
    /// Answers at once
    Empty,
    /// Watches the clock until the run time is over, and takes half of the memory
    Timed,
    /// Sleeps, and maps memory without touching it: only pretends to work
    Wimpy,
    /// Greets, as `helloworld.Greeter`
    Hello,
    /// Serves nothing: keeps processors busy
    Saturate,
}

/// The benchmark function: a gRPC server that consumes what each invocation asks for.
///
/// Once it accepts connections it prints one line, `listening on ADDRESS:PORT`, to standard output. SIGTERM and SIGINT
/// let running invocations finish; a second signal ends the process at once.
#[derive(Debug, Parser)]
#[command(version, after_help = VARIABLES, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to serve.
    #[command(flatten)]
    pub serve: ServeArguments,
}

/// What else the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Measure how exactly run times are consumed on this machine
    Calibrate(CalibrateArguments),
}

/// How to calibrate.
#[derive(Debug, Clone, Args)]
pub struct CalibrateArguments {
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// How many times each run time is measured; fewer for long ones
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub runs: u32,
    /// Run times to measure, in milliseconds
    #[arg(long, value_name = "MS", value_delimiter = ',', default_value = "1,2,5,10,20,50,100,200,500,1000")]
    pub times: Vec<u32>,
}

/// How to serve.
#[derive(Debug, Args)]
pub struct ServeArguments {
    /// What to do with an invocation [default: $FUNC_TYPE_ENV, else trace]
    #[arg(long, value_enum, ignore_case = true)]
    kind: Option<Kind>,
    /// Port to listen on; 0 picks a free one [default: $PORT, else $FUNC_PORT_ENV, else 8080]
    #[arg(long)]
    port: Option<u16>,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0")]
    host: IpAddr,
    /// Name of this instance in answers [default: $POD_NAME, else $HOSTNAME, else host name and process id]
    #[arg(long, value_name = "ID")]
    instance_id: Option<String>,
    /// Clock that counts run times, where a request names none: wall or cpu [default: $FUNC_CLOCK, else wall]
    #[arg(long, value_name = "CLOCK")]
    clock: Option<RuntimeClock>,
    /// Longest run time that an invocation may ask for, such as 90s or 15m [default: $MAX_RUNTIME, else no limit]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    max_runtime: Option<Duration>,
    /// Most memory that an invocation may ask for, in MiB [default: $MAX_MEMORY, else only the system's limits]
    #[arg(long, value_name = "MIB")]
    max_memory: Option<u32>,
    /// How long to be busy before listening, such as 750ms [default: $COLD_START_BUSY_LOOP_MS, else not at all]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    startup_busy_loop: Option<Duration>,
    /// Take fresh memory for each invocation, and keep none
    #[arg(long)]
    fresh_memory: bool,
    /// Kind saturate: threads to keep busy [default: one for each processor]
    #[arg(long, value_name = "N")]
    threads: Option<u16>,
    /// Kind saturate: how long [default: until a signal]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    duration: Option<Duration>,
    /// End when the parent dies; more exactly, its thread that started this process
    ///
    /// With the parent's process id, a parent that died before this process could check is noticed as well.
    #[arg(long, value_name = "PARENT-PID", num_args = 0..=1, require_equals = true)]
    die_with_parent: Option<Option<i32>>,
}

/// The configuration of the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What to do with an invocation.
    pub kind: Kind,
    /// How invocations use what they ask for.
    pub behaviour: Behaviour,
    /// The address and port to listen on.
    pub address: SocketAddr,
    /// The instance's name, where one was given.
    pub instance_id: Option<String>,
    /// The longest run time that an invocation may ask for.
    pub max_runtime: Option<Duration>,
    /// The most memory that an invocation may ask for, in MiB.
    pub max_memory_mib: Option<u32>,
    /// Whether each invocation has fresh memory.
    pub fresh_memory: bool,
    /// How long to spin before listening.
    pub cold_start: Duration,
    /// Kind saturate: how many threads; absent: one for each processor.
    pub threads: Option<u16>,
    /// Kind saturate: how long; absent: until a signal.
    pub duration: Option<Duration>,
    /// Whether to die with the parent, and the parent's process id, where it was given.
    pub die_with_parent: Option<Option<i32>>,
}

impl Config {
    /// The configuration from `arguments` and the variables of `environment`; arguments win.
    ///
    /// # Errors
    /// Every variable that has no valid value.
    pub fn new(
        arguments: ServeArguments,
        environment: impl Fn(&'static str) -> Option<String>,
    ) -> Result<Self, VariableErrors> {
        let mut variables = Variables::new(environment);
        let kind =
            variables.or(arguments.kind, &["FUNC_TYPE_ENV"], |text| Kind::from_str(text, true).map_err(|_| kinds()));
        let port =
            variables.or(arguments.port, &PORT_VARIABLES, |text| text.parse().map_err(|_| "not a port, 0 to 65535"));
        let clock = variables.or(arguments.clock, &["FUNC_CLOCK"], str::parse);
        let max_runtime = variables.or(arguments.max_runtime, &["MAX_RUNTIME"], humantime::parse_duration);
        let mib = |text: &str| text.parse().map_err(|_| "not a number of MiB");
        let max_memory_mib = variables.or(arguments.max_memory, &["MAX_MEMORY"], mib);
        let millis = |text: &str| {
            let millis = text.parse::<u32>().map_err(|_| "not a number of milliseconds")?;
            Ok::<_, &str>(Duration::from_millis(millis.into()))
        };
        let cold_start = variables.or(arguments.startup_busy_loop, &["COLD_START_BUSY_LOOP_MS"], millis);
        let io_percentage = variables.or(None, &["IO_PERCENTAGE"], percentage);
        let iterations = |text: &str| text.parse::<u32>().map_err(|_| "not a number of iterations");
        let iterations = variables.or(None, &["ITERATIONS_MULTIPLIER"], iterations);
        let instance_id = arguments.instance_id.or_else(|| variables.text(&INSTANCE_VARIABLES).map(|(_, value)| value));
        let kind = kind.unwrap_or_default();
        let (runtime, memory) = behaviour(kind, iterations);
        variables.finish(Self {
            kind,
            behaviour: Behaviour {
                runtime,
                memory,
                clock: clock.unwrap_or_default(),
                io_percentage: io_percentage.unwrap_or_default(),
            },
            address: SocketAddr::new(arguments.host, port.unwrap_or(DEFAULT_PORT)),
            instance_id,
            max_runtime,
            max_memory_mib,
            fresh_memory: arguments.fresh_memory,
            cold_start: cold_start.unwrap_or_default(),
            threads: arguments.threads,
            duration: arguments.duration,
            die_with_parent: arguments.die_with_parent,
        })
    }
}

/// What fills the run time and what is done with the memory, by kind.
fn behaviour(kind: Kind, iterations: Option<u32>) -> (RuntimeUse, MemoryUse) {
    match kind {
        Kind::Timed => (RuntimeUse::Watch, MemoryUse::HalfTouched),
        Kind::Wimpy => (RuntimeUse::Sleep, MemoryUse::Untouched),
        Kind::Trace | Kind::Empty | Kind::Hello | Kind::Saturate => {
            (iterations.map_or(RuntimeUse::Compute, RuntimeUse::Iterations), MemoryUse::Touched)
        }
    }
}

fn percentage(text: &str) -> Result<u8, &'static str> {
    text.parse().ok().filter(|percentage| *percentage <= 100).ok_or("not a percentage, 0 to 100")
}

fn kinds() -> String {
    let names: Vec<_> = Kind::value_variants().iter().filter_map(Kind::to_possible_value).collect();
    let names: Vec<_> = names.iter().map(|value| value.get_name()).collect();
    format!("not a kind of function: expected one of {}", names.join(", "))
}

#[cfg(test)]
mod tests;
