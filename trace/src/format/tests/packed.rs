//! Packed files, archives, and bounds.

use super::*;

#[test]
fn archives_are_read_in_place() {
    let texts = [("t/invocations.csv", INVOCATIONS), ("t/durations.csv", DURATIONS), ("t/memory.csv", MEMORY)];
    let members: Vec<(&str, &[u8])> = texts.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let of = |name: &str, bytes: Vec<u8>| Files(BTreeMap::from([(name.to_owned(), bytes)]));
    let archive = zip(&members);
    let files = of("trace.zip", archive.clone());
    assert_eq!(read_all(&files).0, read_all(&good()).0);
    let stored = |files: &Files| -> Vec<String> {
        let needed = needed(files, &Options::default()).unwrap();
        needed.into_iter().map(|Needed { name, .. }| name).collect()
    };
    assert_eq!(stored(&files), ["trace.zip"]);
    // An archive for each quantity, and a packed file in one.
    let [invocations, durations, memory] = texts.map(|(name, text)| (name.trim_start_matches("t/"), text.as_bytes()));
    let packed = gzip(memory.1);
    let three = [
        ("invocations.zip", zip(&[invocations])),
        ("durations.zip", zip(&[("read me", b"text"), durations])),
        ("memory.zip", zip(&[("memory.csv.gz", &packed)])),
    ];
    let three = Files(three.map(|(name, bytes)| (name.to_owned(), bytes)).into());
    assert_eq!(read_all(&three).0, read_all(&good()).0);
    let bad = [("t/invocations.csv", INVOCATIONS.replace("70000", "x"))];
    let members: Vec<(&str, &[u8])> =
        bad.iter().map(|(name, text)| (*name, text.as_bytes())).chain(members[1..].iter().copied()).collect();
    assert_eq!(
        complaint(&of("trace.zip", zip(&members))),
        "trace.zip/t/invocations.csv:3: column 2: \"x\" is not a whole number from 0 to 4294967295"
    );
    // Damage is found, wherever it is.
    for place in [20, archive.len() / 2, archive.len() - 10] {
        let mut damaged = archive.clone();
        damaged[place] ^= 0x55;
        match read(&of("trace.zip", damaged), &Options::default()) {
            Ok(opened) => assert_eq!(opened.trace, read_all(&good()).0),
            Err(faults) => assert!(faults.to_string().contains("trace.zip"), "{faults}"),
        }
    }
    let cut_off = complaint(&of("trace.zip", archive[..archive.len() / 2].to_vec()));
    assert!(cut_off.starts_with("trace.zip: cannot be read: its zip data are damaged: "), "{cut_off}");
}

/// Of an archive with several days only the day that is wanted is stored elsewhere.
#[test]
fn one_file_of_an_archive_is_taken_out() {
    let table = "day,time,0\n0,0,5\n";
    let archive =
        zip(&[("requests_minute/day_000.csv", table.as_bytes()), ("requests_minute/day_001.csv", b"day,time,0\n")]);
    let plain = zip(&[("day_000.csv", table.as_bytes()), ("day_001.csv", b"")]);
    let of = |name: &str, bytes: &[u8]| Files(BTreeMap::from([(name.to_owned(), bytes.to_vec())]));
    let first = Options { day: Some(0), ..Options::default() };
    for (files, path) in [
        (of("all.zip", &archive), "all.zip/requests_minute/day_000.csv"),
        (of("requests_minute.zip", &plain), "requests_minute.zip/day_000.csv"),
    ] {
        let store_as = "requests_minute/day_000.csv".to_owned();
        assert_eq!(needed(&files, &first).unwrap(), [Needed { name: path.to_owned(), store_as, extract: true }]);
        let mut text = String::new();
        io::Read::read_to_string(&mut extract(&files, path).unwrap(), &mut text).unwrap();
        assert_eq!(text, table);
    }
    let fallback = Fallback { runtime: Some(Duration::from_secs(1)), memory_mib: Some(1) };
    let options = Options { fallback, ..first };
    let out = of("requests_minute/day_000.csv", table.as_bytes());
    assert_eq!(read(&out, &options).unwrap().trace, read(&of("all.zip", &archive), &options).unwrap().trace);
}

/// A small file that unpacks to gigabytes costs none: it ends at the bound.
#[test]
fn what_unpacks_to_very_much_ends() {
    let rows = "o,a,x,1,1,1,1,1,1,1,1,1,1,1\n".repeat(1 << 18);
    let long = format!("{DURATIONS}{rows}").into_bytes();
    let limits = Limits { bytes: 4 << 20, ..Limits::default() };
    for (name, bytes) in
        [("durations.csv.gz", gzip(&long)), ("durations.csv.zst", zstd(&long)), ("durations.csv", long.clone())]
    {
        let mut files = good();
        files.0.remove("durations.csv");
        files.0.insert(name.to_owned(), bytes);
        let found = complaint_with(&files, &Options { limits, ..Options::default() });
        let end = "cannot be read: the trace has more than 4 MiB unpacked; take a part of it";
        assert!(found.starts_with(name) && found.ends_with(end), "{found}");
    }
}

#[test]
fn what_is_kept_is_bounded_while_it_is_read() {
    let limits = Limits::default();
    for (limits, expected) in [
        (Limits { functions: 1, ..limits }, "has more than 1 functions that are invoked; take a sample"),
        (Limits { rows: 1, ..limits }, "has more than 1 functions; take a sample"),
        (Limits { counts: 5, ..limits }, "has more than 5 counts; take a sample"),
    ] {
        let found = complaint_with(&good(), &Options { limits, ..Options::default() });
        assert_eq!(found.lines().next().unwrap(), format!("invocations.csv: {expected}"));
    }
    let bytes = Options { limits: Limits { bytes: 1 << 20, ..limits }, ..Options::default() };
    assert!(read(&good(), &bytes).is_ok());
    let mut long = good();
    long.0.get_mut("durations.csv").unwrap().extend("o,a,x,1,1,1,1,1,1,1,1,1,1,1\n".repeat(1 << 16).into_bytes());
    let found = complaint_with(&long, &bytes);
    assert!(found.contains("cannot be read: the trace has more than 1 MiB unpacked; take a part of it"), "{found}");
}
