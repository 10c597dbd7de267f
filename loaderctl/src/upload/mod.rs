//! Uploads a trace to the daemon, which requests only the bytes that it lacks.
//!
//! ```text
//! ── manifest (names, sizes, SHA-256) ─▶     ◀─ wanted (name, offset) ──
//! ── data, 256 KiB a piece ────────────▶     ◀─ stored (id) ────────────
//! ```

mod files;

use std::io::SeekFrom;

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use loader_proto::v1::{
    self, TraceData, TraceOffset, TraceStored, UploadTraceRequest, UploadTraceResponse, upload_trace_request::Part,
    upload_trace_response::Answer,
};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _},
    sync::mpsc,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use files::PIECE;
pub(crate) use files::{Refused, TraceFiles};

use crate::{Failure, client::Daemon};

/// Chunks queued for the network.
const AHEAD: usize = 4;

/// Sends the files that the daemon lacks, and returns the trace's id.
///
/// # Errors
/// A file can't be read, or the daemon refuses.
pub(crate) async fn upload(daemon: &Daemon, files: TraceFiles) -> Result<String, Failure> {
    let (files, manifest) = files.manifest().await?;
    let bar = bar(&manifest);
    let (parts, queue) = mpsc::channel(AHEAD);
    // The queue is empty and open.
    let _sent = parts.send(UploadTraceRequest { part: Some(Part::Manifest(manifest)) }).await;
    let opened = daemon.api.clone().upload_trace(ReceiverStream::new(queue)).await;
    let mut answers = opened.map_err(|status| daemon.failure(status))?.into_inner();
    if let Answer::Wanted(wanted) = answer(daemon, &mut answers).await? {
        let total = bar.length().unwrap_or_default();
        let missing = wanted.files.iter().map(|wanted| files.size(&wanted.name).saturating_sub(wanted.offset)).sum();
        bar.set_position(total.saturating_sub(missing));
        for wanted in &wanted.files {
            if !send(&files, wanted, &parts, &bar).await? {
                // The daemon closed the stream; its response has the reason.
                break;
            }
        }
    } else {
        return Err(Failure::Answer("it stored a trace before requesting any files".to_owned()));
    }
    drop(parts);
    match answer(daemon, &mut answers).await? {
        Answer::Stored(TraceStored { trace_id, size: _ }) => Ok(trace_id),
        Answer::Wanted(_) => Err(Failure::Answer("it requested files twice".to_owned())),
    }
}

async fn answer(daemon: &Daemon, answers: &mut Streaming<UploadTraceResponse>) -> Result<Answer, Failure> {
    let message = answers.message().await.map_err(|status| daemon.failure(status))?;
    let answer = message.and_then(|message| message.answer);
    answer.ok_or_else(|| Failure::Answer("the upload ended without a response".to_owned()))
}

/// Sends one file from the requested offset; returns whether the stream is still open.
async fn send(
    files: &TraceFiles,
    wanted: &TraceOffset,
    parts: &mpsc::Sender<UploadTraceRequest>,
    bar: &ProgressBar,
) -> Result<bool, Failure> {
    let TraceOffset { name, offset } = wanted;
    let path = files
        .path(name)
        .ok_or_else(|| Failure::Answer(format!("it requested the file {name:?}, which the trace does not have")))?;
    let unreadable = |source| Failure::System { doing: format!("cannot read {}", path.display()), source };
    let mut file = File::open(&path).await.map_err(unreadable)?;
    file.seek(SeekFrom::Start(*offset)).await.map_err(unreadable)?;
    let mut offset = *offset;
    loop {
        let mut data = Vec::with_capacity(PIECE);
        let read = (&mut file).take(PIECE as u64).read_to_end(&mut data).await.map_err(unreadable)?;
        if read == 0 {
            return Ok(true);
        }
        let piece = TraceData { name: name.clone(), offset, data };
        if parts.send(UploadTraceRequest { part: Some(Part::Data(piece)) }).await.is_err() {
            return Ok(false);
        }
        offset += read as u64;
        bar.inc(read as u64);
    }
}

/// A progress bar on standard error, until it is dropped; invisible where that is not a terminal.
fn bar(manifest: &v1::TraceManifest) -> ProgressBar {
    let bar = ProgressBar::new(manifest.files.iter().map(|file| file.size).sum()).with_finish(ProgressFinish::AndClear);
    match ProgressStyle::with_template("uploading the trace [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec}") {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests;
