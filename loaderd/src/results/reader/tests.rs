use std::{fs::OpenOptions, io::Write as _};

use super::*;
use crate::spec::Output;

const HEADER: &str = "run_id,invocation_id,function,phase,slot,mark,due_unix_us,sent_unix_us,dispatch_lag_us,connect_us,\
                      response_us,requested_runtime_us,actual_runtime_us,requested_memory_kib,actual_memory_kib,status,\
                      error,instance,cold_start,instance_started_unix_us,saturated\n";

fn row(number: u64, error: &str) -> String {
    format!("r,min0.inv{number},f,measure,0,,100,101,1,,50,1000,900,10240,10300,ok,{error},i-1,true,90,false\n")
}

fn ids<'r>(records: &'r [InvocationRecord<'_>]) -> Vec<&'r str> {
    records.iter().map(|record| record.invocation_id.as_ref()).collect()
}

#[test]
fn rows_are_read_as_they_come_and_only_whole() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut reader = RecordReader::new(directory.path());
    assert_eq!(reader.read().expect("reads"), []);
    let path = directory.path().join("invocations.csv");
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("opens");
    let mut write = |text: &str| file.write_all(text.as_bytes()).expect("writes");
    write(HEADER);
    assert_eq!(reader.read().expect("reads"), []);
    let second = row(
        1,
        r#""two "" lines,
of it""#,
    );
    write(&row(0, ""));
    write(&second[..second.len() / 2]);
    let first = reader.read().expect("reads");
    assert_eq!(ids(&first), ["min0.inv0"]);
    assert_eq!(
        first[0],
        InvocationRecord {
            run_id: "r".into(),
            invocation_id: "min0.inv0".into(),
            function: "f".into(),
            phase: "measure".into(),
            slot: 0,
            due_unix_us: 100,
            sent_unix_us: Some(101),
            dispatch_lag_us: Some(1),
            response_us: Some(50),
            requested_runtime_us: 1000,
            actual_runtime_us: Some(900),
            requested_memory_kib: 10240,
            actual_memory_kib: Some(10300),
            status: "ok".into(),
            instance: "i-1".into(),
            cold_start: Some(true),
            instance_started_unix_us: Some(90),
            ..InvocationRecord::default()
        }
    );
    assert_eq!(reader.read().expect("reads"), []);
    write(&second[second.len() / 2..]);
    let second = reader.read().expect("reads");
    assert_eq!(ids(&second), ["min0.inv1"]);
    assert_eq!(second[0].error, "two \" lines,\nof it");
}

/// All records that can be read, and what is left over.
fn all(directory: &Path) -> (Vec<InvocationRecord<'static>>, u64) {
    let (mut reader, mut records) = (RecordReader::new(directory), Vec::new());
    loop {
        let more = reader.read().expect("reads");
        if more.is_empty() {
            return (records, reader.cut_off_bytes());
        }
        records.extend(more);
    }
}

#[test]
fn a_file_cut_off_at_any_byte_loses_its_last_row_only_and_reports_it() {
    let errors = ["", "\"two \"\" lines,\nof it\"", "", "\"a, b\""];
    let rows: Vec<_> = errors.iter().enumerate().map(|(number, error)| row(number as u64, error)).collect();
    let text = format!("{HEADER}{}", rows.concat());
    let mut ends = vec![HEADER.len()];
    for row in &rows {
        ends.push(ends[ends.len() - 1] + row.len());
    }
    let directory = tempfile::tempdir().expect("a directory");
    for cut in 0..=text.len() {
        std::fs::write(directory.path().join(CSV), &text[..cut]).expect("writes");
        let (records, cut_off) = all(directory.path());
        let whole = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(records.len(), whole.saturating_sub(1), "cut at {cut}");
        let last_end = whole.checked_sub(1).map_or(0, |last| ends[last]);
        assert_eq!(cut_off, (cut - last_end) as u64, "cut at {cut}");
    }
}

#[test]
fn records_read_the_same_in_every_form() {
    let errors = ["", "\"two \"\" lines,\nof it\"", "ünï"];
    let mut rows: Vec<_> = (0..3000).zip(errors.iter().cycle()).map(|(number, error)| row(number, error)).collect();
    rows.push("r,min0.inv9,f,warmup,3,cold,100,,,,,1000,,10240,,not_sent,,,,,true\n".to_owned());
    let text = format!("{HEADER}{}", rows.concat());
    let read_as = |output| {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join(CSV), &text).expect("writes");
        crate::results::finish(directory.path(), output).expect("finishes");
        let manifest = crate::results::inventory(directory.path()).expect("reads");
        let files: Vec<_> = manifest.iter().map(|file| (file.name.clone(), file.rows)).collect();
        (all(directory.path()), files)
    };
    let ((csv, cut_off), files) = read_as(Output::Csv);
    assert_eq!((csv.len(), cut_off, files), (3001, 0, vec![(CSV.to_owned(), Some(3001))]));
    assert_eq!(
        (csv[1].error.as_ref(), csv[3000].sent_unix_us, csv[3000].cold_start),
        ("two \" lines,\nof it", None, None)
    );
    for (output, name) in [(Output::GzippedCsv, GZIPPED), (Output::Parquet, PARQUET)] {
        let ((records, cut_off), files) = read_as(output);
        assert_eq!((cut_off, files), (0, vec![(name.to_owned(), Some(3001))]));
        assert!(records == csv, "{name}");
    }
}

#[test]
fn many_rows_come_in_pieces_and_in_order() {
    let directory = tempfile::tempdir().expect("a directory");
    let rows: String = (0..5000).map(|number| row(number, "")).collect();
    std::fs::write(directory.path().join("invocations.csv"), format!("{HEADER}{rows}")).expect("writes");
    let mut reader = RecordReader::new(directory.path());
    let mut next = 0;
    loop {
        let records = reader.read().expect("reads");
        if records.is_empty() {
            break;
        }
        assert!(records.len() < 5000);
        for record in records {
            assert_eq!(record.invocation_id, format!("min0.inv{next}"));
            next += 1;
        }
    }
    assert_eq!(next, 5000);
}

#[test]
fn what_is_no_row_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let bad = row(1, "").replace(",100,", ",soon,");
    let text = format!("{HEADER}{}{bad}", row(0, ""));
    std::fs::write(directory.path().join("invocations.csv"), text).expect("writes");
    let error = RecordReader::new(directory.path()).read().expect_err("fails").to_string();
    assert!(error.contains("invocations.csv: record 2:"), "{error}");
}

/// Small files that would be gigabytes in memory: as one row, in compressed text and in columns.
#[test]
fn a_row_without_an_end_is_refused_before_it_is_read_whole() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join(GZIPPED);
    let member = |text: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).expect("compresses");
        encoder.finish().expect("compresses")
    };
    let mut file = File::create(path).expect("creates");
    file.write_all(&member(format!("{HEADER}{}r,\"", row(0, "")).as_bytes())).expect("writes");
    let endless = member(&vec![b'a'; 1 << 22]);
    for _ in 0..512 {
        file.write_all(&endless).expect("writes");
    }
    let mut reader = RecordReader::new(directory.path());
    assert_eq!(ids(&reader.read().expect("reads")), ["min0.inv0"]);
    let refused = reader.read().expect_err("has no end");
    assert!(matches!(refused, ReadError::Row { record: 2, source: RowError::TooLong, .. }), "{refused}");
    assert!(reader.pending.capacity() <= 4 * LONGEST_ROW, "{}", reader.pending.capacity());
}

/// A column stores a value once that many rows have.
#[test]
fn columns_are_read_a_bounded_number_of_bytes_at_a_time() {
    let directory = tempfile::tempdir().expect("a directory");
    let long = "x".repeat(LONGEST_ROW / 4);
    let text: String = (0..40).map(|number| row(number, &long)).collect();
    std::fs::write(directory.path().join(CSV), format!("{HEADER}{text}")).expect("writes");
    crate::results::finish(directory.path(), Output::Parquet).expect("is turned");
    let mut reader = RecordReader::new(directory.path());
    let mut batches = Vec::new();
    loop {
        match reader.read().expect("reads").len() {
            0 => break,
            count => batches.push(count),
        }
    }
    assert_eq!((batches.iter().sum::<usize>(), batches.iter().max()), (40, Some(&4)));
    // One row above the bound.
    let longer = "x".repeat(LONGEST_ROW + 1);
    std::fs::remove_file(directory.path().join(PARQUET)).expect("is there");
    std::fs::write(directory.path().join(CSV), format!("{HEADER}{}", row(0, &longer))).expect("writes");
    crate::results::finish(directory.path(), Output::Parquet).expect("is turned");
    let refused = RecordReader::new(directory.path()).read().expect_err("is too long");
    assert!(matches!(refused, ReadError::Row { source: RowError::TooLong, .. }), "{refused}");
}
