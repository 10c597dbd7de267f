use proptest::prelude::*;

use crate::format::tests::{Files, complaint, complaint_with, events, files, read_all};
use crate::format::{Format, Limits, Options, Reason};

/// As the loader writes it, with an index of its own that says nothing.
fn plan(iat: &str, sizes: &str) -> String {
    format!("{{\"IAT\":{iat},\"PerMinuteCount\":[2,1],\"RawDuration\":[60000000],\"RuntimeSpecification\":{sizes}}}")
}

fn good() -> Files {
    let sizes = r#"[{"Runtime":100,"Memory":120},{"Runtime":1,"Memory":10240},{"Runtime":60000,"Memory":1}]"#;
    let one = plan("[0, 1500000.25, 60000000]", sizes);
    let ten = plan("[5]", r#"[{"Runtime":7,"Memory":8}]"#);
    files(&[("iat10.json", &ten), ("iat2.json", &one), ("iat0.json", &plan("null", "null")), ("notes.txt", "x")])
}

#[test]
fn plans_are_replayed_exactly_in_the_order_of_their_numbers() {
    let (trace, report) = read_all(&good());
    let found: Vec<_> = trace.functions.iter().map(|function| (function.id.as_str(), events(function))).collect();
    assert_eq!(
        found,
        [
            ("iat2", vec![(0, 100_000, 120), (1_500_000_250, 1000, 10_240), (61_500_000_250, 60_000_000, 1)]),
            ("iat10", vec![(5000, 7000, 8)]),
        ]
    );
    assert_eq!((trace.units, report.left_out[&Reason::NoInvocations].examples.clone()), (2, vec!["iat0".to_owned()]));
    assert_eq!(Format::detect(&good()).map(Format::name), Some("invitro-iat"));
    let lower = Files(
        good()
            .0
            .into_iter()
            .map(|(name, text)| {
                (
                    name,
                    String::from_utf8(text)
                        .unwrap()
                        .replace("IAT", "iat")
                        .replace("Runtime\"", "runtime\"")
                        .into_bytes(),
                )
            })
            .collect(),
    );
    assert_eq!(read_all(&lower).0, trace);
}

#[test]
fn what_is_wrong_is_named_by_file_and_line() {
    let size = r#"[{"Runtime":7,"Memory":8}]"#;
    for (text, expected) in [
        (plan("[1,2]", size), "iat0.json: is not readable as JSON: IAT has 2 entries, RuntimeSpecification 1"),
        (plan("[-1]", size), "iat0.json: is not readable as JSON: IAT of invocation 0 is -1"),
        (plan("[1e300]", size), "iat0.json: is not readable as JSON: the sum of IAT up to that of invocation 0 is 1"),
        (
            plan("[1]", r#"[{"Runtime":-7,"Memory":8}]"#),
            "iat0.json: is not readable as JSON: Runtime of invocation 0 is -7",
        ),
        (
            plan("[1]", r#"[{"Runtime":7,"Memory":0}]"#),
            "iat0.json: is not readable as JSON: Memory of invocation 0 is 0",
        ),
        ("{\"IAT\":[1]}".to_owned(), "iat0.json:1: is not readable as JSON: missing field `RuntimeSpecification`"),
        ("{\n\"IAT\":[1,\nx]}".to_owned(), "iat0.json:3: is not readable as JSON: expected value at line 3 column 1"),
        (plan("[[1,2],[3]]", size), "iat0.json:1: is not readable as JSON: invalid type: sequence, expected f64"),
        (plan("[1]", size) + "more", "iat0.json:1: is not readable as JSON: trailing characters"),
    ] {
        let found = complaint(&files(&[("iat0.json", &text)]));
        assert!(found.starts_with(expected), "{found}");
    }
    let few = Options { limits: Limits { invocations: 3, ..Limits::default() }, ..Options::default() };
    assert!(
        complaint_with(&good(), &few)
            .contains("iat10.json:1: is not readable as JSON: there are more than 0 invocations")
    );
}

proptest! {
    /// What a plan says is what is due: nothing is lost to rounding, as sums of whole microseconds are.
    #[test]
    fn round_trip(gaps in prop::collection::vec(0_u32..10_000_000, 1..40)) {
        let iat: Vec<String> = gaps.iter().map(|gap| format!("{}.{:03}", gap / 1000, gap % 1000)).collect();
        let sizes = vec![r#"{"Runtime":1,"Memory":2}"#; gaps.len()].join(",");
        let files = files(&[("iat0.json", &plan(&format!("[{}]", iat.join(",")), &format!("[{sizes}]")))]);
        let found: Vec<u64> = events(&read_all(&files).0.functions[0]).into_iter().map(|(start, ..)| start).collect();
        let mut sum = 0;
        let due: Vec<u64> = gaps.iter().map(|&gap| { sum += u64::from(gap); sum }).collect();
        prop_assert_eq!(found, due);
    }
}
