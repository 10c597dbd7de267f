//! Runs the function server of known behaviour by itself: prints `listening on HOST:PORT`, and writes what it saw as CSV when
//! its standard input ends.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    sync::Arc,
    thread,
    time::Duration,
};

use clap::{Parser, ValueEnum};
use loader_tests::server::{Behaviour, Fault, Refusal, Server, Service, write_csv};

/// A gRPC function server whose behaviour is exactly known.
#[derive(Debug, Parser)]
struct Arguments {
    /// Port on loopback; 0 for one of the system's choice
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Concurrent streams of a connection [no limit]
    #[arg(long)]
    streams: Option<u32>,
    /// Changes the limit of streams so many seconds after the start; repeatable
    #[arg(long, value_name = "SECONDS=N", value_parser = change)]
    then: Vec<(f64, u32)>,
    /// Answers so many seconds after the arrival
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0, conflicts_with_all = ["rate", "never", "bursts"])]
    delay: f64,
    /// One at a time, so many a second
    #[arg(long, value_name = "PER-SECOND", conflicts_with_all = ["never", "bursts"])]
    rate: Option<f64>,
    /// With --rate: requests in the queue at most
    #[arg(long, value_name = "N", requires = "rate")]
    bound: Option<usize>,
    /// With --bound: what the others get
    #[arg(long, value_enum, default_value_t = Error::ResourceExhausted)]
    refusal: Error,
    /// Never answers
    #[arg(long, conflicts_with = "bursts")]
    never: bool,
    /// Answers all at once, at the multiples of a period
    #[arg(long, value_name = "SECONDS")]
    bursts: Option<f64>,
    /// What happens at each connection's n-th request, see --after
    #[arg(long, value_enum, requires = "after")]
    fault: Option<Trouble>,
    /// The request at which the fault happens
    #[arg(long, value_name = "N", requires = "fault")]
    after: Option<usize>,
    /// With --fault goaway: so many of the latest requests are not answered
    #[arg(long, value_name = "N", default_value_t = 0)]
    below: u32,
    /// Where to write the requests, as CSV
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Error {
    ResourceExhausted,
    Unavailable,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Trouble {
    Close,
    Abort,
    ResetStream,
    Goaway,
    GoawayIdle,
}

fn change(text: &str) -> Result<(f64, u32), String> {
    let (seconds, limit) = text.split_once('=').ok_or("not SECONDS=N")?;
    let seconds = seconds.parse().map_err(|error| format!("{seconds}: {error}"))?;
    Ok((seconds, limit.parse().map_err(|error| format!("{limit}: {error}"))?))
}

impl Arguments {
    fn behaviour(&self) -> Behaviour {
        let refusal = match self.refusal {
            Error::ResourceExhausted => Refusal::ResourceExhausted,
            Error::Unavailable => Refusal::Unavailable,
        };
        let service = match (self.rate, self.bursts) {
            (Some(rate), _) => Service::Queue { rate, bound: self.bound.map(|bound| (bound, refusal)) },
            (None, Some(period)) => Service::Bursts(Duration::from_secs_f64(period)),
            (None, None) if self.never => Service::Never,
            (None, None) => Service::After(Duration::from_secs_f64(self.delay)),
        };
        let fault = self.fault.map(|fault| match fault {
            Trouble::Close => Fault::Close,
            Trouble::Abort => Fault::Abort,
            Trouble::ResetStream => Fault::ResetStream,
            Trouble::Goaway => Fault::GoAway { below: self.below },
            Trouble::GoawayIdle => Fault::GoAwayIdle,
        });
        Behaviour { streams: self.streams, service, fault: self.after.zip(fault) }
    }
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let server = Arc::new(Server::start_on(arguments.port, arguments.behaviour()));
    writeln!(io::stdout(), "listening on {}", server.address())?;
    for (after, limit) in arguments.then {
        let server = Arc::clone(&server);
        thread::spawn(move || {
            thread::sleep(Duration::from_secs_f64(after));
            server.limit_streams(limit);
        });
    }
    io::copy(&mut io::stdin(), &mut io::sink())?;
    match arguments.to {
        Some(file) => write_csv(&file, &server.requests()),
        None => Ok(()),
    }
}
