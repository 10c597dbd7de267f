//! Flags and environment variables, and what they amount to. Touches neither the network nor the system.

use std::{
    fmt::Display,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use clap::{Parser, ValueEnum};

const DEFAULT_PORT: u16 = 8080;
/// The variables that say the port; the first that is set counts.
const PORT_VARIABLES: [&str; 2] = ["PORT", "FUNC_PORT_ENV"];
/// The variable that says the kind.
const KIND_VARIABLE: &str = "FUNC_TYPE_ENV";
/// The variables that name the instance; the first that is set counts. In a pod both are its name.
const INSTANCE_VARIABLES: [&str; 2] = ["POD_NAME", "HOSTNAME"];

/// What the function does with an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Kind {
    /// Consumes the run time and the memory that the invocation asks for
    #[default]
    Trace,
    /// Answers at once
    Empty,
}

/// The benchmark function: a gRPC server that consumes what each invocation asks for.
///
/// Once it accepts connections it prints one line, `listening on ADDRESS:PORT`, to standard output. SIGTERM and SIGINT
/// let running invocations finish; a second signal ends the process at once. Empty environment variables count as not
/// set.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Arguments {
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
    /// Longest run time that an invocation may ask for, such as 90s or 15m [default: no bound]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    max_runtime: Option<Duration>,
    /// End when the parent dies; more exactly, its thread that started this process
    ///
    /// With the parent's process id, a parent that died before this process could look is noticed as well.
    #[arg(long, value_name = "PARENT-PID", num_args = 0..=1, require_equals = true)]
    die_with_parent: Option<Option<i32>>,
}

/// What the process shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What to do with an invocation.
    pub kind: Kind,
    /// Where to listen.
    pub address: SocketAddr,
    /// The instance's name, where one was given.
    pub instance_id: Option<String>,
    /// The longest run time that an invocation may ask for.
    pub max_runtime: Option<Duration>,
    /// Whether to die with the parent, and which one, where that was said.
    pub die_with_parent: Option<Option<i32>>,
}

/// An environment variable that can't be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("environment variable {variable}={value:?}: {reason}")]
pub struct VariableError {
    variable: &'static str,
    value: String,
    reason: String,
}

impl Config {
    /// What `arguments` and the variables that `environment` knows amount to; arguments win.
    pub fn new(
        arguments: Arguments,
        environment: impl Fn(&'static str) -> Option<String>,
    ) -> Result<Self, VariableError> {
        let first = |variables: &[&'static str]| variables.iter().find_map(|name| set(name, &environment));
        let Arguments { kind, port, host, instance_id, max_runtime, die_with_parent } = arguments;
        let kind = match (kind, first(&[KIND_VARIABLE])) {
            (Some(kind), _) => kind,
            (None, Some(variable)) => variable.parse(|text| Kind::from_str(text, true).map_err(|_| kinds()))?,
            (None, None) => Kind::default(),
        };
        let port = match (port, first(&PORT_VARIABLES)) {
            (Some(port), _) => port,
            (None, Some(variable)) => variable.parse(|text| text.parse().map_err(|_| "not a port, 0 to 65535"))?,
            (None, None) => DEFAULT_PORT,
        };
        let instance_id = instance_id.or_else(|| first(&INSTANCE_VARIABLES).map(|variable| variable.value));
        Ok(Self { kind, address: SocketAddr::new(host, port), instance_id, max_runtime, die_with_parent })
    }
}

/// A variable that is set, and not to the empty text.
struct Variable {
    name: &'static str,
    value: String,
}

impl Variable {
    fn parse<T, E: Display>(self, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, VariableError> {
        let reason = match parse(&self.value) {
            Ok(parsed) => return Ok(parsed),
            Err(reason) => reason.to_string(),
        };
        Err(VariableError { variable: self.name, value: self.value, reason })
    }
}

fn set(name: &'static str, environment: impl Fn(&'static str) -> Option<String>) -> Option<Variable> {
    let value = environment(name).filter(|value| !value.is_empty())?;
    Some(Variable { name, value })
}

fn kinds() -> String {
    let names: Vec<_> = Kind::value_variants().iter().filter_map(Kind::to_possible_value).collect();
    let names: Vec<_> = names.iter().map(|value| value.get_name()).collect();
    format!("not a kind of function; there are: {}", names.join(", "))
}

#[cfg(test)]
mod tests;
