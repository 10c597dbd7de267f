use std::{fs, io::Write as _, path::Path, sync::Arc};

use flate2::{Compression, write::GzEncoder};
use parquet::{
    data_type::{BoolType, ByteArrayType, DataType, Int64Type},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};

use super::*;

const TEXT: &str = "\
run_id,invocation_id,function,phase,slot,mark,due_unix_us,sent_unix_us,dispatch_lag_us,response_us,status,error,cold_start,later
r,sec0.inv0,one,measure,0,,1000000,1000020,20,5000,ok,,true,1
r,sec0.inv1,\"two, \"\"2\"\"\nx\",measure,0,burst,1500000,,,,not_sent,\"too many, in flight\",,2
r,sec1.inv0,one,warmup,1,,2000000,2000010,10,4000,ok,,false,3
";

/// What is told apart of a row.
type Told = (String, i64, Option<i64>, Option<i64>, Option<bool>, bool);

fn told(directory: &Path) -> (Vec<Told>, Found) {
    let mut rows = Vec::new();
    let found = each(directory, |row| {
        let function = String::from_utf8_lossy(row.function).into_owned();
        rows.push((function, row.due_unix_us, row.sent_unix_us, row.response_us, row.cold_start, row.measured()));
    });
    (rows, found)
}

fn of_text(text: &[u8]) -> (Vec<Told>, Found) {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("invocations.csv"), text).expect("writes");
    told(directory.path())
}

fn expected() -> Vec<Told> {
    vec![
        ("one".to_owned(), 1_000_000, Some(1_000_020), Some(5_000), Some(true), true),
        ("two, \"2\"\nx".to_owned(), 1_500_000, None, None, None, true),
        ("one".to_owned(), 2_000_000, Some(2_000_010), Some(4_000), Some(false), false),
    ]
}

#[test]
fn rows_are_read_by_the_names_of_columns() {
    let (rows, found) = of_text(TEXT.as_bytes());
    assert_eq!(rows, expected());
    assert_eq!((found.rows, found.unreadable, found.cut_off_bytes), (3, 0, 0));
    assert_eq!(found.unknown_columns, ["later"]);
}

#[test]
fn a_gzip_file_has_the_same_rows_and_a_cut_one_those_before_the_cut() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(TEXT.as_bytes()).expect("compresses");
    let bytes = encoder.finish().expect("compresses");
    let path = directory.path().join("invocations.csv.gz");
    fs::write(&path, &bytes).expect("writes");
    assert_eq!(told(directory.path()).0, expected());
    for cut in 0..bytes.len() {
        fs::write(&path, &bytes[..cut]).expect("writes");
        let (rows, found) = told(directory.path());
        assert!(expected().starts_with(&rows), "cut at {cut}: {rows:?}");
        assert!(found.ended.is_some() || found.rows == 3, "cut at {cut}: {found:?}");
    }
}

#[test]
fn text_cut_off_at_any_byte_is_read_up_to_its_last_whole_row() {
    let ends: Vec<_> =
        TEXT.match_indices('\n').map(|(at, _)| at + 1).filter(|end| !TEXT[..*end].ends_with("2\"\"\n")).collect();
    for cut in 0..TEXT.len() {
        let (rows, found) = of_text(&TEXT.as_bytes()[..cut]);
        let whole = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(rows, expected()[..whole.saturating_sub(1)], "cut at {cut}");
        assert_eq!(found.cut_off_bytes > 0, !ends.contains(&cut) && cut > 0, "cut at {cut}");
        assert_eq!((found.unreadable, found.ended), (0, None), "cut at {cut}");
    }
}

#[test]
fn a_damaged_row_is_counted_and_skipped() {
    let text = TEXT.replace("1500000", "soon").replace(",3\n", ",3,4\n");
    let (rows, found) = of_text(text.as_bytes());
    assert_eq!((rows.len(), found.rows, found.unreadable), (1, 1, 2));
    assert_eq!(found.first_fault.as_deref(), Some("row 2: column due_unix_us: \"soon\" is no value of it"));
}

#[test]
fn a_file_without_a_column_that_is_needed_says_so() {
    let (rows, found) = of_text(TEXT.replace("due_unix_us", "due").as_bytes());
    assert_eq!((rows.len(), found.ended.as_deref()), (0, Some("it has no column due_unix_us")));
    assert_eq!(told(tempfile::tempdir().expect("a directory").path()).1, Found::default());
    assert_eq!(of_text(b"").1, Found { file: Some("invocations.csv"), ..Found::default() });
}

fn column<T: DataType>(
    group: &mut parquet::file::writer::SerializedRowGroupWriter<'_, fs::File>,
    values: &[T::T],
    levels: Option<&[i16]>,
) {
    let mut column = group.next_column().expect("opens").expect("a column");
    column.typed::<T>().write_batch(values, levels, None).expect("writes");
    column.close().expect("closes");
}

#[test]
fn a_parquet_file_has_the_same_rows() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("invocations.parquet");
    let schema = "message invocation { REQUIRED BYTE_ARRAY function (UTF8); REQUIRED BYTE_ARRAY phase (UTF8); REQUIRED BYTE_ARRAY \
                  status (UTF8); OPTIONAL INT64 due_unix_us; OPTIONAL INT64 sent_unix_us; OPTIONAL INT64 response_us; OPTIONAL \
                  BOOLEAN cold_start; REQUIRED BYTE_ARRAY later (UTF8); }";
    let schema = Arc::new(parse_message_type(schema).expect("a schema"));
    let file = fs::File::create(&path).expect("creates");
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(WriterProperties::default())).expect("opens");
    for rows in [0..2, 2..3] {
        let mut group = writer.next_row_group().expect("a group");
        let part = &expected()[rows];
        let texts = |of: fn(&Told) -> String| part.iter().map(|row| of(row).as_str().into()).collect::<Vec<_>>();
        let numbers = |of: fn(&Told) -> Option<i64>| {
            let values: Vec<_> = part.iter().filter_map(of).collect();
            (values, part.iter().map(|row| i16::from(of(row).is_some())).collect::<Vec<_>>())
        };
        column::<ByteArrayType>(&mut group, &texts(|row| row.0.clone()), None);
        column::<ByteArrayType>(&mut group, &texts(|row| if row.5 { "measure" } else { "warmup" }.to_owned()), None);
        column::<ByteArrayType>(&mut group, &texts(|_| "ok".to_owned()), None);
        for of in [(|row| Some(row.1)) as fn(&Told) -> Option<i64>, |row| row.2, |row| row.3] {
            let (values, levels) = numbers(of);
            column::<Int64Type>(&mut group, &values, Some(&levels));
        }
        let colds: Vec<_> = part.iter().filter_map(|row| row.4).collect();
        let levels: Vec<_> = part.iter().map(|row| i16::from(row.4.is_some())).collect();
        column::<BoolType>(&mut group, &colds, Some(&levels));
        column::<ByteArrayType>(&mut group, &texts(|_| "x".to_owned()), None);
        group.close().expect("closes");
    }
    writer.close().expect("closes");
    let (rows, found) = told(directory.path());
    assert_eq!((rows, found.unknown_columns), (expected(), vec!["later".to_owned()]));
    let bytes = fs::read(&path).expect("reads");
    fs::write(&path, &bytes[..bytes.len() - 5]).expect("writes");
    let (rows, found) = told(directory.path());
    assert!(rows.is_empty() && found.ended.is_some(), "{found:?}");
}
