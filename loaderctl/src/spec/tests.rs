use std::{collections::BTreeSet, fs};

use clap::Parser;
use loader_proto::json::{Fault, Integers, to_value};
use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorSet, field_descriptor_proto::Type};
use serde_json::{Value, json};

use super::{
    Draft, SpecArguments,
    flags::{FLAGS, Mode},
};

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    spec: SpecArguments,
}

fn draft(arguments: &[&str]) -> Draft {
    let line = Line::try_parse_from([&["x"], arguments].concat()).expect("arguments");
    Draft::read(&line.spec).expect("a draft")
}

fn spec(arguments: &[&str]) -> Value {
    let draft = draft(arguments);
    assert_eq!(draft.faults, [], "{arguments:?}");
    to_value(&draft.spec, Integers::Strings)
}

fn messages(faults: Vec<Fault>) -> Vec<String> {
    faults.into_iter().map(|Fault { field, description }| format!("{field}: {description}")).collect()
}

#[test]
fn each_flag_reaches_its_field() {
    let every = [
        ("--name=demo", "/name", json!("demo")),
        ("--platform=attach", "/platform", json!("attach")),
        ("--seed=18446744073709551615", "/seed", json!("18446744073709551615")),
        ("--kind=empty", "/function/kind", json!("empty")),
        ("--startup-busy-loop=byMemory", "/function/startupBusyLoop", json!("byMemory")),
        ("--protocol=http1", "/function/protocol", json!("http1")),
        ("--http-method=PUT", "/function/http/method", json!("PUT")),
        ("--http-path=/{function}", "/function/http/path", json!("/{function}")),
        ("--http-header=x-a: b:c", "/function/http/headers", json!({"x-a": "b:c"})),
        ("--disturb={at: 2s, do: restart, of: gateway}", "/disturb/0/of/component", json!("gateway")),
        ("--workers=8", "/workers/count", json!(8)),
        ("--on-worker-loss=abort", "/workers/onWorkerLoss", json!("abort")),
        ("--max-clock-error=200us", "/workers/maxClockError", json!("0.000200s")),
        ("--orphan-timeout=1m", "/workers/orphanTimeout", json!("60s")),
        ("--worker-start-timeout=20s", "/workers/startTimeout", json!("20s")),
        ("--worker-node=pool:load", "/workers/placement/nodeSelector", json!({"pool": "load"})),
        ("--workers-beside-functions=never", "/workers/placement/functions", json!("never")),
        ("--workers-beside-workers=allow", "/workers/placement/workers", json!("allow")),
        ("--worker-cpu=0.5", "/workers/cpu", json!(0.5)),
        ("--worker-memory=2GiB", "/workers/memoryMib", json!(2048)),
        ("--http-body={runtime_ms}", "/function/http/body", json!("{runtime_ms}")),
        ("--arrivals=poisson", "/arrivals", json!("poisson")),
        ("--function-timeout=90s", "/functionTimeout", json!("90s")),
        ("--connect-timeout=500ms", "/connectTimeout", json!("0.500s")),
        ("--drain-timeout=4m", "/drainTimeout", json!("240s")),
        ("--failure-ratio=0.5", "/overload/failureRatio", json!(0.5)),
        ("--tolerance=3", "/overload/tolerance", json!(3)),
        ("--saturation-lag=5ms", "/saturation/lag", json!("0.005s")),
        ("--saturation-abort", "/saturation/abort", json!(true)),
        ("--max-in-flight=9", "/maxInFlight", json!(9)),
        ("--max-memory-in-flight=2GiB", "/maxMemoryInFlight", json!(2048)),
        ("--initial-scale=0", "/scaling/initialScale", json!(0)),
        ("--min-scale=1", "/scaling/minScale", json!(1)),
        ("--max-scale=2", "/scaling/maxScale", json!(2)),
        ("--container-concurrency=4", "/scaling/containerConcurrency", json!(4)),
        ("--stable-window=1m", "/scaling/stableWindow", json!("60s")),
        ("--attach=h:1=a.example", "/attach/targets", json!([{"address": "h:1", "authority": "a.example"}])),
    ];
    let of_modes = [
        ("trace", "--upload=id", "/trace/upload", json!("id")),
        ("trace", "--format=triplet", "/trace/format", json!("triplet")),
        ("trace", "--granularity=second", "/trace/granularity", json!("second")),
        ("trace", "--skip-incomplete=true", "/trace/skipIncomplete", json!(true)),
        ("trace", "--min-runtime=2ms", "/trace/minRuntime", json!("0.002s")),
        ("trace", "--max-runtime=2s", "/trace/maxRuntime", json!("2s")),
        ("trace", "--min-memory=2", "/trace/minMemoryMib", json!(2)),
        ("trace", "--max-memory=1GiB", "/trace/maxMemoryMib", json!(1024)),
        ("trace", "--duration=5m", "/trace/duration", json!("300s")),
        ("rps", "--start=0.5", "/rps/start", json!(0.5)),
        ("rps", "--end=20", "/rps/end", json!(20.0)),
        ("rps", "--step=2", "/rps/step", json!(2.0)),
        ("rps", "--slot=30s", "/rps/slot", json!("30s")),
        ("rps", "--functions=3", "/rps/functions", json!(3)),
        ("rps", "--runtime=10ms", "/rps/runtime", json!("0.010s")),
        ("rps", "--memory=64MiB", "/rps/memoryMib", json!(64)),
        ("rps", "--cold-start-ratio=0.1", "/rps/coldStartRatio", json!(0.1)),
        ("rps", "--cooldown=70s", "/rps/cooldown", json!("70s")),
        ("burst", "--target-rps=6", "/burst/targetRps", json!(6)),
        ("burst", "--burst=12", "/burst/burst", json!(12)),
        ("burst", "--hold=20s", "/burst/hold", json!("20s")),
        ("burst", "--step-duration=5s", "/burst/stepDuration", json!("5s")),
        ("burst", "--runtime=50ms", "/burst/runtime", json!("0.050s")),
        ("burst", "--memory=10MiB", "/burst/memoryMib", json!(10)),
        ("coldstart", "--cold-starts=5,1, 2", "/coldstart/coldStarts", json!([5, 1, 2])),
        ("coldstart", "--start=1", "/coldstart/start", json!(1.0)),
        ("coldstart", "--step=0", "/coldstart/step", json!(0.0)),
        ("coldstart", "--functions=20", "/coldstart/functions", json!(20)),
        ("coldstart", "--slot=60s", "/coldstart/slot", json!("60s")),
        ("coldstart", "--duration=3m", "/coldstart/duration", json!("180s")),
        ("coldstart", "--runtime=1s", "/coldstart/runtime", json!("1s")),
        ("coldstart", "--memory=170", "/coldstart/memoryMib", json!(170)),
    ];
    let every = every.map(|(flag, field, value)| ("rps", flag, field, value));
    for (mode, flag, field, expected) in every.iter().chain(&of_modes) {
        let spec = spec(&["--mode", mode, flag]);
        assert_eq!(spec.pointer(field), Some(expected), "{flag} of {mode}: {spec}");
        assert!(spec.get(mode).is_some(), "{flag} of {mode}: {spec}");
    }
}

/// Paths of all fields of a message, in JSON names.
fn fields(files: &FileDescriptorSet, message: &str, prefix: &str, paths: &mut BTreeSet<String>) {
    let all = files.file.iter().flat_map(|file| &file.message_type);
    let named = |it: &&DescriptorProto| message.ends_with(&format!(".{}", it.name()));
    let descriptor = all.into_iter().find(named).expect("a message");
    for field in &descriptor.field {
        let path = format!("{prefix}{}", field.json_name());
        let is_group = field.r#type() == Type::Message && field.type_name().starts_with(".loader.v1.");
        if is_group && !["targets", "headers", "disturb", "nodeSelector"].contains(&field.json_name()) {
            fields(files, field.type_name(), &format!("{path}."), paths);
        } else {
            paths.insert(path);
        }
    }
}

#[test]
fn each_field_has_a_flag() {
    let files = FileDescriptorSet::decode(loader_proto::DESCRIPTORS).expect("descriptors");
    let mut expected = BTreeSet::new();
    fields(&files, ".loader.v1.RunSpec", "", &mut expected);
    let mut there = BTreeSet::new();
    for flag in FLAGS {
        let modes = if flag.group.modes.is_empty() { &[Mode::Rps] } else { flag.group.modes };
        there.extend(modes.iter().map(|mode| flag.path(*mode)));
    }
    assert_eq!(there, expected);
}

#[test]
fn a_mode_needs_no_other_flag() {
    assert_eq!(spec(&["--mode", "burst"]), json!({ "burst": {} }));
}

#[test]
fn flags_of_other_modes_are_faults_all_at_once() {
    let found = draft(&["--mode=burst", "--slot=3s", "--trace=x", "--hold=banana", "--runtime=1s", "--seed=-1"]);
    assert_eq!(
        messages(found.into_faults()),
        [
            "--trace: belongs to mode trace; the run's mode is burst",
            "--slot: belongs to modes rps and coldstart; the run's mode is burst",
            "spec: burst.hold: \"banana\" is not a duration: write it as 90s, 4m or 500ms (--hold)",
            "spec: seed: -1 is not between 0 and 18446744073709551615 (--seed)",
        ]
    );
    let without = messages(draft(&["--hold=3s"]).into_faults());
    assert_eq!(without, ["--hold: belongs to mode burst; the run has none"]);
}

fn file(text: &str) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("spec.yaml");
    fs::write(&path, text).expect("written");
    (directory, path.to_str().expect("text").to_owned())
}

#[test]
fn flags_win_over_the_file() {
    let (_directory, file) =
        file("name: a\nseed: 1\nfunction_timeout: 5s\nscaling: { minScale: 1 }\nburst: { burst: 3, hold: 9s }");
    let spec = spec(&[&file, "--seed=2", "--function-timeout=6s", "--max-scale=7", "--hold=8s"]);
    let expected = json!({
        "name": "a", "seed": "2", "functionTimeout": "6s", "scaling": { "minScale": 1, "maxScale": 7 },
        "burst": { "burst": 3, "hold": "8s" },
    });
    assert_eq!(spec, expected);
}

#[test]
fn a_request_comes_from_flags_and_a_file() {
    let (_directory, file) = file(r#"{"ms": {runtime_ms}}"#);
    let body = format!("--http-body=@{file}");
    let spec = spec(&["--mode=rps", "--protocol=http2", "--http-header=a:1", "--http-header=b:2", &body]);
    let http = json!({ "headers": { "a": "1", "b": "2" }, "body": r#"{"ms": {runtime_ms}}"# });
    assert_eq!(spec["function"], json!({ "protocol": "http2", "http": http }));
    let faults = messages(draft(&["--mode=rps", "--http-header=a"]).into_faults());
    assert_eq!(faults, ["spec: function.http.headers: \"a\" must be NAME:VALUE (--http-header)"]);
}

#[test]
fn a_switch_of_the_file_can_be_turned_off() {
    let (_directory, file) = file("saturation: { abort: true }\nrps: {}");
    assert_eq!(spec(&[&file, "--saturation-abort=false"]), json!({ "saturation": {}, "rps": {} }));
}

#[test]
fn the_mode_of_the_file_stands() {
    let (_directory, file) = file("burst: {}");
    let found = messages(draft(&[&file, "--mode=rps"]).into_faults());
    assert_eq!(found, ["--mode: is rps, but the spec file has burst"]);
}

#[test]
fn a_trace_is_looked_for_beside_the_file_that_names_it() {
    let (directory, file) = file("trace: { path: days/one, format: triplet }");
    let draft = draft(&[&file]);
    assert_eq!(draft.trace, Some(directory.path().join("days/one")));
    // The daemon gets an upload's id in its place.
    assert_eq!(to_value(&draft.spec, Integers::Strings), json!({ "trace": { "format": "triplet" } }));
    assert_eq!(self::draft(&[&file, "--trace=two"]).trace, Some("two".into()));
    assert_eq!(self::draft(&[&file, "--upload=id"]).trace, None);
}

#[test]
fn path_and_upload_are_one_too_many() {
    let found = messages(draft(&["--mode=trace", "--trace=a", "--upload=b"]).into_faults());
    assert_eq!(found, ["spec: trace.upload: conflicts with path: set only one of them (--upload)"]);
}

#[test]
fn cold_starts_come_from_files_too() {
    let (_directory, file) = file("5,1,\n 2, 3\n\n");
    let spec = spec(&["--mode=coldstart", &format!("--cold-starts=@{file}")]);
    assert_eq!(spec, json!({ "coldstart": { "coldStarts": [5, 1, 2, 3] } }));
    let missing = messages(draft(&["--mode=coldstart", "--cold-starts=@/nowhere"]).into_faults());
    let expected =
        "spec: coldstart.coldStarts: cannot read /nowhere: No such file or directory (os error 2) (--cold-starts)";
    assert_eq!(missing, [expected]);
}

fn found(fields: &[&str]) -> Vec<Fault> {
    fields.iter().map(|field| Fault { field: (*field).to_owned(), description: "found".to_owned() }).collect()
}

#[test]
fn what_the_daemon_finds_is_added_unless_it_follows_from_a_known_fault() {
    let mut draft = draft(&["--mode=trace", "--trace=x", "--duration=x", "--max-in-flight=0"]);
    draft.add(found(&["trace", "trace.duration", "trace.durations", "maxInFlight", "name"]));
    assert_eq!(
        messages(draft.into_faults()),
        [
            "spec: trace.duration: \"x\" is not a duration: write it as 90s, 4m or 500ms (--duration)",
            "spec: trace.durations: found",
            "spec: maxInFlight: found (--max-in-flight)",
            "spec: name: found",
        ]
    );
    // The source is missing: a wrong duration does not excuse it.
    let mut draft = self::draft(&["--mode=trace", "--duration=x"]);
    draft.add(found(&["trace"]));
    assert_eq!(draft.faults.len(), 2);
    // A list without its wrong items, or a group that could not be read, is not what the user wrote.
    let (_directory, file) = file("burst: 3");
    for (line, fields) in
        [(["--mode=coldstart", "--cold-starts=x"], ["coldstart.coldStarts"]), ([&file, "--seed=1"], ["mode"])]
    {
        let mut draft = self::draft(&line);
        draft.add(found(&fields));
        assert_eq!(draft.faults.len(), 1, "{line:?}");
    }
}

#[test]
fn an_upload_is_told_of_by_its_directory() {
    let draft = draft(&["--mode=trace", "--trace=x"]);
    assert_eq!(messages(draft.refused(found(&["trace.upload"]))), ["spec: trace.path: found (--trace)"]);
    let draft = self::draft(&["--mode=trace", "--upload=x"]);
    assert_eq!(messages(draft.refused(found(&["trace.upload"]))), ["spec: trace.upload: found (--upload)"]);
}

#[test]
fn a_file_that_is_none_is_one_fault() {
    for (text, expected) in [
        ("burst: {", "spec: not readable as YAML or JSON: line 1 column 8: unclosed bracket '{'"),
        ("just text", "spec: must hold fields, not \"just text\""),
    ] {
        let (_directory, file) = file(text);
        let draft = draft(&[&file]);
        assert!(draft.unreadable);
        assert_eq!(messages(draft.into_faults()), [expected]);
    }
}

#[test]
fn what_a_newcomer_tries_is_answered_with_what_would_be_right() {
    let constant =
        "--rps: is no flag; a constant rate is one slot of a sweep: --mode rps --start 10 --end 10 --slot 1m";
    assert_eq!(messages(draft(&["--mode=rps", "--rps", "10"]).into_faults()), [constant]);
    let mut without_mode = draft(&["--rps=10"]);
    without_mode.add(found(&["mode"]));
    assert_eq!(messages(without_mode.into_faults()), [constant]);
    let duration = draft(&["--mode=rps", "--duration=1m"]).into_faults();
    assert_eq!(
        messages(duration),
        [
            "--duration: belongs to modes trace and coldstart; the run's mode is rps; a slot lasts --slot, and the run ends \
          with the slot of --end"
        ]
    );
}

#[test]
fn a_mode_that_is_named_is_answered_with_its_field() {
    for (text, expected) in [
        (
            "mode: burst",
            "spec: mode: is no field: the mode is a field of its own name; write \"burst: {}\" in its place",
        ),
        (
            "mode: rps\nrps: { start: 3 }",
            "spec: mode: is no field: the mode is that of the field rps, which is there; leave mode out",
        ),
        (
            "mode: { x: 1 }",
            "spec: mode: is no field: the mode is a field of its own name; write \"burst: {}\" in its place",
        ),
    ] {
        let (_directory, file) = file(text);
        let mut draft = draft(&[&file]);
        draft.add(found(&["mode"]));
        assert_eq!(messages(draft.into_faults()), [expected], "{text}");
    }
}

#[test]
fn a_configuration_of_invitro_is_a_spec_that_flags_win_over() {
    let (_directory, file) = file(
        r#"{ "Seed": 1, "platform": "Knative", "InvokeProtocol": "grpc", "TracePath": "RPS", "RpsTarget": 2, "RpsRuntimeMs": 5,
            "RpsMemoryMB": 9, "ExperimentDuration": 1, "CPULimit": "1vCPU", "GRPCFunctionTimeoutSeconds": 9 }"#,
    );
    let spec = spec(&[&file, "--platform=local", "--start=7", "--seed=3"]);
    assert_eq!((&spec["platform"], &spec["seed"]), (&json!("local"), &json!("3")));
    assert_eq!((&spec["rps"]["start"], &spec["rps"]["slot"]), (&json!(7.0), &json!("60s")));
    let draft = draft(&[&file]);
    assert!(draft.notes[0].ends_with(" is a configuration of InVitro; as a spec:"), "{:?}", draft.notes);
    assert!(draft.notes.contains(&"  seed: 1".to_owned()), "{:?}", draft.notes);
    // What the daemon finds is told by the key.
    let refused = messages(draft.refused(found(&["rps.runtime", "name"])));
    assert_eq!(refused, ["spec: rps.runtime: found (InVitro's RpsRuntimeMs)", "spec: name: found"]);
}

#[test]
fn unknown_keys_of_invitro_need_lenience_and_specs_do_not_have_it() {
    let (_directory, file) = file(r#"{ "TracePath": "t", "ExperimentDuration": 1, "Foo": 1 }"#);
    let refused = draft(&[&file, "--platform=local"]);
    assert!(refused.unreadable);
    assert_eq!(messages(refused.into_faults()), ["InVitro's Foo: is no key of InVitro's (--lenient leaves it out)"]);
    assert_eq!(draft(&[&file, "--lenient"]).faults, []);
    let found = messages(draft(&["--mode=burst", "--lenient"]).into_faults());
    assert_eq!(found, ["--lenient: belongs to configurations of InVitro"]);
}

#[test]
fn disturbances_are_entries_of_a_spec() {
    let spec =
        spec(&["--mode=rps", "--disturb={at: 1s, do: killInstances}", "--disturb={at: 2s, do: cordon, for: 1m}"]);
    let expected = json!([{"at": "1s", "do": "killInstances"}, {"at": "2s", "do": "cordon", "for": "60s"}]);
    assert_eq!(spec["disturb"], expected);
    let faults = messages(draft(&["--mode=rps", "--disturb=killInstances"]).into_faults());
    let rule = "must be fields in braces, such as {at: 60s, do: killInstances}";
    assert_eq!(faults, [format!("spec: disturb: \"killInstances\" {rule} (--disturb)")]);
    let faults = messages(draft(&["--mode=rps", "--disturb={at: 1, what: x}"]).into_faults());
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults.iter().all(|fault| fault.starts_with("spec: disturb[0].")), "{faults:?}");
}

#[test]
fn workers_may_be_written_by_their_number() {
    let (_directory, file) = file("workers: 8\nburst: {}");
    assert_eq!(spec(&[&file])["workers"], json!({ "count": 8 }));
    let with_more = spec(&[&file, "--on-worker-loss=abort"]);
    assert_eq!(with_more["workers"], json!({ "count": 8, "onWorkerLoss": "abort" }));
    assert_eq!(spec(&[&file, "--workers=4"])["workers"], json!({ "count": 4 }));
}
