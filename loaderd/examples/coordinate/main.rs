//! What it costs to make one result of the records of many workers, in virtual time. For `scripts/bench`.
//!
//! usage: coordinate DIRECTORY WORKERS RATE SECONDS BEHIND UNIT    prints figures as JSON
//!
//! Simulated workers send their shares of a plan of RATE invocations a second for SECONDS. Its slots are minutes or seconds, as UNIT
//! says; worker 0 is BEHIND seconds behind the others. They are a process of their own, which draws what became of each invocation,
//! encodes it as workers do, and waits for nothing but this one: the coordinator's decoder, merge and recorder, which are
//! measured. So a batch comes as soon as it is wanted. Connections (HTTP/2, TLS) are left out.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

mod coordinator;
mod sent;

use std::{io::Write as _, path::Path, sync::Arc};

use anyhow::Context as _;
use loader_proto::v1;
use loader_trace::{Counts, Load, MemoryProfile, RuntimeProfile, Trace, TraceFunction};
use loaderd::{
    plan::{self, Plan, Unit},
    spec::{Defaults, Violation},
};

const USAGE: &str = "usage: coordinate DIRECTORY WORKERS RATE SECONDS BEHIND UNIT";
const FUNCTIONS: u32 = 1000;

/// What is simulated.
struct Simulation {
    workers: u16,
    rate: u32,
    seconds: u32,
    /// How far worker 0 is behind the others, in seconds.
    behind: u32,
    unit: Unit,
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [directory, numbers @ .., unit] = &*arguments else { anyhow::bail!(USAGE) };
    let [workers, rate, seconds, behind] = numbers else { anyhow::bail!(USAGE) };
    let unit = match unit.as_str() {
        "minute" => Unit::Minute,
        "second" => Unit::Second,
        _ => anyhow::bail!(USAGE),
    };
    let (rate, seconds, behind) = (rate.parse()?, seconds.parse()?, behind.parse()?);
    let simulation = Simulation { workers: workers.parse()?, rate, seconds, behind, unit };
    if directory == "-" {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        sent::send(&simulation, &mut out)?;
        return Ok(out.flush()?);
    }
    println!("{}", coordinator::measure(&simulation, Path::new(directory), &arguments[1..])?);
    Ok(())
}

impl Simulation {
    /// The plan, which both sides make: a tenth of all is one function's, as in traces, and the others are alike.
    fn plan(&self) -> anyhow::Result<Box<dyn Plan>> {
        let length = u32::try_from(self.unit.as_nanos() / 1_000_000_000)?;
        let all = self.rate * length;
        let function = |number: u32| {
            let count = if number == 0 { all / 10 } else { (all - all / 10) / (FUNCTIONS - 1) };
            Ok(TraceFunction {
                id: format!("function-{number}"),
                owner: String::new(),
                app: String::new(),
                trigger: None,
                load: Load::Counts(Counts::new(&vec![count; (self.seconds / length) as usize])),
                runtime: Some(RuntimeProfile::from_millis([1.0, 2.0, 5.0, 20.0, 80.0, 300.0, 900.0])?),
                memory: Some(MemoryProfile::constant(170)),
            })
        };
        let functions = (0..FUNCTIONS).map(function).collect::<anyhow::Result<_>>()?;
        let (name, unit) = match self.unit {
            Unit::Minute => ("minute", std::time::Duration::from_mins(1)),
            Unit::Second => ("second", std::time::Duration::from_secs(1)),
        };
        let trace = Trace { functions, units: (self.seconds / length) as usize, unit };
        let source = v1::trace_mode::Source::Path("/made".to_owned());
        let mode = v1::TraceMode { source: Some(source), granularity: name.to_owned(), ..v1::TraceMode::default() };
        let message = v1::RunSpec { mode: Some(v1::run_spec::Mode::Trace(mode)), ..v1::RunSpec::default() };
        let failed = |violations: Vec<Violation>| anyhow::anyhow!("{violations:?}");
        let request = plan::validate(&message, &Defaults { platform: "local".to_owned() }).map_err(failed)?;
        request.plan(Some(Arc::new(trace))).map_err(failed).context("the plan")
    }
}
