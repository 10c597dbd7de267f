use super::*;
use crate::{
    clock::UnixMicros,
    invoke::Status,
    plan::{Mark, SlotHead},
    record::{
        MemoryInFlight, Summary, summarise,
        testkit::{facts, head, row, summary, t0, unsent},
    },
};

const BOUND: Duration = Duration::from_millis(10);

fn rules() -> Rules {
    Rules { t0: t0(), lag_bound: BOUND, slo: None, is_timed: true }
}

fn counts(it: &Counts) -> [u64; 4] {
    [it.requested, it.issued, it.returned, it.failed]
}

#[test]
fn of_no_rows_nothing_is_known_but_counts() {
    let rules = rules();
    let nothing = summarise(Statistics::new(1, AskedArrivals::Uniform, rules), facts(rules));
    let Summary { first_due, achieved_ratio, goodput, response_us, response_incl_failures, .. } = &nothing;
    assert_eq!((*first_due, *achieved_ratio, *goodput), (None, None, None));
    assert_eq!((response_us.count, response_us.mean, response_us.max), (0, None, None));
    assert_eq!((response_incl_failures.count, response_incl_failures.failed_ratio), (0, None));
    assert!(response_incl_failures.endless.is_empty());
    assert_eq!((nothing.cold_starts.share, nothing.cold_starts.latency_p50_us), (None, None));
    assert_eq!((nothing.arrivals.process, nothing.arrivals.plan), (None, None));
    assert_eq!(nothing.functions[0].response_p50_us, None);
    assert_eq!((nothing.steady_state.verdict, nothing.stalls.count, nothing.touched), ("too short", 0, 0));
}

#[test]
fn counts_are_of_the_measured_phase_beside_all_and_distributions_leave_out_step_warmup() {
    let rules = rules();
    let warmup = SlotHead { phase: Phase::Warmup, ..head(0, 1) };
    let mut stepping = row(&rules.t0, head(1, 2), 1, 900);
    stepping.planned.mark = Mark::StepWarmup;
    let rows = [
        row(&rules.t0, warmup, 1, 500),
        stepping,
        row(&rules.t0, head(1, 2), 1, 20),
        row(&rules.t0, head(1, 2), 1, 30),
        unsent(head(1, 2), Status::ConnectError),
    ];
    let found = summary(rules, &rows);
    assert_eq!((counts(&found.all), counts(&found.measured)), ([5, 4, 4, 1], [4, 3, 3, 1]));
    assert_eq!(found.measured.by_status, BTreeMap::from([("ok".to_owned(), 3), ("connect_error".to_owned(), 1)]));
    for distribution in [&found.response_us, &found.dispatch_lag_us, &found.own_lag_us] {
        assert_eq!(distribution.count, 2);
    }
    assert_eq!((found.response_us.max, found.connect_us.count, found.connect_us.mean), (Some(30_000), 0, None));
    // The first row of all is due at t0, whatever its phase.
    assert_eq!((found.first_due, found.t0), (Some(UnixMicros(1_000_000_000)), UnixMicros(1_000_000_000)));
}

#[test]
fn failures_are_endless_where_their_share_reaches_what_is_above_the_percentile() {
    let rules = rules();
    for (failed, endless) in
        [(0, &[][..]), (1, &["p99"]), (4, &["p99"]), (5, &["p95", "p99"]), (50, &["p50", "p90", "p95", "p99"])]
    {
        let rows: Vec<_> = (0..100)
            .map(|place| {
                let mut row = row(&rules.t0, head(0, 100), 1, 20);
                if place < failed {
                    row.outcome.status = Status::FunctionTimeout;
                    row.outcome.response = None;
                }
                row
            })
            .collect();
        let found = summary(rules, &rows).response_incl_failures;
        assert_eq!((found.count, found.failed), (100, failed));
        assert_eq!((found.failed_ratio, found.endless.as_slice()), (Some(failed as f64 / 100.0), endless));
    }
}

#[test]
fn goodput_counts_what_came_back_well_within_the_objective() {
    let slo = |slo| Rules { slo, ..rules() };
    for (slo, per_second) in [(slo(None), 0.3), (slo(Some(Duration::from_millis(20))), 0.2), (slo(Some(BOUND)), 0.0)] {
        let mut failed = row(&slo.t0, head(0, 4), 1, 15);
        failed.outcome.status = Status::MemoryAllocationFailed;
        let rows = [15, 20, 21].map(|response| row(&slo.t0, head(0, 4), 1, response));
        let found = summary(slo, &[rows.to_vec(), vec![failed]].concat()).goodput.expect("ten seconds were measured");
        assert!((found - per_second).abs() < 1e-12, "{found}");
    }
}

#[test]
fn only_functions_that_run_as_requested_have_a_slowdown() {
    for (is_timed, slowdown) in [(true, Some(2.0)), (false, None)] {
        let rules = Rules { is_timed, ..rules() };
        let mut at_once = row(&rules.t0, head(0, 2), 1, 20);
        (at_once.planned.runtime_us, at_once.planned.runtime_ms) = (0, 0);
        let found = summary(rules, &[row(&rules.t0, head(0, 2), 1, 20), at_once]).slowdown;
        assert_eq!(found.count, u64::from(is_timed), "one asked for no run time");
        assert!(found.geometric_mean.zip(slowdown).is_none_or(|(found, exact)| (found - exact).abs() < 1e-12));
        assert_eq!(found.geometric_mean.is_some(), slowdown.is_some());
    }
}

#[test]
fn what_the_loader_delayed_on_either_side_is_touched_and_a_stall_of_that_side() {
    let rules = rules();
    let receive = |lag| {
        let mut row = row(&rules.t0, head(0, 4), 1, 20);
        row.outcome.receive_lag = Some(Duration::from_millis(lag));
        row
    };
    let mut waited = row(&rules.t0, head(0, 4), 60, 20);
    waited.outcome.stream_wait = Some(Duration::from_millis(59));
    let sides = |rows: &[Row]| {
        let Summary { touched, stalls, .. } = summary(rules, rows);
        (touched, stalls.listed.iter().map(|stall| (stall.side.as_str(), stall.length())).collect::<Vec<_>>())
    };
    let ms = Duration::from_millis;
    assert_eq!(sides(&[row(&rules.t0, head(0, 4), 60, 20)]), (1, vec![("send", ms(60))]));
    assert_eq!(sides(&[receive(30)]), (1, vec![("receive", ms(30))]));
    // Together they are above the bound, and neither is alone.
    assert_eq!(sides(&[receive(10)]), (1, vec![]));
    assert_eq!(sides(&[receive(9)]), (0, vec![]));
    // The peer's limit is no stall of the loader.
    assert_eq!(sides(&[waited]), (0, vec![]));
}

#[test]
fn clamped_are_those_that_came_due_in_the_measured_phase() {
    let rules = rules();
    let clamped = |slot| {
        let mut row = row(&rules.t0, slot, 1, 20);
        row.planned.clamped = true;
        row
    };
    let warmup = SlotHead { phase: Phase::Warmup, ..head(0, 1) };
    let rows = [clamped(warmup), clamped(head(1, 2)), row(&rules.t0, head(1, 2), 1, 20)];
    assert_eq!(summary(rules, &rows).clamped, 1);
}

#[test]
fn a_warmup_slot_makes_no_verdict_on_the_run() {
    let rules = rules();
    for (phase, saturated) in [(Phase::Warmup, false), (Phase::Measure, true)] {
        let slot = SlotHead { phase, ..head(0, 1) };
        let found = summary(rules, &[row(&rules.t0, slot, 60, 20)]);
        assert_eq!((found.slots[0].saturated, found.saturation.saturated), (true, saturated));
        assert_eq!(found.saturation.slots.len(), usize::from(saturated));
    }
}

#[test]
fn memory_in_flight_is_of_the_measured_slots() {
    let rules = rules();
    let of = |index, phase| SlotHead { phase, ..head(index, 2) };
    let slots = [of(0, Phase::Warmup), of(1, Phase::Measure), of(2, Phase::Measure)];
    let mut rows: Vec<_> = slots.iter().map(|&slot| row(&rules.t0, slot, 0, 5_000)).collect();
    // 4 MiB before, and 2 MiB for half of the time.
    rows.push(Row { flight: Flight::OverMemory, ..unsent(slots[2], Status::NotSent) });
    rows.push(Row { flight: Flight::OverMemory, ..unsent(slots[0], Status::NotSent) });
    let memory = summary(rules, &rows).memory_in_flight;
    assert_eq!(memory, MemoryInFlight { peak_mib: Some(6), mean_mib: Some(5.0), not_sent: 1 });
    let none = summarise(Statistics::new(1, AskedArrivals::Planned, rules), facts(rules)).memory_in_flight;
    assert_eq!(none, MemoryInFlight { peak_mib: None, mean_mib: None, not_sent: 0 });
}
