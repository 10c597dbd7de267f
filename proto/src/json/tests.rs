use prost_types::Duration;

use super::*;
use crate::v1;
use crate::v1::{BurstMode, ColdStartMode, FunctionSpec, RunProgress, RunSpec, run_spec::Mode};

fn spec() -> RunSpec {
    RunSpec {
        name: "burst-demo".to_owned(),
        platform: "local".to_owned(),
        seed: Some(42),
        function: Some(FunctionSpec { kind: "trace".to_owned(), ..FunctionSpec::default() }),
        mode: Some(Mode::Burst(BurstMode {
            target_rps: Some(8),
            burst: Some(10),
            hold: Some(Duration { seconds: 240, nanos: 0 }),
            step_duration: Some(Duration { seconds: 60, nanos: 0 }),
            runtime: Some(Duration { seconds: 0, nanos: 500_000_000 }),
            memory_mib: Some(10),
        })),
        ..RunSpec::default()
    }
}

fn faults(yaml: &str) -> Vec<(String, String)> {
    let (_, faults) = from_yaml::<RunSpec>(yaml);
    faults.into_iter().map(|fault| (fault.field, fault.description)).collect()
}

#[test]
fn a_spec_file_is_the_message() {
    let (read, faults) = from_yaml::<RunSpec>(
        "
name: burst-demo
platform: local
seed: 42
function: { kind: trace }
burst: { targetRps: 8, burst: 10, hold: 4m, stepDuration: 1m, runtime: 500ms, memoryMib: 10MiB }
",
    );
    assert_eq!(faults, []);
    assert_eq!(read, spec());
}

#[test]
fn writing_and_reading_give_the_same_message() {
    assert_eq!(from_yaml::<RunSpec>(&to_yaml(&spec())), (spec(), vec![]));
    assert_eq!(from_value::<RunSpec>(&to_value(&spec(), Integers::Strings)), (spec(), vec![]));
}

#[test]
fn the_json_form_has_proto3_names_and_units() {
    let expected = serde_json::json!({
        "name": "burst-demo", "platform": "local", "seed": "42", "function": {"kind": "trace"},
        "burst": {"targetRps": 8, "burst": 10, "hold": "240s", "stepDuration": "60s", "runtime": "0.500s", "memoryMib": 10},
    });
    assert_eq!(to_value(&spec(), Integers::Strings), expected);
}

#[test]
fn a_full_value_writes_zeros() {
    let full = to_full_value(&RunProgress::default(), Integers::Numbers);
    assert_eq!(full["issued"], serde_json::json!(0));
    assert_eq!(full["saturated"], serde_json::json!(false));
}

#[test]
fn every_fault_is_found_in_one_pass() {
    let found = faults(
        "
nmae: x
platfrom: local
seed: -1
burst: { targetRps: many, hold: 4, memoryMib: 10 apples, burst: 1.5, zebra: 1 }
overload: 3
",
    );
    let fields: Vec<_> = found.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "nmae",
            "platfrom",
            "seed",
            "burst.targetRps",
            "burst.hold",
            "burst.memoryMib",
            "burst.burst",
            "burst.zebra",
            "overload"
        ]
    );
    let texts: Vec<_> = found.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts[0], "unknown field; did you mean name?");
    assert_eq!(texts[1], "unknown field; did you mean platform?");
    assert_eq!(texts[2], "-1 is not between 0 and 18446744073709551615");
    assert_eq!(texts[3], "must be a whole number, not \"many\"");
    assert_eq!(texts[4], "4 has no unit: write it as 4s or 4ms");
    assert_eq!(texts[5], "\"10 apples\" is not a memory size: write it as 170MiB or 1GiB");
    assert_eq!(texts[6], "must be a whole number, not 1.5");
    assert_eq!(texts[7], "unknown field; known are targetRps, burst, hold, stepDuration, runtime, memoryMib");
    assert_eq!(texts[8], "must hold fields, not 3");
}

#[test]
fn two_modes_are_one_too_many() {
    let found = faults("burst: {}\nrps: {}\n");
    assert_eq!(found, [("rps".to_owned(), "conflicts with burst: set only one of them".to_owned())]);
}

#[test]
fn items_of_a_list_have_their_place() {
    let found = faults("coldstart: { coldStarts: [1, two, 3] }");
    assert_eq!(found, [("coldstart.coldStarts[1]".to_owned(), "must be a whole number, not \"two\"".to_owned())]);
    let (read, _) = from_yaml::<RunSpec>("coldstart: { coldStarts: [1, 2] }");
    assert_eq!(read.mode, Some(Mode::Coldstart(ColdStartMode { cold_starts: vec![1, 2], ..ColdStartMode::default() })));
}

#[test]
fn broken_text_names_its_line() {
    let found = faults("name: x\nburst: {\n");
    let description = "not readable as YAML or JSON: line 2 column 8: unclosed bracket '{'".to_owned();
    assert_eq!(found, [(String::new(), description)]);
}

#[test]
fn a_file_that_is_no_spec_is_a_fault() {
    assert_eq!(faults("just text"), [(String::new(), "must hold fields, not \"just text\"".to_owned())]);
}

#[test]
fn durations_as_people_write_them() {
    let ok = |text| parse_duration(text).map(|it| (it.seconds, it.nanos));
    assert_eq!(ok("240s"), Ok((240, 0)));
    assert_eq!(ok("1.5s"), Ok((1, 500_000_000)));
    assert_eq!(ok("4m"), Ok((240, 0)));
    assert_eq!(ok("1h 30m"), Ok((5400, 0)));
    assert_eq!(ok("500ms"), Ok((0, 500_000_000)));
    assert_eq!(ok("-500ms"), Ok((0, -500_000_000)));
    assert_eq!(ok("-3s"), Ok((-3, 0)));
    for text in ["", "4", "four", "4 apples", "99999999999999999999s"] {
        assert!(parse_duration(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_duration_that_is_accepted_can_be_written_again() {
    for longest in ["315576000000s", "-315576000000s", "87660000h"] {
        let duration = parse_duration(longest).expect("a duration");
        assert_eq!(parse_duration(&duration.to_string()), Ok(duration), "{longest}");
    }
    for text in ["315576000001s", "-315576000001s", "87660001h", "200000000000y"] {
        let error = format!("{text:?} is too long: a duration is at most 315576000000s");
        assert_eq!(parse_duration(text), Err(error));
    }
}

#[test]
fn sizes_as_people_write_them() {
    assert_eq!(parse_mib("170"), Ok(170));
    assert_eq!(parse_mib("170MiB"), Ok(170));
    assert_eq!(parse_mib("1 GiB"), Ok(1024));
    assert_eq!(parse_mib("1Ti"), Ok(1 << 20));
    assert_eq!(parse_mib("0.5GiB"), Ok(512));
    assert_eq!(parse_mib("1.25 Gi"), Ok(1280));
    assert_eq!(
        parse_mib("0.000001TiB"),
        Err("\"0.000001TiB\" is 1.04 MiB: write a whole number of them, such as 1MiB or 2MiB".to_owned())
    );
    assert_eq!(parse_mib("1048576KB"), Ok(1000));
    for (text, size) in
        [("128MB", "122.07 MiB"), ("1.5MiB", "1.50 MiB"), ("100MB", "95.36 MiB"), ("512KiB", "0.50 MiB")]
    {
        let refused = parse_mib(text).expect_err("not whole");
        assert!(
            refused.starts_with(&format!("{text:?} is {size}: write a whole number of them, such as ")),
            "{refused}"
        );
    }
    for text in
        ["", "MiB", "-1", "9999999999GiB", "5 apples", ".5GiB", "5.GiB", "1.2.3GiB", "0.1234567890123456789012GiB"]
    {
        assert!(parse_mib(text).is_err(), "{text:?}");
    }
}

#[test]
fn every_text_of_a_message_is_made_visible_however_deep_it_lies() {
    let run = v1::Run {
        reason: "failed:\n\u{1b}]0;x\u{7}".to_owned(),
        spec: Some(v1::RunSpec { name: "\u{202e}name".to_owned(), ..v1::RunSpec::default() }),
        queue_position: 3,
        ..v1::Run::default()
    };
    let labels = [("a\r".to_owned(), "b\t".to_owned())].into();
    let values = v1::QueryMetricsResponse {
        values: vec![v1::MetricValue { labels, value: "plain".to_owned(), unix_seconds: 1.5 }],
    };
    let shown = visible(&v1::ListRunsResponse { runs: vec![run], next_page_token: String::new() });
    assert_eq!(shown.runs[0].reason, r"failed:\n\u{1b}]0;x\u{7}");
    assert_eq!(shown.runs[0].spec.as_ref().unwrap().name, r"\u{202e}name");
    assert_eq!(shown.runs[0].queue_position, 3);
    let shown = visible(&values);
    assert_eq!(shown.values[0].labels.iter().next().unwrap(), (&r"a\r".to_owned(), &r"b\t".to_owned()));
    assert_eq!((shown.values[0].value.as_str(), shown.values[0].unix_seconds), ("plain", 1.5));
}

#[test]
fn a_second_document_and_a_key_twice_are_told_without_the_librarys_names() {
    for (text, expected) in [
        (
            "burst: {}\n---\nrps: {}\n",
            "line 3 column 1: a second document begins: a file holds one, so leave out \"---\" or split the file",
        ),
        ("seed: 1\nseed: 2\n", "line 2 column 1: the key seed is there twice: leave one of them out"),
        ("burst:\n  hold: 1s\n  hold: 2s\n", "line 3 column 3: the key hold is there twice: leave one of them out"),
        ("{\"seed\": 1, \"seed\": 2}", "line 1 column 13: the key seed is there twice: leave one of them out"),
    ] {
        let found = faults(text);
        assert_eq!(found, [(String::new(), expected.to_owned())]);
    }
}

#[test]
fn a_target_and_a_count_of_a_disturbance_have_short_forms() {
    let (short, faults) = from_yaml::<RunSpec>("workers: 8");
    let (long, _) = from_yaml::<RunSpec>("workers: { count: 8 }");
    assert_eq!((short, faults), (long, Vec::new()));
    let (_, faults) = from_yaml::<RunSpec>("workers: many");
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!(faults[0].field, "workers.count");
    let (short, faults) = from_yaml::<RunSpec>("disturb: [{ at: 1m, do: deletePods, of: gateway, count: 2 }]");
    assert_eq!(faults, []);
    let (long, faults) =
        from_yaml::<RunSpec>("disturb: [{ at: 60s, action: deletePods, of: { component: gateway }, count: \"2\" }]");
    assert_eq!((faults, &long), (vec![], &short));
    assert_eq!(from_yaml::<RunSpec>(&to_yaml(&short)), (short, vec![]));
    assert_eq!(faults_of_disturb("{ of: [gateway] }"), ["disturb[0].of: must hold fields, not a list"]);
    assert_eq!(faults_of_disturb("{ count: true }"), ["disturb[0].count: must be text, not true"]);
}

fn faults_of_disturb(entry: &str) -> Vec<String> {
    faults(&format!("disturb: [{entry}]")).into_iter().map(|(field, text)| format!("{field}: {text}")).collect()
}

#[test]
fn a_share_of_a_study_may_be_in_per_cent() {
    let (study, faults) = from_yaml::<v1::StudySpec>("margin: 2.5 %\nuntil: { halfWidth: 10% }\nbaseline: { seed: 7 }");
    assert_eq!(faults, []);
    assert_eq!((study.margin, study.until.and_then(|until| until.half_width)), (Some(0.025), Some(0.1)));
    assert_eq!(study.baseline["seed"], "7");
    for wrong in ["margin: much%", "margin: '5'%"] {
        assert_eq!(from_yaml::<v1::StudySpec>(wrong).1.len(), 1, "{wrong}");
    }
}
