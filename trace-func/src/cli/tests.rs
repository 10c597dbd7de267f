use super::*;

fn config(flags: &[&str], variables: &[(&str, &str)]) -> Result<Config, VariableErrors> {
    let arguments = Arguments::try_parse_from(["trace-func"].iter().chain(flags)).unwrap();
    Config::new(arguments.serve, |name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn the_arguments_are_consistent() {
    <Arguments as clap::CommandFactory>::command().debug_assert();
}

#[test]
fn without_flags_and_variables_it_is_a_container_s_server() {
    let expected = Config {
        kind: Kind::Trace,
        behaviour: Behaviour::default(),
        address: "0.0.0.0:8080".parse().unwrap(),
        instance_id: None,
        max_runtime: None,
        max_memory_mib: None,
        fresh_memory: false,
        cold_start: Duration::ZERO,
        threads: None,
        duration: None,
        die_with_parent: None,
    };
    assert_eq!(config(&[], &[]), Ok(expected));
}

#[test]
fn the_port_is_that_of_the_flag_then_port_then_func_port_env() {
    let (port, func_port) = (("PORT", "2"), ("FUNC_PORT_ENV", "3"));
    for (flags, variables, expected) in [
        (&["--port", "1"][..], &[port, func_port][..], 1),
        (&["--port", "0"], &[port], 0),
        // What a flag overrules isn't read.
        (&["--port", "1"], &[("PORT", "garbage")], 1),
        (&[], &[func_port, port], 2),
        (&[], &[func_port], 3),
        (&[], &[("PORT", ""), func_port], 3),
        (&[], &[("PORT", "0")], 0),
    ] {
        assert_eq!(config(flags, variables).unwrap().address.port(), expected, "{flags:?} {variables:?}");
    }
}

#[test]
fn the_kind_is_that_of_the_flag_then_the_variable_in_any_case() {
    let empty = ("FUNC_TYPE_ENV", "EMPTY");
    for (flags, variables, expected) in [
        (&["--kind", "trace"][..], &[empty][..], Kind::Trace),
        (&["--kind", "Empty"], &[], Kind::Empty),
        (&[], &[empty], Kind::Empty),
        (&[], &[("FUNC_TYPE_ENV", "trace")], Kind::Trace),
        (&[], &[("FUNC_TYPE_ENV", "")], Kind::Trace),
    ] {
        assert_eq!(config(flags, variables).unwrap().kind, expected, "{flags:?} {variables:?}");
    }
}

#[test]
fn the_instance_is_named_by_the_flag_then_the_pod_then_the_host() {
    let (pod, host) = (("POD_NAME", "pod-1"), ("HOSTNAME", "host-1"));
    for (flags, variables, expected) in [
        (&["--instance-id", "me"][..], &[pod, host][..], Some("me")),
        (&[], &[host, pod], Some("pod-1")),
        (&[], &[host], Some("host-1")),
        (&[], &[], None),
    ] {
        let instance = config(flags, variables).unwrap().instance_id;
        assert_eq!(instance.as_deref(), expected, "{flags:?} {variables:?}");
    }
}

#[test]
fn other_flags_are_taken_over() {
    let config = config(&["--host", "::1", "--max-runtime", "1m 30s", "--die-with-parent=42"], &[]).unwrap();
    assert_eq!(config.address, "[::1]:8080".parse().unwrap());
    assert_eq!(config.max_runtime, Some(Duration::from_secs(90)));
    assert_eq!(config.die_with_parent, Some(Some(42)));
    assert_eq!(self::config(&["--die-with-parent"], &[]).unwrap().die_with_parent, Some(None));
}

#[test]
fn a_bad_variable_is_named_with_its_value() {
    for (name, value, expected) in [
        ("PORT", "80a", r#"environment variable PORT="80a": not a port, 0 to 65535"#),
        ("PORT", "65536", r#"environment variable PORT="65536": not a port, 0 to 65535"#),
        ("FUNC_PORT_ENV", "-1", r#"environment variable FUNC_PORT_ENV="-1": not a port, 0 to 65535"#),
        (
            "FUNC_TYPE_ENV",
            "busy",
            r#"environment variable FUNC_TYPE_ENV="busy": not a kind of function: expected one of trace, empty, timed, wimpy, hello, saturate"#,
        ),
    ] {
        assert_eq!(config(&[], &[(name, value)]).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_bad_flag_is_refused_with_what_would_be_right() {
    for (flags, expected) in [
        (&["--kind", "busy"][..], "trace, empty"),
        (&["--clock", "sun"], "unknown clock \"sun\": expected wall or cpu"),
        (&["--port", "65536"], "0..=65535"),
        (&["--host", "localhost"], "IP address"),
        (&["--max-runtime", "soon"], "--max-runtime"),
        (&["--startup-busy-loop", "300"], "--startup-busy-loop"),
    ] {
        let error = Arguments::try_parse_from(["trace-func"].iter().chain(flags)).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn kinds_and_variables_make_habits() {
    let behaviour = |flags: &[&str], variables: &[(&str, &str)]| config(flags, variables).unwrap().behaviour;
    let usual = Behaviour::default();
    for (found, expected) in [
        (
            behaviour(&["--kind", "timed"], &[]),
            Behaviour { runtime: RuntimeUse::Watch, memory: MemoryUse::HalfTouched, ..usual },
        ),
        (
            behaviour(&["--kind", "wimpy"], &[]),
            Behaviour { runtime: RuntimeUse::Sleep, memory: MemoryUse::Untouched, ..usual },
        ),
        (
            behaviour(&[], &[("ITERATIONS_MULTIPLIER", "102")]),
            Behaviour { runtime: RuntimeUse::Iterations(102), ..usual },
        ),
        (behaviour(&[], &[("IO_PERCENTAGE", "100")]), Behaviour { io_percentage: 100, ..usual }),
        (behaviour(&[], &[("FUNC_CLOCK", "cpu")]), Behaviour { clock: RuntimeClock::Cpu, ..usual }),
        (behaviour(&["--clock", "wall"], &[("FUNC_CLOCK", "cpu")]), usual),
    ] {
        assert_eq!(found, expected);
    }
    let variables = [("MAX_RUNTIME", "90s"), ("MAX_MEMORY", "512"), ("COLD_START_BUSY_LOOP_MS", "250")];
    let config = config(&[], &variables).unwrap();
    assert_eq!(config.max_runtime, Some(Duration::from_secs(90)));
    assert_eq!((config.max_memory_mib, config.cold_start), (Some(512), Duration::from_millis(250)));
    let by_flag = self::config(&["--startup-busy-loop", "1250ms"], &variables).unwrap();
    assert_eq!(by_flag.cold_start, Duration::from_millis(1250));
}

#[test]
fn all_bad_variables_are_told_at_once() {
    let variables = [
        ("FUNC_CLOCK", "sun"),
        ("MAX_RUNTIME", "soon"),
        ("MAX_MEMORY", "much"),
        ("COLD_START_BUSY_LOOP_MS", "-1"),
        ("IO_PERCENTAGE", "101"),
        ("ITERATIONS_MULTIPLIER", "many"),
    ];
    let message = config(&[], &variables).unwrap_err().to_string();
    let lines: Vec<_> = message.lines().collect();
    assert_eq!(lines.len(), variables.len(), "{message}");
    for (line, (name, value)) in lines.iter().zip(variables) {
        assert!(line.starts_with(&format!("environment variable {name}={value:?}: ")), "{line}");
    }
}
