//! The standard metrics of a process, read from `/proc` at each scrape.

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

/// What was read from `/proc` about this process.
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
        // Without `/proc` the series are absent; zeros would be wrong.
        let Ok(figures) = Figures::read() else { return Ok(()) };
        let (out, bytes, seconds) = (&mut encoder, Some(&Unit::Bytes), Some(&Unit::Seconds));
        put(out, "cpu", "Time on processors", seconds, &ConstCounter::new(figures.cpu_seconds))?;
        put(out, "resident_memory", "Memory in use", bytes, &gauge(figures.resident_bytes))?;
        put(out, "virtual_memory", "Memory that is mapped", bytes, &gauge(figures.virtual_bytes))?;
        put(out, "threads", "Threads", None, &ConstGauge::new(figures.threads))?;
        put(out, "open_fds", "Open files", None, &gauge(figures.open_files))?;
        if let Some(max) = figures.max_files {
            put(out, "max_fds", "Most files that may be open", None, &gauge(max))?;
        }
        put(out, "start_time", "Start, as Unix time", seconds, &ConstGauge::new(figures.start_unix_seconds))
    }
}

fn put(
    out: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    metric: &impl EncodeMetric,
) -> Result<(), fmt::Error> {
    metric.encode(out.encode_descriptor(&format!("process_{name}"), help, unit, metric.metric_type())?)
}

fn gauge(value: u64) -> ConstGauge<i64> {
    ConstGauge::new(crate::units::to_i64(value))
}
