//! `records`: the rows of a run, as they come.

use std::io::{self, IsTerminal as _};

use loader_proto::{v1::StreamRecordsRequest, visible::visible};
use loader_report::spreadsheet;

use super::session::Session;
use crate::{
    Ending, Failure,
    cli::{Cells, Joined, RecordsArguments},
    output::{self, Format},
    render,
};

/// Prints the records of a run, from its first on until it has ended.
pub(super) async fn records(session: &Session, arguments: RecordsArguments) -> Result<Ending, Failure> {
    let daemon = session.daemon().await?;
    let RecordsArguments { run, with, cells } = arguments;
    let run_id = daemon.run_id(&run.run).await?;
    let with_nodes = with.contains(&Joined::Nodes);
    let is_seen = io::stdout().is_terminal();
    let request = StreamRecordsRequest { run_id: run_id.clone(), with_nodes };
    let opened = daemon.api.clone().stream_records(request).await.map_err(|status| daemon.failure(status))?;
    let mut stream = opened.into_inner();
    if session.format == Format::Table {
        output::data(&csv_lines([render::columns(with_nodes)])?)?;
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
                let rows = rows.map(|(record, node)| render::cells(&run_id, record, node));
                let text = if is_seen { csv_lines(rows.map(shown))? } else { csv_lines(rows)? };
                output::data(&if cells == Cells::Safe { safe(&text) } else { text })?;
            }
        }
    }
    Ok(Ending::Done)
}

/// A row for a terminal, which would act on what is in it.
fn shown(row: Vec<String>) -> Vec<String> {
    row.into_iter().map(|cell| visible(&cell).into_owned()).collect()
}

/// Rows of which a spreadsheet runs no cell.
fn safe(rows: &str) -> String {
    let mut cells = spreadsheet::Cells::guard();
    let mut bytes = cells.push(rows.as_bytes());
    bytes.extend(cells.finish());
    // It was text, and only quotes were added.
    String::from_utf8_lossy(&bytes).into_owned()
}

fn csv_lines(rows: impl IntoIterator<Item = Vec<String>>) -> io::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row)?;
    }
    let written = writer.into_inner().map_err(|error| error.into_error())?;
    String::from_utf8(written).map_err(io::Error::other)
}
