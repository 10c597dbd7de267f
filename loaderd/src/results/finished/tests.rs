use super::*;

#[test]
fn records_that_are_no_table_stay_as_they_are() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = "slot,due_unix_us\n0,100\n1,soon\n";
    fs::write(directory.path().join(CSV), text).expect("writes");
    let error = finish(directory.path(), Output::Parquet).expect_err("fails").to_string();
    assert!(error.ends_with("due_unix_us is \"soon\"; the records are in invocations.csv"), "{error}");
    let entries = fs::read_dir(directory.path()).expect("lists");
    let names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(names, [CSV]);
    assert_eq!(fs::read_to_string(directory.path().join(CSV)).expect("reads"), text);
}

#[test]
fn without_records_there_is_nothing_to_finish() {
    let directory = tempfile::tempdir().expect("a directory");
    finish(directory.path(), Output::GzippedCsv).expect("finishes");
    assert_eq!(fs::read_dir(directory.path()).expect("lists").count(), 0);
}
