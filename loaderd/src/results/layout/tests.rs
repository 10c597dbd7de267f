use std::collections::BTreeMap;

use super::*;

const SLOTS: &str = "\
    slot,phase,start_unix_us,duration_us,rps,planned,issued,returned,failed,cold_starts,lag_p99_us,saturated\n\
    0,measure,100,60000000,0.05,3,2,1,2,1,1,false\n\
    1,measure,60000100,1,0,0,0,0,0,0,0,false\n";

/// All files of an export, put together.
fn exported(directory: &Path, layout: Layout) -> BTreeMap<String, String> {
    let mut files = BTreeMap::<String, Vec<u8>>::new();
    let mut sink = |Piece { file, data }| {
        files.entry(file).or_default().extend(data);
        ControlFlow::Continue(())
    };
    export(directory, layout, &mut sink).expect("exports");
    files.into_iter().map(|(name, data)| (name, String::from_utf8(data).expect("text"))).collect()
}

fn run() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).expect("writes");
    write("run.json", r#"{"version":1,"name":"demo","run_id":"x"}"#);
    write("slots.csv", SLOTS);
    write(
        "scales.csv",
        "unix_us,function,desired,running,unready,pending,terminating,queue\n5,f,1,2,3,4,5,6\n7,f,1,2,3,4,5,\n",
    );
    write(
        "invocations.csv",
        "run_id,invocation_id,function,phase,slot,mark,due_unix_us,sent_unix_us,dispatch_lag_us,connect_us,\
         response_us,requested_runtime_us,actual_runtime_us,requested_memory_kib,actual_memory_kib,status,error,\
         instance,cold_start,instance_started_unix_us,saturated\n\
         x,min0.inv0,f,measure,0,,100,101,1,7,50,1000,900,10240,10300,ok,,i-1,true,90,false\n\
         x,min0.inv1,f,warmup,0,,200,201,1,,,1000,,10240,,function_timeout,late,,,,false\n\
         x,min0.inv2,g,measure,0,,300,,,,,1000,,10240,,not_sent,,,,,true\n",
    );
    directory
}

#[test]
fn native_is_the_directory_as_it_is() {
    let run = run();
    fs::write(run.path().join("nodes.csv"), "").expect("writes");
    fs::write(run.path().join(".half.tmp"), "x").expect("writes");
    fs::create_dir(run.path().join("folder")).expect("makes");
    let files = exported(run.path(), Layout::Native);
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["invocations.csv", "nodes.csv", "run.json", "scales.csv", "slots.csv"]);
    assert_eq!(files["nodes.csv"], "");
    assert_eq!(files["slots.csv"], SLOTS);
}

#[test]
fn a_large_file_comes_in_pieces_and_whole() {
    let run = run();
    let large = "0123456789".repeat(PIECE / 4);
    fs::write(run.path().join("nodes.csv"), &large).expect("writes");
    assert_eq!(exported(run.path(), Layout::Native)["nodes.csv"], large);
}

#[test]
fn a_sink_that_has_had_enough_gets_no_more() {
    let mut pieces = 0;
    for layout in [Layout::Native, Layout::Invitro] {
        export(run().path(), layout, &mut |_| {
            pieces += 1;
            ControlFlow::Break(())
        })
        .expect("ends");
    }
    assert_eq!(pieces, 2);
}

#[test]
fn layouts_have_names() {
    assert_eq!("".parse::<Layout>().expect("known"), Layout::Native);
    assert_eq!("invitro".parse::<Layout>().expect("known"), Layout::Invitro);
    let error = "csv".parse::<Layout>().expect_err("unknown").to_string();
    assert_eq!(error, r#"is "csv"; must be "native" or "invitro""#);
}
