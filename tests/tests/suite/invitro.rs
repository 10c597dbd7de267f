//! Files of InVitro, as its users have them: equivalents of the 22 configurations that it ships, with the same names in the same
//! folders and the same keys; values that do not matter are others.

#![expect(clippy::expect_used, reason = "this is a test, which ends by a panic")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use loader_tests::{Daemon, Ran, bin, root, run};
use serde_json::{Value, json};

/// What is to become of a configuration.
enum Expected {
    /// A plan, with these lines.
    Plan(&'static [&'static str]),
    /// One fault, which names these.
    Refused(&'static [&'static str]),
}
use Expected::{Plan, Refused};

/// What is said of files that describe many runs.
const STUDY: &str = "is for a study of many runs";

/// A loader configuration with the keys that all of them have, and more.
fn loader(platform: &str, more: Value) -> Value {
    let mut keys = json!({
        "Seed": 7, "Platform": platform, "InvokeProtocol": "grpc", "YAMLSelector": "container", "EndpointPort": 8080,
        "TracePath": "data/traces/example", "Granularity": "minute", "OutputPathPrefix": "out/x",
        "IATDistribution": "exponential", "CPULimit": "1vCPU", "ExperimentDuration": 3, "WarmupDuration": 0,
        "IsPartiallyPanic": false, "EnableZipkinTracing": false, "EnableMetricsScrapping": false,
        "MetricScrapingPeriodSeconds": 15, "AutoscalingMetric": "concurrency", "GRPCConnectionTimeoutSeconds": 15,
        "GRPCFunctionTimeoutSeconds": 900,
    });
    merge(&mut keys, more);
    keys
}

fn merge(keys: &mut Value, more: Value) {
    let (Value::Object(keys), Value::Object(more)) = (keys, more) else { unreachable!("two objects") };
    keys.extend(more);
}

/// The keys of a constant rate, and more.
fn rate(more: Value) -> Value {
    let mut keys = json!({
        "TracePath": "RPS", "IATDistribution": "equidistant", "RpsTarget": 1, "RpsColdStartRatioPercentage": 0,
        "RpsCooldownSeconds": 10, "RpsRuntimeMs": 10, "RpsMemoryMB": 64, "RpsIterationMultiplier": 80,
        "ExperimentDuration": 1,
    });
    merge(&mut keys, more);
    keys
}

/// The keys of its graphs, which most configurations carry.
fn with_dags(more: Value) -> Value {
    let mut keys = json!({ "DAGMode": false, "EnableDAGDataset": true, "Width": 2, "Depth": 2 });
    merge(&mut keys, more);
    keys
}

fn dirigent(more: Value) -> Value {
    let mut keys = json!({
        "Backend": "containerd", "DirigentControlPlaneIP": "10.0.0.1:9091", "BusyLoopOnSandboxStartup": false,
        "PrepullMode": "", "AsyncMode": false, "AsyncResponseURL": "10.0.0.1:8082", "AsyncWaitToCollectMin": 1,
        "RpsImage": "empty", "RpsDataSizeMB": 0.0, "Workflow": false,
    });
    merge(&mut keys, more);
    keys
}

fn through_dirigent(file: &str, more: Value) -> Value {
    let mut keys = json!({ "InvokeProtocol": "http2", "DirigentConfigPath": format!("cmd/dirigent/{file}.json") });
    merge(&mut keys, more);
    loader("Dirigent", keys)
}

/// A configuration by its place, and what is to become of it.
type Shipped = (&'static str, Value, Expected);

/// The 22.
fn configurations() -> Vec<Shipped> {
    [for_knative(), for_other_platforms(), for_other_programs()].into_iter().flatten().collect()
}

fn for_knative() -> Vec<Shipped> {
    let attach = &["InVitro's VSwarm: ", "--attach"][..];
    let vswarm = |minutes: u32| loader("Knative", with_dags(json!({ "VSwarm": true, "ExperimentDuration": minutes })));
    let busy = json!({ "BusyLoopOnSandboxStartup": false });
    let exact = json!({ "TracePath": "data/traces/example/Azure2021/few.csv" });
    let cold = json!({
        "RpsColdStartRatioPercentage": 100, "RpsImage": "x/empty", "ExperimentDuration": 2, "BusyLoopOnSandboxStartup": false,
    });
    let rates = &["plan         rps on knative", "invocations  120", "functions    11", "length       2m"];
    let trace = &["plan         trace on knative", "length       3m"];
    let seconds = json!({ "Granularity": "second", "ExperimentDuration": 5 });
    let slow = json!({ "RpsTarget": 0.5, "WarmupDuration": 1 });
    let equidistant = json!({ "IATDistribution": "equidistant" });
    vec![
        ("cmd/config_knative_trace.json", loader("Knative", with_dags(busy)), Plan(trace)),
        ("cmd/config_knative2021_trace.json", loader("Knative", with_dags(exact)), Plan(&["invocations  2"])),
        ("cmd/config_knative_rps.json", loader("Knative", rate(cold)), Plan(rates)),
        ("cmd/test_config.json", loader("Knative", with_dags(equidistant)), Plan(trace)),
        ("cmd/config_vswarm_trace.json", vswarm(10), Refused(attach)),
        ("cmd/test_vswarm_config.json", vswarm(2), Refused(attach)),
        // Two of its tests' own.
        ("pkg/config/test_config.json", loader("knative", seconds), Plan(&["length       5s"])),
        (
            "pkg/config/test_config_rps.json",
            loader("KNATIVE", rate(slow)),
            Plan(&["invocations  60", "length       2m"]),
        ),
    ]
}

fn for_other_platforms() -> Vec<Shipped> {
    let platform = &["InVitro's Platform: is Dirigent: this loader has no such platform"][..];
    let workflow = &["InVitro's Platform: is Dirigent: this loader has no such platform, nor its workflows"][..];
    let rates = || rate(json!({}));
    let seconds = json!({ "Granularity": "second" });
    let busy = json!({ "BusyLoopOnSandboxStartup": false });
    let through = through_dirigent;
    vec![
        ("cmd/test_config_aws.json", loader("AWSLambda", seconds), Refused(&["InVitro's Platform: is AWSLambda"])),
        ("cmd/config_azure_trace.json", loader("AzureFunctions", busy), Refused(&["Platform: is AzureFunctions"])),
        (
            "cmd/config_dirigent_trace.json",
            through("config_containerd", json!({ "DAGMode": false })),
            Refused(platform),
        ),
        ("cmd/config_dirigent_rps.json", through("config_containerd", rates()), Refused(platform)),
        ("cmd/config_dirigent_dandelion_trace.json", through("config_dandelion", json!({})), Refused(platform)),
        ("cmd/config_dirigent_dandelion_rps.json", through("config_dandelion", rates()), Refused(platform)),
        (
            "cmd/config_dirigent_dandelion_workflow_rps.json",
            through("config_dandelion_workflow", rates()),
            Refused(workflow),
        ),
    ]
}

fn for_other_programs() -> Vec<Shipped> {
    let of_dirigent = &["InVitro's Dirigent configuration: is for platform Dirigent"][..];
    let dandelion = json!({ "Backend": "dandelion" });
    let workflow = json!({ "Backend": "dandelion", "Workflow": true, "WorkflowConfigPath": "w.json" });
    let chain = json!({
        "Name": "chain", "Functions": [{ "FunctionName": "F", "FunctionPath": "f", "NumArgs": 1, "NumRets": 0 }],
        "Compositions": [{ "Name": "C", "InData": [[""]] }],
    });
    let failure = json!({ "FailureEnabled": false, "FailAt": 60, "FailComponent": "data_plane", "FailNode": "" });
    let study =
        json!({ "Name": "s", "Config": { "ExperimentDuration": 1 }, "TracesFormat": "t/{}", "TraceValues": [1] });
    let many = json!({
        "Studies": [study], "IatGeneration": false, "Generated": false, "PreScript": "", "PostScript": "",
        "BaseConfigPath": "b.json",
    });
    let driver = json!({
        "username": "u", "experimentName": "e", "loaderAddresses": ["h"], "beginningFuncNum": 3, "maxFuncNum": 3,
        "YAMLSelector": "container", "IATDistribution": "exponential", "Granularity": "minute",
    });
    vec![
        ("cmd/dirigent/config_containerd.json", dirigent(json!({})), Refused(of_dirigent)),
        ("cmd/dirigent/config_dandelion.json", dirigent(dandelion), Refused(of_dirigent)),
        ("cmd/dirigent/config_dandelion_workflow.json", dirigent(workflow), Refused(of_dirigent)),
        ("cmd/config_basic_chain.json", chain, Refused(&["InVitro's workflow configuration: is for workflows"])),
        (
            "cmd/failure.json",
            failure,
            Refused(&["InVitro's failure configuration: ", "loaderctl import CONFIG.json --failure"]),
        ),
        (
            "multi/multi_loader_config.json",
            many,
            Refused(&["InVitro's multi-loader configuration: ", STUDY, "BaseConfigPath"]),
        ),
        ("multi/driverConfig.json", driver, Refused(&["InVitro's experiment driver configuration: ", STUDY])),
    ]
}

/// A repository as InVitro's, with a sample trace.
fn repository() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path().join("invitro");
    let example = here.join("data/traces/example");
    fs::create_dir_all(example.join("Azure2021")).expect("makes");
    for entry in fs::read_dir(root().join("workloads/traces/small")).expect("is there").flatten() {
        fs::copy(entry.path(), example.join(entry.file_name())).expect("copies");
    }
    let few = "app,func,end_timestamp,duration\na,f,61.5,0.5\na,g,200.25,1.25\n";
    fs::write(example.join("Azure2021/few.csv"), few).expect("writes");
    (folder, here)
}

fn write(at: &Path, configuration: &Value) {
    fs::create_dir_all(at.parent().expect("a folder")).expect("makes");
    fs::write(at, format!("{configuration:#}")).expect("writes");
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

#[test]
fn each_shipped_configuration_gives_a_plan_or_says_what_is_not_there() {
    let (folder, here) = repository();
    let daemon = Daemon::start(&folder.path().join("state"));
    let configurations = configurations();
    assert_eq!(configurations.len(), 22);
    for (name, configuration, _) in &configurations {
        write(&here.join(name), configuration);
    }
    for (name, _, expected) in &configurations {
        let ran = daemon.ctl(&["plan", text(&here.join(name))]);
        match expected {
            Plan(lines) => {
                assert_eq!(ran.code, 0, "{name}: {ran:?}");
                for line in *lines {
                    assert!(
                        ran.stdout.lines().any(|found| found == *line),
                        "{name}: {line:?} is not in {}",
                        ran.stdout
                    );
                }
                assert!(ran.stderr.contains("is a configuration of InVitro; as a spec:\n"), "{name}: {}", ran.stderr);
                assert!(ran.stderr.contains("\ndropped EndpointPort (8080): "), "{name}: {}", ran.stderr);
            }
            Refused(parts) => {
                assert_eq!((ran.code, ran.stderr.lines().count()), (2, 1), "{name}: {ran:?}");
                assert!(
                    parts.iter().all(|part| ran.stderr.contains(part)),
                    "{name}: {parts:?} is not in {}",
                    ran.stderr
                );
            }
        }
    }
}

#[test]
fn what_another_platform_would_get_is_planned_for_one_that_is_named() {
    let (folder, here) = repository();
    let daemon = Daemon::start(&folder.path().join("state"));
    let file = here.join("cmd/config_dirigent_trace.json");
    write(&file, &through_dirigent("config_containerd", json!({})));
    let ran = daemon.ctl(&["plan", text(&file), "--platform", "local"]).ok();
    assert!(ran.stdout.starts_with("plan         trace on local\n"), "{ran:?}");
    let file = here.join("cmd/config_vswarm_trace.json");
    write(&file, &loader("Knative", json!({ "VSwarm": true })));
    let ran = daemon.ctl(&["plan", text(&file), "--attach", "127.0.0.1:80=f.default.example.com"]).ok();
    assert!(ran.stdout.starts_with("plan         trace on attach\n"), "{ran:?}");
}

/// Runs `loaderctl import`, with no daemon there.
fn import(arguments: &[&str]) -> Ran {
    let offline = ["--address", "http://127.0.0.1:9", "import"];
    run(bin("loaderctl"), offline.into_iter().chain(arguments.iter().copied()))
}

#[test]
fn a_configuration_and_the_spec_that_is_imported_from_it_have_the_same_plan() {
    let (folder, here) = repository();
    let daemon = Daemon::start(&folder.path().join("state"));
    let file = here.join("cmd/config_knative_trace.json");
    write(&file, &loader("Knative", json!({ "WarmupDuration": 1 })));
    let planned = daemon.ctl(&["--output", "json", "plan", text(&file)]).ok().stdout;
    let printed = import(&[text(&file)]).ok().stdout;
    assert!(printed.starts_with("# From InVitro's config_knative_trace.json.\n# "), "{printed}");
    assert!(printed.contains("\n# dropped OutputPathPrefix (\"out/x\"): "), "{printed}");
    for spec in [folder.path().join("elsewhere.yaml"), here.join("cmd/beside.yaml")] {
        import(&[text(&file), "--to", text(&spec)]).ok();
        assert_eq!(daemon.ctl(&["--output", "json", "plan", text(&spec)]).ok().stdout, planned);
        // It is not replaced unasked.
        let before = fs::read(&spec).expect("reads");
        write(&here.join("cmd/other.json"), &loader("Knative", json!({ "Seed": 8 })));
        let again = import(&[text(&here.join("cmd/other.json")), "--to", text(&spec)]);
        assert!(again.code == 2 && again.stderr.contains("--force"), "{again:?}");
        assert_eq!(fs::read(&spec).expect("reads"), before);
        import(&[text(&here.join("cmd/other.json")), "--to", text(&spec), "--force"]).ok();
        assert_ne!(fs::read(&spec).expect("reads"), before);
    }
}

#[test]
fn what_cannot_be_imported_is_said_and_leaves_no_file() {
    let (folder, here) = repository();
    let spec = folder.path().join("spec.yaml");
    let refused = |configuration: &Value, more: &[&str]| {
        write(&here.join("c.json"), configuration);
        import(&[&[text(&here.join("c.json")), "--to", text(&spec)], more].concat())
    };
    let unknown = loader("Knative", json!({ "Foo": 1, "ExperimentDuration": 0 }));
    let ran = refused(&unknown, &[]);
    assert_eq!((ran.code, ran.stderr.lines().count()), (2, 2), "{ran:?}");
    assert!(ran.stderr.contains("InVitro's Foo: ") && ran.stderr.contains("InVitro's ExperimentDuration: "), "{ran:?}");
    let ran = refused(&json!({ "burst": {} }), &[]);
    assert!(ran.code == 2 && ran.stderr.contains("is no configuration of InVitro"), "{ran:?}");
    assert!(!spec.exists());
    let lenient = loader("Knative", json!({ "Foo": 1 }));
    let ran = refused(&lenient, &["--lenient"]).ok();
    assert!(ran.stderr.contains("left out Foo: InVitro has no such key"), "{ran:?}");
    assert!(spec.exists());
}

#[test]
fn the_four_files_of_a_run_are_read_by_their_columns() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let run = daemon
        .succeed(&"--mode rps --start 4 --end 4 --slot 2s --runtime 1ms --memory 3MiB".split(' ').collect::<Vec<_>>());
    let to = state.path().join("theirs");
    let id = run["runId"].as_str().expect("an id");
    daemon.ctl(&["results", id, "--layout", "invitro", "--to", text(&to)]).ok();
    let script = "import csv, sys\n\
        kinds = dict(zip('phase instance invocationID startTime requestedDuration grpcConnEstablish responseTime'\n\
        \u{20}' actualDuration connectionTimeout functionTimeout actualMemoryUsage memoryAllocationTimeout'.split(),\n\
        \u{20}[int, str, str, int, int, int, int, int, bool, bool, int, bool]))\n\
        rows = [{k: (v == 'true' if t is bool else t(v)) for (k, t), v in zip(kinds.items(), row)}\n\
        \u{20}for row in list(csv.reader(open(sys.argv[1] + '/rps_duration_1.csv')))[1:]]\n\
        failed = [r for r in rows if r['connectionTimeout'] | r['functionTimeout']]\n\
        functions = {r['instance'].split('-')[2] for r in rows}\n\
        print(len(rows), len(failed), sorted(functions), all(r['actualMemoryUsage'] < 1000 for r in rows))";
    let ran = loader_tests::run("python3", ["-c", script, text(&to)]).ok();
    assert_eq!(ran.stdout.trim(), "8 0 ['0'] True");
    let mut names: Vec<_> = fs::read_dir(&to).expect("reads").flatten().map(|file| file.file_name()).collect();
    names.sort();
    assert_eq!(
        names,
        ["rps_cluster_usage_1.csv", "rps_deployment_scale_1.csv", "rps_duration_1.csv", "rps_kn_stats_1.csv"]
    );
}

#[test]
fn an_instance_begins_with_a_busy_loop() {
    let state = tempfile::tempdir().expect("a directory");
    let daemon = Daemon::start(&state.path().join("state"));
    let load = "--mode rps --start 1 --end 1 --slot 2s --runtime 1ms --memory 1MiB --initial-scale 0";
    let cold = |busy: &[&str]| {
        let run = daemon.succeed(&[&load.split(' ').collect::<Vec<_>>()[..], busy].concat());
        let rows = daemon.table(run["runId"].as_str().expect("an id"), "invocations.csv");
        let responses: Vec<u64> = rows.numbers("response_us");
        *responses.iter().max().expect("a response")
    };
    // The first invocation waits for it, however fast the machine is.
    assert!(cold(&["--startup-busy-loop", "1s"]) >= 1_000_000);
    assert!(cold(&["--startup-busy-loop", "byMemory"]) >= 300_000);
}
