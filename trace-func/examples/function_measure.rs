//! Measures a built function server from outside, for `scripts/bench`: `function_measure PROGRAM [--quick]`.
//!
//! Prints JSON lines, one a figure: `{"name": …, "value": …, "unit": …, "target": …}`; a target is an upper bound.

use std::{
    error::Error,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    time::Duration,
};

use loader_proto::{
    faas::{FaasRequest, executor_client::ExecutorClient},
    metadata,
};
use tonic::{Request, metadata::MetadataValue, transport::Channel};
use trace_func::clock;

type Failure = Box<dyn Error>;

const TIMES_MS: [u32; 5] = [1, 5, 10, 100, 1000];
const SIZES_MIB: [u32; 4] = [1, 16, 128, 512];

/// A server that is killed when this is dropped.
struct Server(Child, String);

impl Server {
    fn start(program: &str) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        command.args(["--host", "127.0.0.1", "--port", "0"]).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.take().ok_or("it has no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim_end().strip_prefix("listening on ").ok_or("it does not listen")?;
        let address = format!("http://{address}");
        Ok(Self(child, address))
    }

    async fn client(&self) -> Result<ExecutorClient<Channel>, Failure> {
        Ok(ExecutorClient::connect(self.1.clone()).await?)
    }

    /// Its resident memory in KiB.
    fn resident(&self) -> Result<f64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Wall and CPU time of one invocation, in microseconds.
async fn call(
    client: &mut ExecutorClient<Channel>,
    runtime: u32,
    memory: u32,
    clock: &'static str,
) -> Result<[f64; 2], Failure> {
    let mut request = Request::new(FaasRequest {
        message: String::new(),
        runtime_in_milli_sec: runtime,
        memory_in_mebi_bytes: memory,
    });
    request.metadata_mut().insert(metadata::CLOCK, MetadataValue::from_static(clock));
    let response = client.execute(request).await?;
    let cpu = response.metadata().get(metadata::CPU_TIME).ok_or("no CPU time")?.to_str()?.parse()?;
    Ok([f64::from(response.into_inner().duration_in_micro_sec), cpu])
}

fn report(name: &str, value: f64, unit: &str, target: Option<f64>) -> Result<(), Failure> {
    let target = target.map_or("null".to_owned(), |target| target.to_string());
    writeln!(
        std::io::stdout(),
        "{{\"name\": \"{name}\", \"value\": {value:.3}, \"unit\": \"{unit}\", \"target\": {target}}}"
    )?;
    Ok(())
}

/// The value that a share of them does not exceed.
fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the length of a list")]
    let rank = (share * values.len() as f64).ceil() as usize;
    values.get(rank.max(1) - 1).copied().unwrap_or_default()
}

/// Requested against actual times, under the `load` that runs on the machine meanwhile.
async fn times(program: &str, load: &str, quick: bool) -> Result<(), Failure> {
    let server = Server::start(program)?;
    let mut client = server.client().await?;
    for millis in TIMES_MS {
        let asked = f64::from(millis) * 1e3;
        let budget_ms = if quick { 1000 } else { 10_000 };
        let runs = (budget_ms / millis).clamp(5, 300);
        for (index, clock) in ["wall", "cpu"].into_iter().enumerate() {
            let mut errors = Vec::new();
            for _ in 0..runs {
                errors.push((call(&mut client, millis, 0, clock).await?[index] - asked).abs());
            }
            let target = match clock {
                "cpu" => Some(asked / 100.0),
                _ if load == "idle" => Some((asked / 200.0).max(200.0)),
                _ => None,
            };
            report(&format!("{clock} error p99 at {millis} ms, {load}"), quantile(errors, 0.99), "µs", target)?;
        }
    }
    Ok(())
}

async fn sizes(program: &str) -> Result<(), Failure> {
    for mib in SIZES_MIB {
        let server = Server::start(program)?;
        let mut client = server.client().await?;
        call(&mut client, 0, 0, "wall").await?;
        let idle = server.resident()?;
        if mib == SIZES_MIB[0] {
            report("resident memory, idle", idle / 1024.0, "MiB", Some(4.0))?;
        }
        call(&mut client, 0, mib, "wall").await?;
        let held = (server.resident()? - idle) / 1024.0;
        let asked = f64::from(mib);
        report(
            &format!("memory error at {mib} MiB, above idle"),
            (held - asked).abs(),
            "MiB",
            Some(2.0 + asked / 50.0),
        )?;
    }
    Ok(())
}

async fn starts(program: &str, quick: bool) -> Result<(), Failure> {
    let mut took = Vec::new();
    for _ in 0..if quick { 20 } else { 100 } {
        let begun = clock::now();
        let server = Server::start(program)?;
        call(&mut server.client().await?, 0, 0, "wall").await?;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    report("from spawn to first reply, p50", quantile(took, 0.5), "ms", Some(3.0))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next().ok_or("which program?")?;
    let quick = arguments.next().is_some();
    times(&program, "idle", quick).await?;
    {
        let mut hogs = Command::new(&program);
        let _hogs = Server(hogs.args(["--kind", "saturate"]).spawn()?, String::new());
        tokio::time::sleep(Duration::from_millis(200)).await;
        times(&program, "with a hog on each core", quick).await?;
    }
    sizes(&program).await?;
    starts(&program, quick).await
}
