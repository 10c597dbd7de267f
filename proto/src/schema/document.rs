//! The list of all tables, and their documentation.

use super::{
    cluster::{AutoscalerSamples, NodeSamples, PodSamples},
    column::{Column, Schema},
    events::Events,
    functions::{ColdStarts, Functions, Scales},
    host::HostSamples,
    invocations::Invocations,
    slots::Slots,
    table::Table as _,
};

/// Every table of a run's directory, in the order of the documentation.
pub const TABLES: [Schema; 10] = [
    Invocations::SCHEMA,
    Slots::SCHEMA,
    Functions::SCHEMA,
    Scales::SCHEMA,
    ColdStarts::SCHEMA,
    NodeSamples::SCHEMA,
    PodSamples::SCHEMA,
    AutoscalerSamples::SCHEMA,
    HostSamples::SCHEMA,
    Events::SCHEMA,
];

/// The text above the tables.
const PREFACE: &str = "\
# Columns

<!-- Generated from the record schema, proto/src/schema. After a change there: cargo run -p loader-proto --example columns > docs/columns.md -->

The CSV files of a run's directory, column by column. All are UTF-8 with a header and `\\n` line ends; quoting follows RFC 4180.
Booleans are `true` and `false`. An absent value is an empty field. Find columns by name: later versions may add some at the end.
";

/// The tables of a run's directory in Markdown: what `docs/columns.md` holds.
pub fn markdown() -> String {
    let mut text = PREFACE.to_owned();
    for Schema { file, meaning, columns } in TABLES {
        text.push_str(&format!(
            "\n## {file}\n\n{meaning}\n\n| column | type | unit | meaning |\n| --- | --- | --- | --- |\n"
        ));
        columns.iter().for_each(|column| text.push_str(&row(column)));
    }
    text
}

fn row(column: &Column) -> String {
    let Column { name, kind, unit, meaning, absent } = column;
    let absent = absent.map(|absent| format!(" Absent {absent}.")).unwrap_or_default();
    let meaning = format!("{meaning}{absent}").replace('|', "\\|");
    format!("| `{name}` | {kind} | {unit} | {meaning} |\n")
}
