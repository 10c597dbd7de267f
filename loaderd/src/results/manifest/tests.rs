use super::*;

#[test]
fn each_file_is_described_but_for_those_that_change_later() {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in [
        ("a.csv", "x,y\n1,\"two\nlines\"\n2,\"cut"),
        ("spec.yaml", "abc"),
        ("empty.csv", ""),
        (CHANGING[0], "{}"),
        (MANIFEST, "{}"),
        (".on-its-way.tmp", "half"),
    ] {
        std::fs::write(directory.path().join(name), text).expect("writes");
    }
    let files = inventory(directory.path()).expect("reads");
    let found: Vec<_> = files.iter().map(|it| (&*it.name, it.bytes, it.rows, it.cut_off_bytes)).collect();
    assert_eq!(found, [("a.csv", 24, Some(1), 6), ("empty.csv", 0, Some(0), 0), ("spec.yaml", 3, None, 0)]);
    assert_eq!(files[2].sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
