use std::{fs::OpenOptions, io::Write as _};

use super::*;

const HEADER: &str = "run_id,invocation_id,function,phase,slot,mark,due_unix_us,sent_unix_us,dispatch_lag_us,connect_us,\
                      response_us,requested_runtime_us,actual_runtime_us,requested_memory_kib,actual_memory_kib,status,\
                      error,instance,cold_start,instance_started_unix_us,saturated\n";

fn row(number: u64, error: &str) -> String {
    format!("r,min0.inv{number},f,measure,0,,100,101,1,,50,1000,900,10240,10300,ok,{error},i-1,true,90,false\n")
}

fn ids(records: &[StoredRecord]) -> Vec<&str> {
    records.iter().map(|record| record.invocation_id.as_str()).collect()
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
        StoredRecord {
            invocation_id: "min0.inv0".to_owned(),
            function: "f".to_owned(),
            phase: "measure".to_owned(),
            slot: 0,
            mark: String::new(),
            due_unix_us: 100,
            sent_unix_us: Some(101),
            dispatch_lag_us: Some(1),
            connect_us: None,
            response_us: Some(50),
            requested_runtime_us: 1000,
            actual_runtime_us: Some(900),
            requested_memory_kib: 10240,
            actual_memory_kib: Some(10300),
            status: "ok".to_owned(),
            error: String::new(),
            instance: "i-1".to_owned(),
            cold_start: Some(true),
            instance_started_unix_us: Some(90),
            saturated: false,
        }
    );
    assert_eq!(reader.read().expect("reads"), []);
    write(&second[second.len() / 2..]);
    let second = reader.read().expect("reads");
    assert_eq!(ids(&second), ["min0.inv1"]);
    assert_eq!(second[0].error, "two \" lines,\nof it");
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
