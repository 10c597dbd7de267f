//! The usual metrics of a process, read from `/proc` when they are asked for.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};

/// The metrics of this process.
#[derive(Debug)]
pub(super) struct Process;

/// What `/proc` says.
struct Figures {
    cpu_seconds: f64,
    resident_bytes: u64,
    virtual_bytes: u64,
    threads: i64,
    open_files: u64,
    max_files: Option<u64>,
    start_unix_seconds: f64,
}

impl Figures {
    fn read() -> procfs::ProcResult<Self> {
        let process = procfs::process::Process::myself()?;
        let stat = process.stat()?;
        let ticks = procfs::ticks_per_second() as f64;
        let limit = process.limits()?.max_open_files.soft_limit;
        let booted = procfs::boot_time_secs()? as f64;
        Ok(Self {
            cpu_seconds: (stat.utime + stat.stime) as f64 / ticks,
            resident_bytes: stat.rss * procfs::page_size(),
            virtual_bytes: stat.vsize,
            threads: stat.num_threads,
            open_files: process.fd_count()? as u64,
            max_files: match limit {
                procfs::process::LimitValue::Value(files) => Some(files),
                procfs::process::LimitValue::Unlimited => None,
            },
            start_unix_seconds: booted + stat.starttime as f64 / ticks,
        })
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        // Where `/proc` can't be read there are no figures; zeros would be lies.
        let Ok(figures) = Figures::read() else { return Ok(()) };
        let (bytes, seconds) = (Unit::Bytes, Unit::Seconds);
        let mut put = |name: &str, help: &str, unit: Option<&Unit>, metric: &dyn Put| {
            metric.put(&mut encoder, &format!("process_{name}"), help, unit)
        };
        put("cpu", "Time on processors", Some(&seconds), &ConstCounter::new(figures.cpu_seconds))?;
        put("resident_memory", "Memory in use", Some(&bytes), &gauge(figures.resident_bytes))?;
        put("virtual_memory", "Memory that is mapped", Some(&bytes), &gauge(figures.virtual_bytes))?;
        put("threads", "Threads", None, &ConstGauge::new(figures.threads))?;
        put("open_fds", "Open files", None, &gauge(figures.open_files))?;
        if let Some(max) = figures.max_files {
            put("max_fds", "Most files that may be open", None, &gauge(max))?;
        }
        let start = ConstGauge::new(figures.start_unix_seconds);
        put("start_time", "Start, as Unix time", Some(&seconds), &start)
    }
}

/// A metric of any type, so that one list can name them all.
trait Put {
    fn put(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
    ) -> Result<(), fmt::Error>;
}

impl<M: EncodeMetric> Put for M {
    fn put(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
    ) -> Result<(), fmt::Error> {
        self.encode(encoder.encode_descriptor(name, help, unit, self.metric_type())?)
    }
}

fn gauge(value: u64) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX))
}
