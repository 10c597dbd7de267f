use std::{borrow::Cow, collections::BTreeSet, path::Path};

use prost::Message as _;
use prost_types::{FileDescriptorSet, field_descriptor_proto::Type};

use super::*;
use crate::v1;

fn read<R: Row>(header: &[&str], fields: &[&str]) -> Result<R, FieldError> {
    Positions::<R::Table>::of(header.iter().copied()).read(|place| fields.get(place).copied())
}

fn invocation() -> InvocationRecord<'static> {
    InvocationRecord {
        run_id: "r".into(),
        invocation_id: "sec0.inv0".into(),
        function: "f".into(),
        phase: "measure".into(),
        slot: 3,
        due_unix_us: -5,
        sent_unix_us: Some(7),
        dispatch_lag_us: Some(12),
        response_us: Some(u64::MAX),
        requested_runtime_us: 1000,
        requested_memory_kib: 1024,
        actual_memory_kib: Some(0),
        status: "ok".into(),
        instance: "f-1".into(),
        cold_start: Some(false),
        saturated: true,
        ..InvocationRecord::default()
    }
}

#[test]
fn a_row_is_written_and_read_by_its_columns() {
    let row = invocation();
    let fields = row.fields();
    // Columns are only added at the end.
    let first = "r,sec0.inv0,f,measure,3,,-5,7,12,,18446744073709551615,1000,,1024,0,ok,,f-1,false,,true";
    assert!(fields.join(",").starts_with(first), "{fields:?}");
    let mut header: Vec<_> = Invocations::SCHEMA.header().collect();
    let mut fields: Vec<_> = fields.iter().map(String::as_str).collect();
    assert_eq!(read(&header, &fields), Ok(row.clone()));
    // In another order, and with a column of a later version.
    header.insert(0, "later");
    fields.insert(0, "x");
    header.reverse();
    fields.reverse();
    assert_eq!(read(&header, &fields), Ok(row));
}

#[test]
fn a_column_that_is_not_there_is_absent_or_an_error() {
    let header: Vec<_> = Scales::SCHEMA.header().collect();
    let values = ["5", "f", "1", "2", "3", "4", "5", "6", "watch"];
    let without = |name: &str| {
        let kept = header.iter().zip(values).filter(|(column, _)| **column != name);
        let (header, values): (Vec<_>, Vec<_>) = kept.map(|(column, value)| (*column, value)).unzip();
        read::<ScaleRecord<'_>>(&header, &values)
    };
    let whole = without("").expect("reads");
    assert_eq!(whole.queue, Some(6));
    assert_eq!(without("queue"), Ok(ScaleRecord { queue: None, ..whole.clone() }));
    assert_eq!(without("function"), Ok(ScaleRecord { function: "".into(), ..whole }));
    assert_eq!(without("desired"), Err(FieldError::Missing { column: "desired" }));
    let error = read::<ScaleRecord<'_>>(&["unix_us"], &["soon"]).expect_err("is no number");
    assert_eq!(error.to_string(), r#"column unix_us: "soon" is not of type integer"#);
}

#[test]
fn numbers_have_the_digits_that_their_columns_have() {
    let mut scratch = Scratch::default();
    let rounded =
        [0.0, 512.0, 1_261.805_354, 11.12, 0.0004].map(|number| Rounded::<3>(number).text(&mut scratch).to_owned());
    assert_eq!(rounded, ["0", "512", "1261.805", "11.12", "0"]);
    let fixed = [0.5, 0.0].map(|number| Fixed::<4>(number).text(&mut scratch).to_owned());
    assert_eq!(fixed, ["0.5000", "0.0000"]);
    assert_eq!(Fixed::<0>(12_345.6).text(&mut scratch), "12346");
    assert_eq!(0.2_f64.text(&mut scratch), "0.2");
    assert_eq!(Option::<Fixed<4>>::parse("0.25"), Some(Some(Fixed(0.25))));
}

#[test]
fn text_is_not_copied_when_it_is_written() {
    let name = String::from("f");
    let row = InvocationRecord { function: Cow::Borrowed(&name), ..InvocationRecord::default() };
    let mut addresses = Vec::new();
    let visited = row.visit(|field| {
        addresses.push(field.as_ptr());
        Ok::<_, ()>(())
    });
    assert_eq!((visited, addresses[2]), (Ok(()), name.as_ptr()));
}

#[test]
fn columns_say_what_they_are() {
    let files: BTreeSet<_> = TABLES.iter().map(|table| table.file).collect();
    assert_eq!(files.len(), TABLES.len());
    for Schema { file, meaning, columns } in TABLES {
        assert!(meaning.ends_with('.'), "{file}");
        let names: BTreeSet<_> = columns.iter().map(|column| column.name).collect();
        assert_eq!(names.len(), columns.len(), "{file}: {names:?}");
        for Column { name, unit, meaning, absent, .. } in columns {
            assert!(meaning.ends_with('.') && !absent.is_some_and(|absent| absent.ends_with('.')), "{file}: {name}");
            let named = [
                ("unix_us", Unit::UnixMicros),
                ("_us", Unit::Micros),
                ("_bytes", Unit::Bytes),
                ("_kib", Unit::Kib),
                ("_mib", Unit::Mib),
                ("_millicores", Unit::Millicores),
                ("_ratio", Unit::Ratio),
                ("rps", Unit::PerSecond),
            ];
            let named = named.iter().find(|(suffix, _)| name.ends_with(suffix)).map_or(Unit::None, |(_, unit)| *unit);
            assert_eq!(*unit, named, "{file}: {name}");
        }
    }
}

#[test]
fn optional_columns_say_when_they_are_absent() {
    fn check<R: Row + Default>() {
        for (column, field) in R::Table::SCHEMA.columns.iter().zip(R::default().fields()) {
            let optional = field.is_empty() && column.kind != Kind::Text;
            let documented = column.absent.is_some();
            assert!(documented || !optional, "{}: {}", R::Table::SCHEMA.file, column.name);
            assert!(!documented || optional || column.kind == Kind::Text, "{}", column.name);
        }
    }
    check::<InvocationRecord<'_>>();
    check::<SlotRecord<'_>>();
    check::<FunctionRecord<'_>>();
    check::<ScaleRecord<'_>>();
    check::<ColdStartRecord<'_>>();
    check::<NodeRecord<'_>>();
    check::<PodRecord<'_>>();
    check::<AutoscalerRecord>();
    check::<HostRecord>();
    check::<EventRecord<'_>>();
}

#[test]
fn the_message_of_the_stream_has_the_columns_but_for_the_run() {
    let files = FileDescriptorSet::decode(crate::DESCRIPTORS).expect("decodes").file;
    let mut messages = files.into_iter().flat_map(|file| file.message_type);
    let message = messages.find(|message| message.name() == "Record").expect("is there");
    let empty = InvocationRecord::default().fields();
    let columns = Invocations::SCHEMA.columns.iter().zip(empty).skip(1);
    let columns: Vec<_> = columns
        .map(|(column, empty)| {
            // What is text is empty where it is absent, in the message as in the file.
            (column.name.to_owned(), column.kind, column.kind != Kind::Text && empty.is_empty())
        })
        .collect();
    let kinds = [
        (Type::String, Kind::Text),
        (Type::Uint32, Kind::Integer),
        (Type::Uint64, Kind::Integer),
        (Type::Int64, Kind::Integer),
        (Type::Bool, Kind::Boolean),
        (Type::Double, Kind::Float { digits: None }),
    ];
    let kind = |wire| kinds.iter().find(|(it, _)| *it == wire).expect("a type that columns have").1;
    let fields = message.field.iter();
    let fields: Vec<_> =
        fields.map(|field| (field.name().to_owned(), kind(field.r#type()), field.proto3_optional())).collect();
    assert_eq!(fields, columns);
    assert!(message.field.iter().zip(1..).all(|(field, number)| field.number() == number), "{message:?}");
}

#[test]
fn a_row_goes_through_the_message_unchanged() {
    let message = v1::Record::from(invocation());
    assert_eq!((message.slot, message.sent_unix_us, message.status.as_str()), (3, Some(7), "ok"));
    assert_eq!(InvocationRecord::from_message("r", message), invocation());
}

#[test]
fn the_documentation_is_that_of_this_schema() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/columns.md");
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == markdown(), "run: cargo run -p loader-proto --example columns > docs/columns.md");
}
