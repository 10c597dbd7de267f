//! What the coordinator does with it, each station on a thread of its own.

use std::{
    io::{BufReader, Read},
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::Context as _;
use loader_proto::worker::EventBatch;
use loaderd::{
    clock::Clock,
    dispatch::Phases,
    id::{RunId, WorkerIndex},
    metrics::Metrics,
    plan::Plan,
    record::{AskedArrivals, Event, Latencies, Progress, Recorder, RecorderSettings, ScaleHistory},
    workers::{DECODED, MOST_PENDING, Merge, WINDOW, wire::Decoder},
};
use nix::time::{ClockId, clock_gettime};
use prost::Message as _;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use crate::Simulation;

/// What the recorder's channel holds, as in a run.
const EVENTS: usize = 1 << 16;

/// What came over the wire.
#[derive(Default)]
struct Wire {
    batches: u64,
    /// Compressed.
    bytes: u64,
    /// Unpacked.
    raw_bytes: u64,
}

/// CPU time of this thread, in seconds.
fn thread_cpu() -> anyhow::Result<f64> {
    Ok(Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?).as_secs_f64())
}

/// Memory of this process at its highest, in MiB.
fn peak_mib() -> anyhow::Result<f64> {
    let peak = procfs::process::Process::myself()?.status()?.vmhwm.context("the kernel does not report it")?;
    Ok(peak as f64 / 1024.0)
}

/// Takes what the workers send, which have the same arguments; the figures as JSON.
pub(crate) fn measure(simulation: &Simulation, directory: &Path, arguments: &[String]) -> anyhow::Result<String> {
    let plan = simulation.plan()?;
    let decoder = Decoder::new(&*plan);
    let t0 = Clock.anchor();
    let recorder = Recorder::create(directory, settings(&*plan, t0), watch::channel(None).0)?;
    let idle_mib = peak_mib()?;
    let mut workers = Command::new(std::env::current_exe()?);
    let mut sender = workers.arg("-").args(arguments).stdout(Stdio::piped()).spawn()?;
    let from = BufReader::with_capacity(1 << 16, sender.stdout.take().context("it is piped")?);
    let begun = Clock.now();
    // Of each worker as many batches wait as may, as when the coordinator is behind.
    let (to_decoder, batches) = sync_channel(WINDOW * usize::from(simulation.workers));
    let (to_merge, decoded) = sync_channel(DECODED);
    let (to_recorder, events) = mpsc::channel(EVENTS + MOST_PENDING);
    let merge = Merge::new(simulation.workers.into(), plan.functions().len(), Phases::default());
    let reading = std::thread::spawn(move || read(from, &to_decoder));
    let decoding = std::thread::spawn(move || decode(decoder, t0.instant, batches, &to_merge));
    let merging = std::thread::spawn(move || merged(merge, decoded, &to_recorder));
    let recording = std::thread::spawn(move || {
        let recorded = recorder.run(events);
        recorded.error.map_or_else(thread_cpu, |error| Err(error.into()))
    });
    // The last first: why a station ends that others wait for is said by itself.
    let (record, merged) = (ended(recording), ended(merging));
    let (decode, wire) = (ended(decoding), ended(reading)?);
    let (decode, (rows, merge), record) = (decode?, merged?, record?);
    anyhow::ensure!(sender.wait()?.success(), "the workers broke");
    let seconds = begun.elapsed().as_secs_f64();
    let file = std::fs::metadata(directory.join("invocations.csv"))?.len();
    let figures = serde_json::json!({
        "rows": rows, "batches": wire.batches, "wire_bytes": wire.bytes, "raw_bytes": wire.raw_bytes,
        "file_bytes": file, "decode_cpu": decode, "merge_cpu": merge, "record_cpu": record, "seconds": seconds,
        "idle_mib": idle_mib, "peak_mib": peak_mib()?,
    });
    Ok(figures.to_string())
}

/// What a station gives when it is done.
fn ended<T>(station: JoinHandle<anyhow::Result<T>>) -> anyhow::Result<T> {
    station.join().map_err(|_| anyhow::anyhow!("a station broke"))?
}

/// Reads batches, which come with the index of their worker and their length.
fn read(mut from: impl Read, to: &SyncSender<(WorkerIndex, EventBatch)>) -> anyhow::Result<Wire> {
    let (mut wire, mut head) = (Wire::default(), [0; 8]);
    loop {
        match from.read_exact(&mut head) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(wire),
            read => read?,
        }
        let [worker, length] = [&head[..4], &head[4..]].map(|it| it.try_into().map_or(0, u32::from_le_bytes));
        let mut message = vec![0; length as usize];
        from.read_exact(&mut message)?;
        let batch = EventBatch::decode(&*message)?;
        wire.batches += 1;
        wire.bytes += u64::from(length);
        wire.raw_bytes += u64::from(batch.length);
        to.send((WorkerIndex(u16::try_from(worker)?), batch)).context("the decoder ended")?;
    }
}

/// Decodes batches; the CPU time of it.
fn decode(
    decoder: Decoder,
    t0: Instant,
    batches: Receiver<(WorkerIndex, EventBatch)>,
    to: &SyncSender<(WorkerIndex, Vec<Event>)>,
) -> anyhow::Result<f64> {
    for (worker, batch) in batches {
        to.send((worker, decoder.decode(&batch, t0)?)).context("the merge ended")?;
    }
    thread_cpu()
}

/// Merges the workers' events; the number of rows, and the CPU time of it.
fn merged(
    mut merge: Merge,
    decoded: Receiver<(WorkerIndex, Vec<Event>)>,
    to: &mpsc::Sender<Event>,
) -> anyhow::Result<(u64, f64)> {
    let (mut rows, mut out) = (0, Vec::new());
    for (worker, events) in decoded {
        events.into_iter().try_for_each(|event| merge.take(worker, event, &mut out))?;
        for event in out.drain(..) {
            rows += u64::from(matches!(event, Event::Row(_)));
            // As each second in a run.
            let is_due = matches!(event, Event::Opened { .. });
            to.blocking_send(event).context("the recorder ended")?;
            if is_due {
                to.blocking_send(Event::Tick).context("the recorder ended")?;
            }
        }
    }
    Ok((rows, thread_cpu()?))
}

fn settings(plan: &dyn Plan, t0: loaderd::clock::Anchor) -> RecorderSettings {
    let functions = plan.functions();
    RecorderSettings {
        aborts: None,
        run: RunId::new(0, 0),
        functions: functions.iter().map(|function| function.name.clone()).collect(),
        t0,
        lag_bound: Duration::from_millis(10),
        slo: None,
        is_timed: true,
        arrivals: AskedArrivals::Uniform,
        scales: Arc::new(ScaleHistory::new(functions.len(), Duration::from_mins(1))),
        spans: None,
        latencies: Latencies::default(),
        collector: plan.collector(),
        metrics: Metrics::new(),
        progress: watch::channel(Progress::default()).0,
        clock: Clock,
    }
}
