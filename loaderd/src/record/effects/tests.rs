use std::time::Duration;

use loader_proto::schema::InvocationRecord;

use super::*;
use crate::disturbance::{Action, Component, Count, Target};

const SECOND: i64 = 1_000_000;

fn deletion() -> Action {
    Action::DeletePods { of: Target::Component(Component::Gateway), count: Count::Number(1) }
}

fn event(number: u32, stage: Stage, at: i64) -> DisturbanceEvent {
    let at = UnixMicros(at * SECOND);
    DisturbanceEvent::of((number, &deletion()), stage, at, Ok((at, String::new())))
}

/// Disturbances, each with the seconds at which it began and was undone.
fn events(spans: &[(i64, Option<i64>)]) -> Vec<DisturbanceEvent> {
    let parts = (0..).zip(spans).flat_map(|(number, &(begin, end))| {
        [Some(event(number, Stage::Begin, begin)), end.map(|end| event(number, Stage::End, end))]
    });
    parts.flatten().collect()
}

/// A record that was due after so many microseconds. Its latency is in milliseconds; it asked for 10 ms.
fn record(due: i64, latency_ms: Option<u64>) -> InvocationRecord<'static> {
    let status = if latency_ms.is_some() { "ok" } else { "connect_error" };
    InvocationRecord {
        phase: "measure".into(),
        due_unix_us: due,
        sent_unix_us: Some(due),
        response_us: latency_ms.map(|latency| 1000 * (latency + 10)),
        requested_runtime_us: 10_000,
        actual_runtime_us: latency_ms.map(|_| 10_000),
        status: status.into(),
        ..InvocationRecord::default()
    }
}

/// The figures of disturbances of a load of so many seconds, at a rate; `latency_ms` gives the latency of each second, or nothing
/// where all of it fails.
fn figures(
    spans: &[(i64, Option<i64>)],
    (seconds, rate): (i64, i64),
    latency_ms: impl Fn(i64) -> Option<u64>,
) -> Vec<EffectFigures> {
    let mut effects = Effects::new(&events(spans));
    let rows: Vec<_> = (0..seconds * rate)
        .filter_map(|place| EffectRow::of(&record(place * SECOND / rate, latency_ms(place / rate)), true))
        .collect();
    rows.iter().for_each(|row| effects.first_pass(row));
    let mut second_pass = effects.second_pass();
    rows.iter().for_each(&mut second_pass);
    drop(second_pass);
    effects.findings().into_iter().filter_map(|it| it.figures).collect()
}

/// The time of recovery from a disturbance at second 60, undone at `end`, in seconds, or why it is not known.
#[track_caller]
fn recovery(end: Option<i64>, latency_ms: impl Fn(i64) -> Option<u64>) -> Result<u64, UnknownRecovery> {
    let found = figures(&[(60, end)], (240, 20), latency_ms);
    found[0].recovery.map(|recovery| recovery.as_secs())
}

/// 100 ms from one second to another, else 10 ms.
fn slow(from: i64, to: i64) -> impl Fn(i64) -> Option<u64> {
    move |second| Some(if (from..to).contains(&second) { 100 } else { 10 })
}

#[test]
fn recovery_is_the_begin_of_the_first_window_that_is_back_below_twice_the_level() {
    // It never left its level, or not far enough, or only long after.
    assert_eq!(recovery(None, |_| Some(10)), Ok(0));
    assert_eq!(recovery(None, |second| Some(if second < 60 { 10 } else { 19 })), Ok(0));
    assert_eq!(recovery(None, slow(130, 180)), Ok(0));
    // At twice the level it is above.
    assert_eq!(recovery(None, |second| Some(if second < 60 { 10 } else { 20 })), Err(UnknownRecovery::NotYet));
    assert_eq!(recovery(None, slow(60, 70)), Ok(10));
    assert_eq!(recovery(None, slow(60, 85)), Ok(30));
    // One slow second in a window of ten is more than 1 %.
    assert_eq!(recovery(None, slow(60, 81)), Ok(30));
    // The effect may come later.
    assert_eq!(recovery(None, slow(95, 110)), Ok(50));
    assert_eq!(recovery(None, slow(60, 240)), Err(UnknownRecovery::NotYet));
    // Failures are endless latencies.
    assert_eq!(recovery(None, |second| (!(60..90).contains(&second)).then_some(10)), Ok(30));
}

#[test]
fn what_lasts_is_recovered_from_once_it_is_undone() {
    let with_a_pause =
        |second: i64| Some(if (60..70).contains(&second) || (80..90).contains(&second) { 100 } else { 10 });
    assert_eq!(recovery(None, with_a_pause), Ok(10));
    assert_eq!(recovery(Some(90), with_a_pause), Ok(30));
    assert_eq!(recovery(Some(95), slow(60, 120)), Ok(60));
    assert_eq!(recovery(Some(200), slow(60, 70)), Ok(140));
}

#[test]
fn what_too_few_invocations_say_is_not_known() {
    let of =
        |seconds, rate, latency: fn(i64) -> Option<u64>| figures(&[(60, None)], (seconds, rate), latency)[0].recovery;
    assert_eq!(of(200, 1, |_| Some(10)), Err(UnknownRecovery::FewBefore(60)));
    // Enough in the minute before, too few in ten seconds.
    assert_eq!(of(200, 5, |_| Some(10)), Err(UnknownRecovery::FewInWindow(50)));
    assert_eq!(of(200, 10, |_| Some(10)), Ok(Duration::ZERO));
    // The load ends in the first window.
    assert_eq!(of(65, 20, |_| Some(10)), Err(UnknownRecovery::NotYet));
    let failing = UnknownRecovery::FailingBefore { count: 1200, failed: 20 };
    assert_eq!(of(200, 20, |second| (second != 7).then_some(10)), Err(failing));
    let reason = UnknownRecovery::FewInWindow(50).to_string();
    assert_eq!(reason, "50 invocations in a window of 10s, 100 needed");
}

#[test]
fn counts_are_of_the_time_until_recovery() {
    let found = figures(&[(60, None)], (240, 20), |second| match second {
        60..75 => None,
        75..90 => Some(100),
        200 => None,
        _ => Some(10),
    });
    let EffectFigures { until, requested, failed, lost, slowdown, slowdown_before, level_us, recovery } = found[0];
    assert_eq!((until, recovery), (UnixMicros(90 * SECOND), Ok(Duration::from_secs(30))));
    assert_eq!((requested, failed, lost, level_us), (600, 300, 300, Some(10_000)));
    let close = |found: Option<f64>, expected: f64| (found.expect("is known") / expected - 1.0).abs() < 1e-9;
    assert!(close(slowdown, 11.0) && close(slowdown_before, 2.0), "{found:?}");
}

#[test]
fn one_disturbance_ends_where_the_next_begins() {
    let slow = slow(60, 200);
    let found = figures(&[(60, None), (120, Some(150))], (240, 20), slow);
    assert_eq!((found[0].until, found[0].recovery), (UnixMicros(120 * SECOND), Err(UnknownRecovery::NotYet)));
    // Its level is that of the minute before it, which was slow.
    assert_eq!((found[1].until, found[1].recovery), (UnixMicros(160 * SECOND), Ok(Duration::ZERO)));
    // Both of one instant have the same figures.
    let both = figures(&[(60, None), (60, None)], (240, 20), |_| Some(10));
    assert_eq!(both[0], both[1]);
    assert_eq!(both[0].until, UnixMicros(70 * SECOND));
    // One inside another does not end it.
    let nested = figures(&[(60, Some(100)), (80, None)], (240, 20), |_| Some(10));
    assert_eq!(nested[0].until, UnixMicros(110 * SECOND));
}

#[test]
fn what_was_not_carried_out_has_no_figures_nor_has_what_no_invocation_followed() {
    let action = deletion();
    let mut list = events(&[(60, None), (500, None)]);
    list.push(DisturbanceEvent::of((2, &action), Stage::Begin, UnixMicros(1), Err("refused".to_owned())));
    list.push(DisturbanceEvent::not_due((3, &action), UnixMicros(1)));
    let mut effects = Effects::new(&list);
    assert!(!effects.is_empty() && Effects::new(&list[2..]).is_empty());
    let row = EffectRow::of(&record(100 * SECOND, Some(10)), true).expect("is measured");
    effects.first_pass(&row);
    effects.second_pass()(&row);
    let found = effects.findings();
    let known: Vec<_> = found.iter().map(|it| (it.begin.number, it.figures.is_some())).collect();
    assert_eq!(known, [(0, true), (1, false), (2, false), (3, false)]);
}

#[test]
fn rows_of_warm_ups_do_not_count_and_latencies_of_steps_begins_neither() {
    let whole = record(5, Some(3));
    assert_eq!(EffectRow::of(&InvocationRecord { phase: "warmup".into(), ..whole.clone() }, true), None);
    let row = EffectRow::of(&whole, true).expect("is measured");
    assert_eq!((row.latency_us, row.slowdown, row.lost, row.counts), (Some(3000), Some(1.3), false, true));
    assert_eq!(EffectRow::of(&whole, false).expect("is measured").slowdown, None);
    let step = EffectRow::of(&InvocationRecord { mark: "step_warmup".into(), ..whole.clone() }, true);
    assert!(!step.expect("is measured").counts);
    // A function that reports more than the response took.
    let odd = EffectRow::of(&InvocationRecord { actual_runtime_us: Some(99_000), ..whole }, true);
    assert_eq!(odd.expect("is measured").latency_us, None);
    // Lost is what the platform did not answer, whether a connection could be made or not.
    for (status, lost) in
        [("connect_error", true), ("function_timeout", true), ("not_sent", false), ("cancelled", false)]
    {
        let failed = InvocationRecord { sent_unix_us: None, status: status.into(), ..record(5, None) };
        assert_eq!(EffectRow::of(&failed, true).expect("is measured").lost, lost, "{status}");
    }
    let refused = InvocationRecord { response_us: Some(7), status: "http_503".into(), ..record(5, None) };
    assert!(!EffectRow::of(&refused, true).expect("is measured").lost);
}
