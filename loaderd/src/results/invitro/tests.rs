//! The files as InVitro's own code reads them: each column with its type there (`pkg/metric/record.go`), no field empty.

use std::{collections::BTreeMap, fs, ops::ControlFlow, path::Path};

use serde_json::Value;

use super::*;
use crate::results::piece::Piece;

const SLOTS: &str = "\
    slot,phase,start_unix_us,duration_us,rps,planned,issued,returned,failed,cold_starts,lag_p99_us,saturated\n\
    0,measure,100,60000000,0.05,3,2,1,2,1,1,false\n\
    1,measure,60000100,1,0,0,0,0,0,0,0,false\n";
const FUNCTIONS: &str = "\
    function,source_id,trigger,endpoint,authority,initial_scale,cpu_request_millicores,cpu_limit_millicores,\
    memory_request_mib,planned_invocations\n\
    f,,,,,0,,,,\ng,,,,,0,,,,\n";
const INVOCATIONS: &str = "\
    run_id,invocation_id,function,phase,slot,mark,due_unix_us,sent_unix_us,dispatch_lag_us,connect_us,response_us,\
    requested_runtime_us,actual_runtime_us,requested_memory_kib,actual_memory_kib,status,error,instance,cold_start,\
    instance_started_unix_us,saturated\n\
    x,min0.inv0,f,measure,0,,100,101,1,7,50,1000,900,10240,10300,ok,,f-9f3a-00001-deployment-5f-ab,true,90,false\n\
    x,min0.inv1,f,warmup,0,,200,201,1,,,1000,,10240,,function_timeout,late,,,,false\n\
    x,min0.inv2,g,measure,0,,300,,,,,1000,,10240,,not_sent,,,,,true\n\
    x,min0.inv3,g,measure,0,,400,401,,,,1000,,10240,,connect_error,,,,,false\n\
    x,min0.inv4,g,measure,0,,500,501,,,9,1000,,10240,,memory_allocation_failed,,g-1,,,false\n\
    x,min0.inv5,g,measure,0,,600,601,,,9,1000,,10240,,grpc_INTERNAL,,,,,false\n";
const SCALES: &str = "\
    unix_us,function,desired,running,unready,pending,terminating,queue\n5,f,1,2,3,4,5,6\n7,g,1,2,3,4,5,\n";
const AUTOSCALER: &str = "\
    unix_us,desired_pods,unready_pods,pending_pods,requested_pods,running_pods,activator_queue,activator_request_count,\
    stable_concurrency,panic_concurrency,scheduling_p50_us,scheduling_p95_us,placement_p50_us,placement_p95_us\n\
    10,3,1,0,3,2,0.5,1234,1.25,2.5,1500,2500,1000000,2000000\n11,,,,,,,,,,,,,\n";
const NODES: &str = "\
    unix_us,node,role,cpu_millicores,cpu_ratio,cpu_requests_millicores,cpu_limits_millicores,memory_mib,memory_ratio,\
    memory_requests_mib,memory_limits_mib,pods\n\
    1000,a,worker,250.5,0.0313,1500,3000,1024,0.25,512,768,12\n1000,m,control-plane,4000,0.5,850,1000,2048,0.125,256,300,9\n\
    2000,a,worker,,,,,,,,,\n2000,m,control-plane,,,,,,,,,\n";
const PODS: &str = "\
    unix_us,pod,function,node,phase,cpu_millicores,memory_mib\n\
    900,p,f,a,Running,100.4,34.2\n900,q,g,a,Pending,,\n1900,p,f,a,Running,7,35\n";
const LOADER: &str = "\
    unix_us,cpu_ratio,rss_mib,host_cpu_ratio,host_memory_ratio,in_flight,open_connections,records_queued\n\
    100,0.9,10.0000,0.5,0.5,1,1,0\n1100,0.0625,10.0000,0.5,0.5,1,1,0\n";

/// All files of an export, by kind.
fn exported(directory: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::<String, Vec<u8>>::new();
    let mut sink = |Piece { file, data }| {
        files.entry(file).or_default().extend(data);
        ControlFlow::Continue(())
    };
    export(directory, &mut sink).unwrap();
    files.into_iter().map(|(name, data)| (name, String::from_utf8(data).unwrap())).collect()
}

fn run(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    let directory = tempfile::tempdir().unwrap();
    let run = ("run.json", r#"{"version":1,"name":"demo","run_id":"x"}"#);
    for (name, text) in files.iter().chain([&run]) {
        fs::write(directory.path().join(name), text).unwrap();
    }
    exported(directory.path())
}

fn whole() -> BTreeMap<String, String> {
    run(&[
        ("slots.csv", SLOTS),
        ("functions.csv", FUNCTIONS),
        ("invocations.csv", INVOCATIONS),
        ("scales.csv", SCALES),
        ("autoscaler.csv", AUTOSCALER),
        ("nodes.csv", NODES),
        ("pods.csv", PODS),
        ("loader.csv", LOADER),
    ])
}

/// A column's type there.
#[derive(Debug, Clone, Copy)]
enum Type {
    Text,
    Integer,
    Unsigned,
    Float,
    Flag,
}

impl Type {
    fn reads(self, text: &str) -> bool {
        match self {
            Self::Text => !text.is_empty(),
            Self::Integer => text.parse::<i64>().is_ok(),
            Self::Unsigned => text.parse::<u32>().is_ok(),
            Self::Float => text.parse::<f64>().is_ok(),
            Self::Flag => text.parse::<bool>().is_ok(),
        }
    }
}

/// The rows of a file, by column, each of its type there.
fn read(file: &str, columns: &[(&str, Type)]) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(file.as_bytes());
    let header: Vec<_> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(header, columns.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        for ((name, kind), field) in columns.iter().zip(&row) {
            assert!(kind.reads(field), "{name} is {field:?}, which is no {kind:?}: {row:?}");
        }
        header.iter().cloned().zip(row.iter().map(str::to_owned)).collect()
    });
    rows.collect()
}

const DURATION: &[(&str, Type)] = &[
    ("phase", Type::Integer),
    ("instance", Type::Text),
    ("invocationID", Type::Text),
    ("startTime", Type::Integer),
    ("requestedDuration", Type::Unsigned),
    ("grpcConnEstablish", Type::Integer),
    ("responseTime", Type::Integer),
    ("actualDuration", Type::Unsigned),
    ("connectionTimeout", Type::Flag),
    ("functionTimeout", Type::Flag),
    ("actualMemoryUsage", Type::Unsigned),
    ("memoryAllocationTimeout", Type::Flag),
    ("timeToSubmitMs", Type::Integer),
    ("userCodeExecutionMs", Type::Integer),
    ("timeToGetResponseMs", Type::Integer),
];

const SCALE: &[(&str, Type)] = &[
    ("timestamp", Type::Integer),
    ("function", Type::Text),
    ("desired_pods", Type::Integer),
    ("running_pods", Type::Integer),
    ("unready_pods", Type::Integer),
    ("pending_pods", Type::Integer),
    ("terminating_pods", Type::Integer),
    ("activator_queue", Type::Float),
];

const KN_STATS: &[(&str, Type)] = &[
    ("timestamp", Type::Integer),
    ("desired_pods", Type::Integer),
    ("unready_pods", Type::Integer),
    ("pending_pods", Type::Integer),
    ("requested_pods", Type::Integer),
    ("running_pods", Type::Integer),
    ("activator_queue", Type::Float),
    ("activator_request_count", Type::Integer),
    ("autoscaler_stable_queue", Type::Float),
    ("autoscaler_panic_queue", Type::Float),
    ("scheduling_p95", Type::Float),
    ("scheduling_p50", Type::Float),
    ("e2e_placement_p95", Type::Float),
    ("e2e_placement_p50", Type::Float),
];

#[test]
fn the_four_files_have_its_names() {
    let names: Vec<_> = whole().into_keys().collect();
    assert_eq!(
        names,
        ["demo_cluster_usage_2.csv", "demo_deployment_scale_2.csv", "demo_duration_2.csv", "demo_kn_stats_2.csv"]
    );
}

#[test]
fn invocations_have_its_columns_units_and_flags() {
    let rows = read(&whole()["demo_duration_2.csv"], DURATION);
    let column = |name: &str| rows.iter().map(|row| row[name].as_str()).collect::<Vec<_>>();
    assert_eq!(column("phase"), ["2", "1", "2", "2", "2", "2"]);
    assert_eq!(column("startTime"), ["101", "201", "300", "401", "501", "601"]);
    assert_eq!(column("responseTime"), ["50", "0", "0", "0", "9", "9"]);
    assert_eq!(column("actualDuration"), ["900", "0", "0", "0", "0", "0"]);
    assert_eq!(column("grpcConnEstablish"), ["7", "0", "0", "0", "0", "0"]);
    // 10300 KiB in MiB, cut.
    assert_eq!(column("actualMemoryUsage"), ["10", "0", "0", "0", "0", "0"]);
    let failed =
        |row: &&BTreeMap<String, String>| row["connectionTimeout"] == "true" || row["functionTimeout"] == "true";
    assert_eq!(rows.iter().filter(failed).count(), 5, "its filter finds every failure");
    assert_eq!(column("connectionTimeout"), ["false", "false", "false", "true", "false", "false"]);
    assert_eq!(column("memoryAllocationTimeout"), ["false", "false", "false", "false", "true", "false"]);
}

#[test]
fn instances_begin_with_their_function_whose_index_is_the_third_part() {
    let files = whole();
    let rows = read(&files["demo_duration_2.csv"], DURATION);
    let instances: Vec<_> = rows.iter().map(|row| row["instance"].clone()).collect();
    let parts = |instance: &String| instance.split('-').map(str::to_owned).collect::<Vec<_>>();
    let functions: Vec<_> = instances.iter().map(|instance| parts(instance)[2].clone()).collect();
    assert_eq!(functions, ["0", "0", "1", "1", "1", "1"]);
    assert!(instances.iter().all(|instance| instance.starts_with("trace-func-")), "{instances:?}");
    assert!(instances[0].ends_with("-00001-deployment-5f-ab"), "{instances:?}");
    assert!(instances[4].ends_with("-00001-deployment-g-1"), "{instances:?}");
    let scales = read(&files["demo_deployment_scale_2.csv"], SCALE);
    // What its scripts cut off, a number and the pod's part, leaves the function's.
    assert_eq!(instances[0].strip_suffix("-00001-deployment-5f-ab"), Some(scales[0]["function"].as_str()));
    assert_eq!(instances[2], scales[1]["function"]);
}

#[test]
fn scales_and_statistics_have_its_columns_and_units() {
    let files = whole();
    let scales = read(&files["demo_deployment_scale_2.csv"], SCALE);
    let queues: Vec<_> = scales.iter().map(|row| row["activator_queue"].as_str()).collect();
    assert_eq!(queues, ["6", "0"], "what the platform does not know is 0, as there");
    let stats = read(&files["demo_kn_stats_2.csv"], KN_STATS);
    let values = |row: usize| KN_STATS.iter().map(|(name, _)| stats[row][*name].as_str()).collect::<Vec<_>>();
    assert_eq!(
        values(0),
        ["10", "3", "1", "0", "3", "2", "0.5", "1234", "1.25", "2.5", "0.0025", "0.0015", "2.0", "1.0"]
    );
    assert!(
        stats[1].iter().all(|(name, value)| name == "timestamp" || value.trim_end_matches(".0") == "-99"),
        "{stats:?}"
    );
}

#[test]
fn usage_is_one_object_a_sample_of_the_nodes() {
    let files = whole();
    let objects: Vec<Value> =
        files["demo_cluster_usage_2.csv"].lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let keys: Vec<_> = objects[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys.join(" "),
        "timestamp master_cpu_pct master_cpu_req master_cpu_lim master_mem_pct master_mem_req master_mem_lim master_pods \
         cpu cpu_req cpu_lim cpu_pct_avg cpu_pct_max cpu_pct_active_avg memory memory_req memory_lim memory_pct pod_cpu \
         pod_mem pods loader_cpu loader_mem"
    );
    let expected = serde_json::json!({
        "timestamp": 1000, "master_cpu_pct": 50.0, "master_cpu_req": 0.85, "master_cpu_lim": 1.0, "master_mem_pct": 12.5,
        "master_mem_req": 268_435_456.0, "master_mem_lim": 314_572_800.0, "master_pods": 9,
        "cpu": ["250500000n", "4000000000n"], "cpu_req": [1.5, 0.85], "cpu_lim": [3.0, 1.0],
        "cpu_pct_avg": 26.565, "cpu_pct_max": 50.0, "cpu_pct_active_avg": 50.0,
        "memory": ["1048576Ki", "2097152Ki"], "memory_req": [536_870_912.0, 268_435_456.0],
        "memory_lim": [805_306_368.0, 314_572_800.0], "memory_pct": 12.5,
        "pod_cpu": ["100m"], "pod_mem": ["34Mi"], "pods": [12, 9], "loader_cpu": 6.25, "loader_mem": null,
    });
    assert_eq!(objects[0], expected);
    // Nothing is known of the second sample's nodes; its pods are those that are nearest in time.
    assert_eq!((&objects[1]["cpu_pct_avg"], &objects[1]["cpu"]), (&Value::Null, &serde_json::json!(["", ""])));
    assert_eq!(objects[1]["pod_cpu"], serde_json::json!(["7m"]));
    assert_eq!(objects.len(), 2);
}

#[test]
fn a_run_that_never_began_has_headers_alone() {
    let files = run(&[]);
    for (file, columns) in [("duration", DURATION), ("deployment_scale", SCALE), ("kn_stats", KN_STATS)] {
        assert_eq!(read(&files[&format!("demo_{file}_0.csv")], columns).len(), 0);
    }
    assert_eq!(files["demo_cluster_usage_0.csv"], "");
}

#[test]
fn many_rows_come_in_pieces_and_whole() {
    let rows: String = (0..20_000).map(|at| format!("{at},f,1,2,3,4,5,\n")).collect();
    let header = SCALES.lines().next().unwrap();
    let files = run(&[("scales.csv", &format!("{header}\n{rows}"))]);
    assert_eq!(read(&files["demo_deployment_scale_0.csv"], SCALE).len(), 20_000);
}
