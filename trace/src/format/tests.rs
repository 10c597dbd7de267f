mod packed;
mod parts;
mod values;

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU32;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::events::Event;
use crate::load::Load;
use crate::sizes::{MemoryProfile, RuntimeProfile};
use crate::trace::TraceFunction;

/// A source of files in memory.
#[derive(Clone)]
pub(super) struct Files(pub(super) BTreeMap<String, Vec<u8>>);

impl Source for Files {
    fn location(&self) -> String {
        "trace".to_owned()
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.0.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Bytes>> {
        let bytes = self.0.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(io::Cursor::new(bytes.clone())))
    }
}

const INVOCATIONS: &str = "\
HashOwner,HashApp,HashFunction,Trigger,1,2,3
o1,a1,f1,http,1,0,3
o1,a1,f2,timer,0,70000,5.0
";
const DURATIONS: &str = "\
HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,percentile_Average_0,percentile_Average_1,\
percentile_Average_25,percentile_Average_50,percentile_Average_75,percentile_Average_99,percentile_Average_100
o1,a1,f1,100.0,4.0,99.0,101.0,1,2.5,3,4,5,6,7
o1,a1,f2,100.0,4.0,99.0,101.0,10,20,30,40,50,60,70
";
const MEMORY: &str = "\
HashOwner,HashApp,HashFunction,SampleCount,AverageAllocatedMb,AverageAllocatedMb_pct1,AverageAllocatedMb_pct5,\
AverageAllocatedMb_pct25,AverageAllocatedMb_pct50,AverageAllocatedMb_pct75,AverageAllocatedMb_pct95,\
AverageAllocatedMb_pct99,AverageAllocatedMb_pct100
o1,a1,f1,9,120.0,100,101,102,103,104,105,106,107
o1,a1,f2,9,120.0,200,201,202,203,204,205,206,207
";

pub(super) fn files(named: &[(&str, &str)]) -> Files {
    Files(named.iter().map(|&(name, text)| (name.to_owned(), text.as_bytes().to_vec())).collect())
}

fn good() -> Files {
    files(&[("invocations.csv", INVOCATIONS), ("durations.csv", DURATIONS), ("memory.csv", MEMORY)])
}

/// The good files with one piece of one file's text replaced.
fn edited(file: &str, from: &str, to: &str) -> Files {
    let mut files = good();
    let text = files.0.get_mut(file).unwrap();
    let before = String::from_utf8(text.clone()).unwrap();
    assert!(before.contains(from), "{from:?} is not in {file}");
    *text = before.replacen(from, to, 1).into_bytes();
    files
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// A zip archive of these files, the odd ones not compressed.
pub(super) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ::zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    for (index, (name, bytes)) in files.iter().enumerate() {
        let method = if index % 2 == 0 { ::zip::CompressionMethod::Deflated } else { ::zip::CompressionMethod::Stored };
        archive.start_file(*name, ::zip::write::SimpleFileOptions::default().compression_method(method)).unwrap();
        io::Write::write_all(&mut archive, bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

pub(super) fn read_all(files: &Files) -> (Trace, Report) {
    read(files, &Options::default()).unwrap_or_else(|faults| panic!("{faults}")).into_parts()
}

/// The first `units` minutes.
pub(super) fn minutes(units: u32) -> Options {
    Options { duration: Some(Duration::from_mins(units.into())), ..Options::default() }
}

/// Of a function whose invocations are exact: start in ns, run time in µs, memory in MiB (0 for none).
pub(super) fn events(function: &TraceFunction) -> Vec<(u64, u32, u32)> {
    let Load::Events(events) = &function.load else { panic!("{function:?}") };
    let row = |event: &Event| (event.start_ns, event.runtime_us, event.memory_mib.map_or(0, NonZeroU32::get));
    events.all().iter().map(row).collect()
}

/// Of a function whose load is counted.
pub(super) fn counts(function: &TraceFunction) -> Vec<u32> {
    match &function.load {
        Load::Counts(counts) => counts.iter().collect(),
        Load::Events(events) => panic!("{events:?}"),
    }
}

pub(super) fn complaint(files: &Files) -> String {
    complaint_with(files, &Options::default())
}

pub(super) fn complaint_with(files: &Files, options: &Options) -> String {
    read(files, options).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn reads_functions_counts_and_profiles() {
    let (trace, report) = read_all(&good());
    assert_eq!((trace.units, trace.functions.len(), trace.invocations()), (3, 2, 70_009));
    let second = &trace.functions[1];
    assert_eq!((second.id.as_str(), second.owner.as_str(), second.app.as_str()), ("f2", "o1", "a1"));
    assert_eq!(second.trigger.as_deref(), Some("timer"));
    assert_eq!(counts(second), [0, 70_000, 5]);
    let runtime = RuntimeProfile::from_millis([10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0]).unwrap();
    // The averages of their rows.
    assert_eq!(second.runtime, Some(runtime.with_average(100.0)));
    let memory = MemoryProfile::from_mib([200.0, 201.0, 202.0, 203.0, 204.0, 205.0, 206.0, 207.0]).unwrap();
    assert_eq!(second.memory, Some(memory.with_average(120.0)));
    assert_eq!(report, Report::default());
}

/// The same trace, however the file is dressed.
#[test]
fn dress_does_not_matter() {
    let (plain, _) = read_all(&good());
    let every = |change: &dyn Fn(&str) -> String| {
        let text = |bytes: &Vec<u8>| change(str::from_utf8(bytes).unwrap()).into_bytes();
        Files(good().0.iter().map(|(name, bytes)| (name.clone(), text(bytes))).collect())
    };
    let ids_last = |text: &str| {
        let lines = text.lines().map(|line| {
            let mut fields: Vec<&str> = line.split(',').collect();
            fields.rotate_left(3);
            fields.join(",")
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    for (dress, files) in [
        ("a byte-order mark", every(&|text| format!("\u{feff}{text}"))),
        ("Windows line ends", every(&|text| text.replace('\n', "\r\n"))),
        ("both", every(&|text| format!("\u{feff}{}", text.replace('\n', "\r\n")))),
        ("no last line end", every(&|text| text.trim_end().to_owned())),
        ("columns in another order", every(&ids_last)),
        ("a column more", every(&|text| text.replace('\n', ",more\n"))),
    ] {
        assert_eq!(read_all(&files).0, plain, "{dress}");
    }
}

#[test]
fn reads_the_seed_era_triplet() {
    let untriggered = INVOCATIONS.replace("Trigger,", "").replace("http,", "").replace("timer,", "");
    let (trace, _) = read_all(&files(&[
        ("10_inv.csv", untriggered.as_str()),
        ("10_run.csv", DURATIONS),
        ("10_mem.csv", MEMORY),
        ("README.md", ""),
    ]));
    let (mut expected, _) = read_all(&good());
    expected.functions.iter_mut().for_each(|function| function.trigger = None);
    assert_eq!(trace, expected);
}

#[test]
fn the_format_is_detected_or_given() {
    for format in Format::ALL {
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    let unknown = "azure".parse::<Format>().unwrap_err().to_string();
    assert!(
        unknown
            .starts_with("no trace format is named \"azure\"; there are azure2019, triplet, azure2019-preprocessed, ")
    );
    let found = complaint(&files(&[("b.csv", "x,y\n1,2\n"), ("a.csv", ""), ("c.txt", "a\0b")]));
    let expected = "trace: holds no known trace: a.csv (is empty), b.csv (columns x, y), c.txt (is no text: tables are read \
                    as CSV); known formats are azure2019 (";
    assert!(found.starts_with(expected), "{found}");
    assert!(complaint(&files(&[])).starts_with("trace: holds no known trace: no files; known formats are azure2019 ("));
    let many: BTreeMap<_, _> = (10..25).map(|number| (format!("{number}.txt"), Vec::new())).collect();
    assert!(complaint(&Files(many)).contains(" 19.txt (is empty) and 5 more; known formats are "));
    let samples = |names: &[&str]| complaint(&files(&names.iter().map(|name| (*name, "")).collect::<Vec<_>>()));
    let several = "trace: holds several samples";
    assert_eq!(samples(&["10_inv.csv", "200_inv.csv"]), format!("{several} (10, 200): add --size N (trace.size)"));
    assert_eq!(samples(&["a_inv.csv", "b_inv.csv"]), format!("{several} (a, b): name one of its files"));
    let explicit = |format| Options { format: Some(format), ..Options::default() };
    // The word of the user is enough.
    assert_eq!(read(&good(), &explicit(Format::Triplet)).unwrap().trace, read_all(&good()).0);
    assert_eq!(
        complaint_with(&files(&[("memory.csv", MEMORY)]), &explicit(Format::Azure2021)),
        "memory.csv: holds memory, not invocations; name the folder, or the table of invocations"
    );
    let found = complaint_with(&files(&[("a.csv", "x\n")]), &explicit(Format::Plan));
    assert!(found.starts_with("trace: holds no trace of the format plan, which has a table due_ns, "), "{found}");
}

fn assert_complaints(file: &str, table: &[(&str, &str, &str)]) {
    for (from, to, expected) in table {
        assert_eq!(complaint(&edited(file, from, to)), *expected, "{from:?} as {to:?}");
    }
}

#[test]
fn says_where_a_count_is_bad() {
    let file = "invocations.csv";
    for (from, to, place, text) in [
        ("1,0,3", "1,x,3", "2: column 2", "x"),
        ("1,0,3", "1,,3", "2: column 2", ""),
        ("1,0,3", "1, 0,3", "2: column 2", " 0"),
        ("1,0,3", "-1,0,3", "2: column 1", "-1"),
        ("1,0,3", "1,0,1.5", "2: column 3", "1.5"),
        ("1,0,3", "1,0,NaN", "2: column 3", "NaN"),
        ("1,0,3", "1,0,inf", "2: column 3", "inf"),
        ("70000", "4294967296", "3: column 2", "4294967296"),
    ] {
        let expected = format!("{file}:{place}: {text:?} is not a whole number from 0 to 4294967295");
        assert_eq!(complaint(&edited(file, from, to)), expected);
    }
}

#[test]
fn says_where_lines_and_headers_of_invocations_are_bad() {
    assert_complaints(
        "invocations.csv",
        &[
            ("0,70000,5.0", "0,7", "invocations.csv:3: column 3: the line has 6 fields, the header 7"),
            ("1,0,3", "1,0,3,4", "invocations.csv:2: the line has 8 fields, the header 7"),
            ("o1,a1,f1", "o1,a1,", "invocations.csv:2: column HashFunction: is empty"),
            ("HashApp,", "App,", "invocations.csv:1: column HashApp: is missing"),
            ("Trigger,", "HashApp,", "invocations.csv:1: column HashApp: appears twice in the header"),
            (",1,2,3", ",1,2,4", "invocations.csv:1: column 3: is missing"),
            (",1,2,3", ",540,541,543", "invocations.csv:1: column 542: is missing"),
            (",1,2,3", ",1,2,2", "invocations.csv:1: column 2: appears twice in the header"),
            (
                ",1,2,3",
                ",3,1,2",
                "invocations.csv:1: column 1: comes after column 3; columns of counts must be numbered consecutively",
            ),
            (
                ",1,2,3",
                ",1,3,2",
                "invocations.csv:1: column 3: comes after column 1; columns of counts must be numbered consecutively\n\
                 invocations.csv:1: column 2: comes after column 3; columns of counts must be numbered consecutively",
            ),
            (",1,2,3", ",a,b,c", "invocations.csv:1: column 1: is missing"),
            (
                ",1,2,3",
                ",-1,0,1",
                "invocations.csv:1: column -1: is no whole number from 0; columns of counts must be numbered consecutively",
            ),
            (
                ",1,2,3",
                ",1,2,2.5",
                "invocations.csv:1: column 2.5: is no whole number from 0; columns of counts must be numbered consecutively",
            ),
        ],
    );
}

#[test]
fn says_where_durations_are_bad() {
    assert_complaints(
        "durations.csv",
        &[
            ("percentile_Average_50,", "p50,", "durations.csv:1: column percentile_Average_50: is missing"),
            ("HashFunction,", "Function,", "durations.csv:1: column HashFunction: is missing"),
            ("1,2.5,3", "1,2.5ms,3", "durations.csv:2: column percentile_Average_1: \"2.5ms\" is not a number"),
            (",70\n", "\n", "durations.csv:3: column percentile_Average_100: the line has 13 fields, the header 14"),
        ],
    );
}

#[test]
fn says_where_memory_is_bad() {
    assert_complaints(
        "memory.csv",
        &[
            ("AverageAllocatedMb_pct95,", "", "memory.csv:1: column AverageAllocatedMb_pct95: is missing"),
            ("o1,a1,f2", "o1,a1,", "memory.csv:3: column HashFunction: is empty"),
        ],
    );
}

#[test]
fn names_the_right_line_whatever_the_line_ends() {
    for end in ["\n", "\r\n", "\n\n", "\r\n\r\n"] {
        let text = INVOCATIONS.replace("70000", "x").replace('\n', end);
        let mut files = good();
        files.0.insert("invocations.csv".to_owned(), text.trim_end().as_bytes().to_vec());
        let line = if end.matches('\n').count() == 2 { 5 } else { 3 };
        let expected = format!("invocations.csv:{line}: column 2: \"x\" is not a whole number from 0 to 4294967295");
        assert_eq!(complaint(&files), expected, "{end:?}");
    }
}

#[test]
fn a_missing_or_empty_file_is_named() {
    for (file, expected) in [
        (
            "durations.csv",
            "invocations.csv: a table of durations is not beside it (HashFunction, percentile_Average_0, …): \
             --default-runtime TIME (trace.defaultRuntime) gives functions a run time",
        ),
        (
            "memory.csv",
            "invocations.csv: a table of memory is not beside it (HashApp, AverageAllocatedMb_pct1, …): \
             --default-memory SIZE (trace.defaultMemoryMib) gives functions memory",
        ),
    ] {
        let mut files = good();
        files.0.remove(file);
        assert_eq!(complaint(&files), expected);
    }
    for file in ["invocations.csv", "durations.csv", "memory.csv"] {
        let mut files = good();
        files.0.insert(file.to_owned(), Vec::new());
        assert_eq!(complaint(&files), format!("{file}: is empty"));
    }
}

#[test]
fn an_id_that_is_no_text_is_refused() {
    let mut files = good();
    let bytes = files.0.get_mut("invocations.csv").unwrap();
    let place = bytes.windows(2).position(|pair| pair == b"f1").unwrap();
    bytes[place] = 0xff;
    assert_eq!(complaint(&files), "invocations.csv:2: column HashFunction: is not UTF-8");
}

/// Else the rest of the file is one field, and all of it in memory.
#[test]
fn a_stray_quotation_mark_is_found() {
    let mut files = edited("durations.csv", "o1,a1,f2", "o1,\"a1,f2");
    files.0.get_mut("durations.csv").unwrap().extend("o,a,f,1,1,1,1,1,1,1,1,1,1,1\n".repeat(1 << 18).into_bytes());
    assert_eq!(
        complaint(&files),
        "durations.csv:3: cannot be read: the line has more than 4 MiB; a quotation mark may be astray"
    );
}

#[test]
fn many_rows_are_no_long_row() {
    let mut files = good();
    let rows = "o,a,other,1,1,1,1,1,1,1,1,1,1,1\n".repeat(1 << 18);
    files.0.get_mut("durations.csv").unwrap().extend(rows.into_bytes());
    assert_eq!(read_all(&files).1.count(Reason::UnmatchedDurations), 1 << 18);
}

#[test]
fn an_unreadable_directory_is_named() {
    let faults = read(&Directory("/nowhere/at/all".into()), &Options::default()).map(|_| ()).unwrap_err();
    assert_eq!(faults.to_string(), "/nowhere/at/all: does not exist");
}

#[test]
fn collects_the_first_faults_of_all_files_and_counts_the_others() {
    let mut files = edited("durations.csv", "1,2.5,3", "1,x,3");
    let bad_rows: String = (0..30).map(|row| format!("o,a,bad{row},http,1,-2,3\n")).collect();
    files.0.get_mut("invocations.csv").unwrap().extend(bad_rows.into_bytes());
    files.0.remove("memory.csv");
    let faults = read(&files, &Options::default()).map(|_| ()).unwrap_err();
    assert_eq!((faults.shown.len(), faults.total), (20, 32), "{faults}");
    let text = faults.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "invocations.csv:4: column 2: \"-2\" is not a whole number from 0 to 4294967295");
    assert_eq!((lines.len(), lines[20]), (21, "and 12 more"));
}

#[test]
fn reports_what_it_leaves_out() {
    let mut files = good();
    let add = |files: &mut Files, file: &str, rows: &str| files.0.get_mut(file).unwrap().extend(rows.as_bytes());
    add(&mut files, "invocations.csv", "o2,a2,idle,http,0,0.0,0\no2,a2,f1,queue,9,9,9\n");
    add(&mut files, "durations.csv", "o,a,other,1,1,1,1,1,1,1,1,1,1,1\no,a,f1,1,1,1,1,1,1,1,1,1,1,1\n");
    add(&mut files, "durations.csv", "o,a,idle,1,1,1,1,1,1,1,1,1,1,1\n");
    add(&mut files, "memory.csv", "o,a,strange,1,1,1,1,1,1,1,1,1,1\no,a,f2,1,1,1,1,1,1,1,1,1,1\n");
    let (trace, report) = read_all(&files);
    // The first row of each stands.
    assert_eq!(trace, read_all(&good()).0);
    let left_out: Vec<(&str, u64, &str)> = report
        .left_out
        .iter()
        .map(|(reason, occurrences)| (reason.name(), occurrences.count, occurrences.examples[0].as_str()))
        .collect();
    assert_eq!(
        left_out,
        [
            ("no_invocations", 1, "idle"),
            ("duplicate_function", 1, "f1"),
            ("duplicate_durations", 1, "f1"),
            ("duplicate_memory", 1, "f2"),
            ("unmatched_durations", 1, "other"),
            ("unmatched_memory", 1, "strange"),
        ]
    );
}

/// What to do about functions that a table lacks.
fn advice(file: &str) -> &'static str {
    if file == "durations.csv" {
        "--skip-incomplete (trace.skipIncomplete) leaves them out, --default-runtime TIME (trace.defaultRuntime) gives functions a \
         run time"
    } else {
        "--skip-incomplete (trace.skipIncomplete) leaves them out, --default-memory SIZE (trace.defaultMemoryMib) gives functions \
         memory"
    }
}

#[test]
fn functions_without_a_profile_fail_or_are_left_out() {
    let skipping = Options { skip_incomplete: true, ..Options::default() };
    for (file, reason) in [("durations.csv", Reason::NoDurations), ("memory.csv", Reason::NoMemory)] {
        let files = edited(file, "o1,a1,f2", "o1,a1,f3");
        assert_eq!(
            complaint(&files),
            format!("{file}: lacks functions that are invoked, 1 in all: f2; {}", advice(file))
        );
        let (trace, report) = read(&files, &skipping).unwrap().into_parts();
        assert_eq!(trace.functions.iter().map(|function| function.id.as_str()).collect::<Vec<_>>(), ["f1"]);
        assert_eq!(report.left_out[&reason], Occurrences { count: 1, examples: vec!["f2".to_owned()] });
    }
    let mut files = good();
    let rows: String = (0..12).map(|row| format!("o,a,g{row},http,1,2,3\n")).collect();
    files.0.get_mut("invocations.csv").unwrap().extend(rows.into_bytes());
    assert_eq!(
        complaint(&files),
        ["durations.csv", "memory.csv"]
            .map(|file| {
                let ids = "g0, g1, g2, g3, g4, g5, g6, g7, g8, g9, …";
                format!("{file}: lacks functions that are invoked, 12 in all: {ids}; {}", advice(file))
            })
            .join("\n")
    );
}

#[test]
fn a_trace_without_a_function_is_refused() {
    let mut idle = good();
    let header = INVOCATIONS.lines().next().unwrap();
    idle.0.insert("invocations.csv".to_owned(), format!("{header}\no,a,f1,http,0,0,0\n").into_bytes());
    let expected = "invocations.csv: no function is left that is invoked in the 3 units that are read";
    assert_eq!(complaint(&idle), expected);
    let mut bare = good();
    bare.0.insert("invocations.csv".to_owned(), header.as_bytes().to_vec());
    assert_eq!(complaint(&bare), expected);
}

proptest! {
    /// A table that is written is read: each function's counts in the part that is asked for, whatever the columns' numbers,
    /// and whether it is stored plain or packed.
    #[test]
    fn counts_round_trip(
        counts in prop::collection::vec(prop::collection::vec(0_u32..300, 6), 1..8),
        number in 0_u32..100_000,
        (from, units) in (0_u32..6, 1_u32..8),
        packed in select(vec!["", "gz", "zst"]),
    ) {
        let mut text = "HashOwner,HashApp,HashFunction,Trigger".to_owned();
        (0..6).for_each(|column| text += &format!(",{}", number + column));
        for (index, counts) in counts.iter().enumerate() {
            let counts: Vec<String> = counts.iter().map(u32::to_string).collect();
            text += &format!("\no,a,f{index},http,{}", counts.join(","));
        }
        let (name, bytes) = match packed {
            "gz" => ("i.csv.gz", gzip(text.as_bytes())),
            "zst" => ("i.csv.zst", zstd(text.as_bytes())),
            _ => ("i.csv", text.into_bytes()),
        };
        let files = Files(BTreeMap::from([(name.to_owned(), bytes)]));
        let fallback = Fallback { runtime: Some(Duration::from_secs(1)), memory_mib: Some(1) };
        let options = Options { fallback, start: Duration::from_mins(from.into()), ..minutes(units) };
        let last = (from + units).min(6) as usize;
        let wanted: Vec<(String, Vec<u32>)> = counts.iter().enumerate()
            .map(|(index, counts)| (format!("f{index}"), counts[from as usize..last].to_vec()))
            .filter(|(_, counts)| counts.iter().any(|&count| count > 0))
            .collect();
        match read(&files, &options) {
            Ok(opened) => {
                let found: Vec<_> =
                    opened.trace.functions.iter().map(|function| (function.id.clone(), super::tests::counts(function))).collect();
                prop_assert_eq!(found, wanted);
            }
            Err(faults) => {
                prop_assert!(wanted.is_empty(), "{}", faults);
                prop_assert!(faults.to_string().contains("no function is left"));
            }
        }
    }
}

proptest! {
    /// Whatever is in the files, the answer is a trace whose functions are whole, or faults that say where.
    #[test]
    fn damage_is_a_fault_or_no_matter(
        file in select(vec!["invocations.csv", "durations.csv", "memory.csv"]),
        at: Index,
        damage in select(vec!["", "\"", ",", "\n", "\r", "-", "\0", "\u{feff}", "9999999999", "1,2,3\n4"]),
        length in 0_usize..40,
    ) {
        let mut files = good();
        let text = files.0.get_mut(file).unwrap();
        let from = at.index(text.len());
        let to = (from + length).min(text.len());
        text.splice(from..to, damage.bytes());
        match read(&files, &Options { skip_incomplete: true, ..Options::default() }) {
            Ok(Opened { trace, .. }) => {
                prop_assert!(!trace.functions.is_empty());
                for function in trace.functions {
                    prop_assert!(function.runtime.is_some() && function.memory.is_some());
                    prop_assert!(counts(&function).len() == trace.units && function.load.total() > 0);
                }
            }
            Err(faults) => {
                prop_assert!(faults.total > 0);
                prop_assert!(faults.to_string().lines().all(|line| line.contains(".csv")));
            }
        }
    }
}
