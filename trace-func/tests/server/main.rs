//! The built program, called as a platform calls it.

#[cfg(test)]
mod process;

use std::{collections::BTreeSet, net::TcpListener, time::Duration};

use loader_proto::faas::{FaasReply, FaasRequest, executor_client::ExecutorClient};
use nix::sys::signal::Signal;
use process::{Server, Stamp, command, invoke, output, request};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::{process::Command, task::JoinSet};
use tonic::{
    Code, Request,
    metadata::{MetadataMap, MetadataValue},
    transport::Channel,
};

/// Memory of a server that holds none for an invocation, in KiB: more than this, and less than ten times as much.
const IDLE_KIB: u32 = 1024;

/// The resident memory that a reply reports beyond `idle`, in MiB; the kernel counts a few pages late.
fn held_mib(answer: &FaasReply, idle: &FaasReply) -> u32 {
    (answer.memory_usage_in_kb.saturating_sub(idle.memory_usage_in_kb) + 512) / 1024
}

/// In milliseconds: longer than any test should last.
const AGES: u32 = 3_600_000;

#[tokio::test]
async fn an_invocation_consumes_what_it_asks_for() {
    let server = Server::start(&[]).await;
    let mut client = server.client().await;
    let (idle, _) = invoke(&mut client, 0, 0).await;
    let (reply, _) = invoke(&mut client, 20, 5).await;
    assert!(reply.duration_in_micro_sec >= 20_000, "{reply:?}");
    assert_eq!(held_mib(&reply, &idle), 5, "{reply:?} after {idle:?}");
    drop(client);
    server.drained().await;
}

#[tokio::test]
async fn an_exact_run_time_is_followed_and_confirmed_also_in_a_refusal() {
    let server = Server::start(&["--max-runtime", "1s"]).await;
    let mut client = server.client().await;
    let asked = |exact: Option<&'static str>| {
        let mut asked = Request::new(request(3, 1));
        if let Some(micros) = exact {
            asked.metadata_mut().insert("loader-runtime-us", MetadataValue::from_static(micros));
        }
        asked
    };
    let confirmed =
        |metadata: &MetadataMap| metadata.get("loader-runtime-exact").map(|it| it.to_str().unwrap().to_owned());
    for (exact, least_us, expected) in [(None, 3000, None), (Some("12345"), 12_345, Some("true".to_owned()))] {
        let response = client.execute(asked(exact)).await.unwrap();
        assert_eq!(confirmed(response.metadata()), expected, "{exact:?}");
        let reply = response.into_inner();
        assert!(reply.duration_in_micro_sec >= least_us, "{reply:?}");
    }
    let refused = client.execute(asked(Some("1000001"))).await.unwrap_err();
    assert_eq!((refused.code(), confirmed(refused.metadata())), (Code::InvalidArgument, Some("true".to_owned())));
    let unreadable = client.execute(asked(Some("1.5"))).await.unwrap_err();
    assert_eq!((unreadable.code(), confirmed(unreadable.metadata())), (Code::InvalidArgument, None));
    drop(client);
    server.drained().await;
}

#[tokio::test]
async fn plain_http_is_served_on_the_same_port() {
    let server = Server::start(&["--instance-id", "pod-7", "--max-memory", "64"]).await;
    let work = "workload: trace\r\nfunction: f-1\r\nrequested_cpu: 20\r\nrequested_memory: 5\r\n";
    let too_much = "workload: trace\r\nrequested_memory: 65\r\n";
    let answers = server.plain(&[work, too_much, "workload: other\r\n"]).await;
    assert!(answers[0].starts_with("200 OK\r\n"), "{answers:?}");
    assert!(answers[0].contains("loader-instance: pod-7\r\n"), "{answers:?}");
    assert!(answers[0].contains("loader-first-invocation: true\r\n"), "{answers:?}");
    let (_, micros) = answers[0].rsplit_once(r#""ExecutionTime":"#).unwrap();
    assert!(micros.trim_end_matches('}').parse::<u32>().unwrap() >= 20_000, "{answers:?}");
    assert!(answers[1].starts_with("507 "), "{answers:?}");
    assert!(answers[1].contains("\r\n\r\nFAILURE - mem_alloc: 65 MiB requested"), "{answers:?}");
    assert!(answers[2].starts_with("400 "), "{answers:?}");
    // It is one instance, however it is called.
    let (_, stamp) = invoke(&mut server.client().await, 0, 0).await;
    assert_eq!((stamp.instance.as_str(), stamp.first), ("pod-7", false));
    server.drained().await;
}

#[tokio::test]
async fn nothing_may_be_asked_for() {
    let server = Server::start(&[]).await;
    let (reply, _) = invoke(&mut server.client().await, 0, 0).await;
    // What is measured is the process.
    assert!((IDLE_KIB..10 * IDLE_KIB).contains(&reply.memory_usage_in_kb), "{reply:?}");
}

#[tokio::test]
async fn memory_is_kept_for_the_next_invocation() {
    // The address space holds one invocation's memory, not two.
    let mut shell = Command::new("sh");
    let script = r#"ulimit -v 512000 && exec "$0" --host 127.0.0.1 --port 0"#;
    let server = Server::spawn(shell.args(["-c", script, env!("CARGO_BIN_EXE_trace-func")]).kill_on_drop(true)).await;
    let mut client = server.client().await;
    let (idle, _) = invoke(&mut client, 0, 0).await;
    for asked in [300, 200, 300] {
        let (reply, _) = invoke(&mut client, 0, asked).await;
        assert_eq!(held_mib(&reply, &idle), 300, "{reply:?} after {idle:?}");
    }
    // Of what is left over it is relieved after its answer.
    while held_mib(&invoke(&mut client, 0, 100).await.0, &idle) != 100 {}
    let status = client.execute(request(0, 600)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().contains("ulimit -v"), "{status}");
}

#[tokio::test]
async fn answers_say_which_instance_gave_them() {
    let server = Server::start(&["--instance-id", "pod-7"]).await;
    let mut client = server.client().await;
    let (_, first) = invoke(&mut client, 0, 0).await;
    let (_, second) = invoke(&mut client, 0, 0).await;
    assert_eq!((first.instance.as_str(), first.first), ("pod-7", true));
    assert_eq!(second, Stamp { first: false, ..first });
    // After 2020, which the wall clock of any machine should be.
    assert!(second.started_unix_us > 1_577_836_800_000_000);
}

#[tokio::test]
async fn exactly_one_of_many_invocations_at_once_is_the_first() {
    let server = Server::start(&[]).await;
    let mut calls = JoinSet::new();
    for _ in 0..8 {
        let mut client = server.client().await;
        calls.spawn(async move { invoke(&mut client, 5, 1).await.1 });
    }
    let stamps = calls.join_all().await;
    assert_eq!(stamps.iter().filter(|stamp| stamp.first).count(), 1, "{stamps:?}");
    assert!(stamps.iter().all(|stamp| stamp.instance == stamps[0].instance), "{stamps:?}");
}

#[tokio::test]
async fn invocations_run_side_by_side() {
    let server = Server::start(&[]).await;
    let mut first = server.client().await;
    let endless = tokio::time::timeout(Duration::from_secs(60), first.execute(request(AGES, 1)));
    let mut second = server.client().await;
    tokio::select! {
        answered = endless => panic!("{answered:?}"),
        (reply, _) = invoke(&mut second, 1, 1) => assert!(reply.duration_in_micro_sec >= 1000),
    }
}

#[tokio::test]
async fn too_much_memory_is_an_error_and_the_server_lives_on() {
    let server = Server::start(&[]).await;
    let mut client = server.client().await;
    let status = client.execute(request(0, u32::MAX)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().starts_with("4294967295 MiB requested"), "{status}");
    assert!(Stamp::of(status.metadata()).first);
    let (reply, stamp) = invoke(&mut client, 0, 1).await;
    assert!(reply.memory_usage_in_kb >= IDLE_KIB && !stamp.first, "{reply:?} {stamp:?}");
}

#[tokio::test]
async fn a_run_time_above_the_limit_is_an_error_that_names_the_limit() {
    let server = Server::start(&["--max-runtime", "1s"]).await;
    let status = server.client().await.execute(request(1001, 0)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("limit of 1s"), "{status}");
}

#[tokio::test]
async fn an_empty_function_consumes_nothing_and_says_who_it_is() {
    let server = Server::start(&["--kind", "empty", "--instance-id", "pod-7"]).await;
    let (reply, stamp) = invoke(&mut server.client().await, AGES, u32::MAX).await;
    assert_eq!(reply.duration_in_micro_sec, 0);
    assert!((IDLE_KIB..10 * IDLE_KIB).contains(&reply.memory_usage_in_kb), "{reply:?}");
    assert_eq!((stamp.instance.as_str(), stamp.first), ("pod-7", true));
}

#[tokio::test]
async fn a_signal_lets_running_invocations_finish() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let server = Server::start(&[]).await;
        let (mut running, mut next) = clients(&server).await;
        let (answered, ()) = tokio::join!(biased; invoke(&mut running, 300, 1), async {
            // Behind the running one on the same connection: once it is answered, that one has arrived.
            invoke(&mut next, 0, 0).await;
            server.signal(signal);
        });
        assert!(answered.0.duration_in_micro_sec >= 300_000);
        assert_eq!(server.ended().await, (Some(0), String::new()));
    }
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let server = Server::start(&[]).await;
    let (mut running, mut next) = clients(&server).await;
    let (answered, code) = tokio::join!(biased; running.execute(request(AGES, 1)), async {
        invoke(&mut next, 0, 0).await;
        server.signal(Signal::SIGTERM);
        server.signal(Signal::SIGINT);
        server.ended().await.0
    });
    assert!(answered.is_err(), "{answered:?}");
    // The two may come in either order.
    assert!([Some(128 + 15), Some(128 + 2)].contains(&code), "{code:?}");
}

#[tokio::test]
async fn an_invocation_whose_caller_left_does_not_burn_on() {
    let server = Server::start(&[]).await;
    let (mut running, mut next) = clients(&server).await;
    tokio::select! {
        biased;
        answered = running.execute(request(AGES, 1)) => panic!("{answered:?}"),
        _ = invoke(&mut next, 0, 0) => {}
    }
    drop((running, next));
    // Would wait for the invocation otherwise.
    server.drained().await;
}

#[tokio::test]
async fn an_invocation_whose_deadline_passed_does_not_burn_on() {
    let server = Server::start(&[]).await;
    let mut late = Request::new(request(AGES, 1));
    late.set_timeout(Duration::from_millis(50));
    let answered = server.client().await.execute(late).await;
    assert!(answered.is_err(), "{answered:?}");
    server.drained().await;
}

#[tokio::test]
async fn a_server_dies_with_its_parent_when_told_to() {
    // The shell stays, for it has something to do after the server.
    let script = r#""$0" --host 127.0.0.1 --port 0 --die-with-parent; echo survived"#;
    let mut shell = Command::new("sh");
    let server = Server::spawn(shell.args(["-c", script, env!("CARGO_BIN_EXE_trace-func")]).kill_on_drop(true)).await;
    server.signal(Signal::SIGKILL);
    // Standard output ends when the last process that holds it has ended.
    assert_eq!(server.ended().await, (None, String::new()));
}

#[tokio::test]
async fn a_parent_that_is_not_the_expected_one_counts_as_dead() {
    let output = output(command(&["--die-with-parent=2147483646"]).args(["--port", "0"])).await;
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("process 2147483646, had ended"), "{stderr}");
}

#[tokio::test]
async fn what_cannot_be_used_is_named_and_ends_with_code_2() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (flags, (name, value), expected) in [
        (&[][..], ("PORT", "http"), r#"PORT="http""#),
        (&[], ("FUNC_PORT_ENV", "70000"), r#"FUNC_PORT_ENV="70000""#),
        (
            &[],
            ("FUNC_TYPE_ENV", "busy"),
            r#"FUNC_TYPE_ENV="busy": not a kind of function: expected one of trace, empty"#,
        ),
        (&["--kind", "busy"], ("", ""), "trace, empty"),
        (&["--instance-id", "é\n"], ("PORT", "0"), "visible ASCII"),
        (&[], ("PORT", port.as_str()), &format!("cannot listen on 127.0.0.1:{port}")),
    ] {
        let mut command = command(flags);
        if !name.is_empty() {
            command.env(name, value);
        }
        let output = output(&mut command).await;
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test]
async fn the_environment_says_port_kind_and_name() {
    let variables = [("FUNC_PORT_ENV", "0"), ("FUNC_TYPE_ENV", "EMPTY"), ("HOSTNAME", "pod-9")];
    let server = Server::spawn(command(&[]).envs(variables)).await;
    let (reply, stamp) = invoke(&mut server.client().await, AGES, 1).await;
    assert_eq!((reply.duration_in_micro_sec, stamp.instance.as_str()), (0, "pod-9"));
}

#[tokio::test]
async fn ten_thousand_random_requests_leave_it_alive_and_its_memory_bounded() {
    const CALLERS: u32 = 8;
    const MOST_MIB: u32 = 16;
    let bounds = ["--max-runtime", "1ms", "--max-memory", &MOST_MIB.to_string()];
    let server = Server::start(&bounds).await;
    let (idle, _) = invoke(&mut server.client().await, 0, 0).await;
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let mut client = server.client().await;
        callers.spawn(async move {
            let mut random = StdRng::seed_from_u64(caller.into());
            let mut codes = BTreeSet::new();
            for _ in 0..10_000 / CALLERS {
                let (request, expected) = some_request(&mut random, MOST_MIB);
                let code = match client.execute(request).await {
                    Ok(_) => Code::Ok,
                    Err(status) => status.code(),
                };
                assert!(expected.contains(&code), "{code:?}, not {expected:?}");
                codes.insert(code as i32);
            }
            codes.len()
        });
    }
    assert!(callers.join_all().await.into_iter().all(|codes| codes >= 3));
    let (reply, _) = invoke(&mut server.client().await, 1, 1).await;
    assert!(held_mib(&reply, &idle) <= CALLERS * (MOST_MIB + 1), "{reply:?} after {idle:?}");
    server.drained().await;
}

/// A request, and what may come of it.
fn some_request(random: &mut StdRng, most_mib: u32) -> (Request<FaasRequest>, &'static [Code]) {
    let message = "x".repeat(random.random_range(0..100));
    let runtime = if random.random_bool(0.9) { random.random_range(0..=1) } else { random.random() };
    let memory = if random.random_bool(0.9) { random.random_range(0..=most_mib) } else { random.random() };
    let mut request =
        Request::new(FaasRequest { message, runtime_in_milli_sec: runtime, memory_in_mebi_bytes: memory });
    let clock = ["", "wall", "cpu", "sun"][random.random_range(0..4)];
    if !clock.is_empty() {
        request.metadata_mut().insert(loader_proto::metadata::CLOCK, MetadataValue::from_static(clock));
    }
    let expected: &[Code] = if clock == "sun" || runtime > 1 {
        &[Code::InvalidArgument]
    } else if memory > most_mib {
        &[Code::ResourceExhausted]
    } else {
        &[Code::Ok]
    };
    (request, expected)
}

/// Two clients on one connection, which keeps their calls in order.
async fn clients(server: &Server) -> (ExecutorClient<Channel>, ExecutorClient<Channel>) {
    let client = server.client().await;
    (client.clone(), client)
}
