//! `records`: the rows of a run, as they come.

use std::io;

use loader_proto::v1::StreamRecordsRequest;

use super::session::Session;
use crate::{
    Ending, Failure,
    cli::{Joined, RecordsArguments},
    output::{self, Format},
    render,
};

/// Prints the records of a run, from its first on until it has ended.
pub(super) async fn records(session: &Session, arguments: RecordsArguments) -> Result<Ending, Failure> {
    let daemon = session.daemon().await?;
    let run_id = daemon.run_id(&arguments.run.run).await?;
    let with_nodes = arguments.with.contains(&Joined::Nodes);
    let request = StreamRecordsRequest { run_id: run_id.clone(), with_nodes };
    let opened = daemon.api.clone().stream_records(request).await.map_err(|status| daemon.failure(status))?;
    let mut stream = opened.into_inner();
    if session.format == Format::Table {
        output::text(&csv_lines([render::columns(with_nodes)])?)?;
    }
    while let Some(message) = stream.message().await.map_err(|status| daemon.failure(status))? {
        match session.format {
            Format::Json => output::line(&message)?,
            Format::Table if message.cut_off_bytes > 0 => {
                let cut_off_bytes = message.cut_off_bytes;
                output::note(&format!("a crash cut the last record off, of which {cut_off_bytes} bytes are left"));
            }
            Format::Table if message.records.is_empty() => {}
            Format::Table => {
                let nodes = message.nodes.into_iter().map(Some).chain(std::iter::repeat(None));
                let rows = message.records.into_iter().zip(nodes);
                output::text(&csv_lines(rows.map(|(record, node)| render::cells(&run_id, record, node)))?)?;
            }
        }
    }
    Ok(Ending::Done)
}

fn csv_lines(rows: impl IntoIterator<Item = Vec<String>>) -> io::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row)?;
    }
    let written = writer.into_inner().map_err(|error| error.into_error())?;
    String::from_utf8(written).map_err(io::Error::other)
}
