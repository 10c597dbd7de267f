use super::*;

fn row<'r>(function: &'r str, due: i64, status: &'r str) -> Invocation<'r> {
    Invocation {
        function: function.as_bytes(),
        phase: b"measure",
        status: status.as_bytes(),
        due_unix_us: due,
        sent_unix_us: Some(due + 10),
        dispatch_lag_us: Some(10),
        response_us: Some(2_000),
        requested_runtime_us: Some(1_000),
        actual_runtime_us: Some(1_500),
        cold_start: Some(false),
        ..Invocation::default()
    }
}

#[test]
fn each_row_is_counted_where_definitions_say() {
    let mut adder = Adder::new(Some(0), true);
    adder.add(&row("b", 100, "ok"));
    adder.add(&Invocation { cold_start: Some(true), response_us: Some(8_000), ..row("a", 1_200_000, "ok") });
    adder.add(&Invocation { response_us: None, ..row("a", 1_300_000, "function_timeout") });
    adder.add(&Invocation {
        sent_unix_us: None,
        dispatch_lag_us: None,
        response_us: None,
        ..row("a", 1_400_000, "not_sent")
    });
    adder.add(&Invocation { phase: b"warmup", ..row("a", 50, "ok") });
    adder.add(&Invocation { mark: b"step_warmup", ..row("a", 60, "ok") });
    adder.add(&row("a", i64::MIN / 4, "ok"));
    let sums = adder.finish();
    assert_eq!((sums.requested, sums.issued, sums.returned, sums.failed), (6, 5, 4, 2));
    assert_eq!((sums.cold, sums.told, sums.outside), (1, 6, 1));
    assert_eq!((sums.response.all.count(), sums.response.warm.count(), sums.response.cold.count()), (3, 2, 1));
    assert_eq!(sums.response.cold.max(), Some(8_000));
    assert_eq!(sums.scheduling.all.steps(9), [(500, 2), (6_500, 3)]);
    let slowdown = sums.slowdown.all.geometric_mean().expect("some");
    assert!((slowdown - 32.0_f64.cbrt()).abs() < 1e-9, "{slowdown}");
    assert_eq!(sums.statuses.counts(), [("function_timeout", 1), ("not_sent", 1), ("ok", 4)]);
    let bins: Vec<_> = sums.series.bins().map(|(at, bin)| (at, bin.due, bin.sent, bin.response.count())).collect();
    assert_eq!(bins, [(0.5, 3, 3, 3), (1.5, 3, 2, 1)]);
    let functions: Vec<_> =
        sums.functions.iter().map(|it| (it.name.as_str(), it.requested, it.failed, it.cold)).collect();
    assert_eq!(functions, [("a", 5, 2, 1), ("b", 1, 0, 0)]);
    assert_eq!(sums.functions[1].slowdown(), Some(2.0));
    assert_eq!(sums.functions[1].mean_latency_us(), Some(500.0));
}

#[test]
fn functions_that_run_for_no_requested_time_have_no_slowdown() {
    let mut adder = Adder::new(None, false);
    adder.add(&row("a", 1_000_000_000, "ok"));
    let sums = adder.finish();
    assert_eq!((sums.slowdown.all.count(), sums.functions[0].slowdown()), (0, None));
    // Time begins with the first row where nothing says when.
    assert_eq!(sums.series.bins().map(|(at, _)| at).collect::<Vec<_>>(), [0.5]);
}

#[test]
fn of_no_rows_there_is_nothing() {
    let sums = Adder::new(None, true).finish();
    assert_eq!((sums.requested, sums.functions.len(), sums.series.bins().count()), (0, 0, 0));
}

#[test]
fn kinds_of_failures_are_bounded() {
    let mut adder = Adder::new(Some(0), true);
    for number in 0..1000 {
        let status = format!("grpc_{number}");
        adder.add(&row("a", number, &status));
    }
    let sums = adder.finish();
    assert!(sums.statuses.names().len() <= 25);
    assert!(sums.statuses.counts().contains(&("other", 976)), "{:?}", sums.statuses.counts());
}
