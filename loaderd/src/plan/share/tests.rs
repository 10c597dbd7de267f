//! Shares of plans of all modes.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::plan::{
    ColdPool, FunctionOutline, Invocation, InvocationId, Numbering, Outline, Plan, Rounding, Slot, SlotHead, Target,
    testkit::{function, outcome, trace, trace_plan},
};

/// An invocation as it would be sent: ordinal, id, run time in milliseconds where its function is known, and all else.
type Sent = (u64, InvocationId, Option<u32>, Invocation);

/// The plan of the `mode`-th mode.
fn any_plan(mode: usize, seed: u64, arrivals: &str) -> Box<dyn Plan> {
    let modes = [
        json!({"rps": {"start": 30, "end": 90, "step": 25, "slot": "2s", "functions": 3, "coldStartRatio": 0.2,
               "cooldown": "5s", "runtime": "1.5ms"}}),
        json!({"burst": {"targetRps": 3, "burst": 7, "hold": "5s", "stepDuration": "1.5s", "runtime": "0.3ms"}}),
        json!({"coldstart": {"start": 4, "step": 1, "coldStarts": [3, 0, 2], "functions": 4, "slot": "2s",
               "duration": "8s", "runtime": "2.5ms"}}),
        json!({"trace": {"path": "/t", "granularity": "second"}}),
    ];
    let mut spec = modes[mode].clone();
    spec["seed"] = json!(seed);
    spec["arrivals"] = json!(arrivals);
    let functions = [("f1", [3, 0, 5, 1]), ("f2", [2, 4, 0, 300]), ("f3", [0, 0, 1, 0]), ("f4", [9, 9, 9, 9])];
    trace_plan(&spec, trace(functions.map(|(id, counts)| function(id, &counts)).into()))
}

/// Up to `most` slots, when nothing fails.
fn slots(plan: &mut dyn Plan, most: u32, mut each: impl FnMut(SlotHead, Vec<Invocation>)) {
    let mut previous = None;
    for _ in 0..most {
        let Some(slot) = plan.next_slot(previous.as_ref()) else { break };
        let Slot { index, phase, start, duration, rate, planned, measured, invocations } = slot;
        previous = Some(outcome(index, 0));
        each(SlotHead { index, phase, start, duration, rate, planned, measured }, invocations.collect());
    }
}

/// What one process would send.
fn whole(mut plan: Box<dyn Plan>, seed: u64) -> (Vec<SlotHead>, Vec<Sent>) {
    let mut numbering = Numbering::new(plan.unit());
    let mut rounding = Rounding::new(seed, plan.functions().iter().map(|function| function.name.as_str()));
    let (mut heads, mut sent) = (Vec::new(), Vec::new());
    slots(&mut *plan, 50, |head, invocations| {
        heads.push(head);
        for invocation in invocations {
            let millis = match invocation.target {
                Target::Function(function) => Some(rounding.millis(function, invocation.runtime_us)),
                Target::Cold { .. } => None,
            };
            sent.push((sent.len() as u64, numbering.next(invocation.due), millis, invocation));
        }
    });
    (heads, sent)
}

/// What a worker would send.
fn part(plan: Box<dyn Plan>, shares: &Shares, worker: u32, seed: u64) -> (Vec<SlotHead>, Vec<Sent>) {
    let mut plan = Shared::new(plan, shares.clone(), worker, seed);
    let unit = plan.unit();
    let (mut heads, mut sent) = (Vec::new(), Vec::new());
    slots(&mut plan, 50, |head, invocations| {
        heads.push(head);
        for invocation in invocations {
            let place = invocation.place.expect("it knows its place");
            let id = InvocationId::due(unit, invocation.due, place.number);
            sent.push((place.ordinal, id, place.runtime_ms, Invocation { place: None, ..invocation }));
        }
    });
    (heads, sent)
}

fn outlined(counts: &[u64]) -> Outline {
    let of = |&invocations: &u64| FunctionOutline { invocations, mean_runtime: Duration::ZERO, mean_memory_mib: 1.0 };
    Outline { functions: counts.iter().map(of).collect(), ..Outline::default() }
}

proptest! {
    #[test]
    fn the_shares_of_all_workers_are_the_plan(
        mode in 0_usize..4,
        seed: u64,
        arrivals in prop::sample::select(vec!["equidistant", "poisson", "uniform"]),
        workers in prop::sample::select(vec![1_u32, 2, 3, 4, 8]),
    ) {
        let plan = || any_plan(mode, seed, arrivals);
        let shares = Shares::of(&plan().outline(), plan().cold_pool(), workers);
        let (heads, expected) = whole(plan(), seed);
        let announced = shares.invocations(&plan().outline());
        prop_assert_eq!(announced.iter().sum::<u64>(), expected.len() as u64);
        // Of functions that are drawn, as rps and burst do unless gaps are equal, the outline has the expected numbers.
        let is_drawn = mode < 2 && arrivals != "equidistant";
        let mut found = Vec::new();
        for worker in 0..workers {
            let (seen, sent) = part(plan(), &shares, worker, seed);
            prop_assert_eq!(&seen, &heads, "slots are those of the whole plan");
            prop_assert!(sent.is_sorted_by_key(|(ordinal, ..)| *ordinal));
            if !is_drawn {
                prop_assert_eq!(sent.len() as u64, announced[worker as usize], "the figure of worker {}", worker);
            }
            found.extend(sent);
        }
        found.sort_by_key(|(ordinal, ..)| *ordinal);
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn no_worker_has_more_than_its_part_and_one_function(
        counts in prop::collection::vec(0_u64..10_000, 1..60),
        workers in 1_u32..12,
    ) {
        let shares = Shares::of(&outlined(&counts), ColdPool::default(), workers);
        let total: u64 = counts.iter().sum();
        let mut loads = vec![0; workers as usize];
        let mut largest = 0;
        for (&count, &owner) in counts.iter().zip(shares.owners()) {
            let is_hot = count * 2 * u64::from(workers) > total;
            prop_assert_eq!(owner == workers, is_hot);
            if !is_hot {
                loads[owner as usize] += count;
                largest = largest.max(count);
            }
        }
        let (least, most) = (loads.iter().min().unwrap(), loads.iter().max().unwrap());
        prop_assert!(most - least <= largest, "{:?}", loads);
    }
}

#[test]
fn large_functions_come_first_and_the_least_loaded_worker_gets_them() {
    // Of 100, more than 25 are too many for one of two workers.
    let shares = Shares::of(&outlined(&[26, 25, 20, 15, 14, 0, 0]), ColdPool::default(), 2);
    assert_eq!(shares.owners(), [2, 0, 1, 1, 0, 1, 1]);
    assert_eq!(Shares::of(&outlined(&[0, 0, 0]), ColdPool::default(), 3).owners(), [0, 1, 2], "of nothing, all alike");
}

#[test]
fn cold_functions_belong_to_workers_in_turn_and_none_to_those_beyond_them() {
    let outline = any_plan(2, 1, "equidistant").outline();
    let shares = Shares::of(&outline, ColdPool::all(1..4), 2);
    assert_eq!(shares.owners(), [2, 0, 1, 0]);
    let owned = |shares: &Shares, worker| {
        let pool = Shared::new(any_plan(2, 1, "equidistant"), shares.clone(), worker, 1).cold_pool();
        (0..pool.len()).map(|number| pool.function(number)).collect::<Vec<_>>()
    };
    assert_eq!([0, 1].map(|worker| owned(&shares, worker)), [vec![1, 3], vec![2]]);
    let many = Shares::of(&outline, ColdPool::all(1..4), 8);
    assert_eq!([0, 1, 2, 3, 7].map(|worker| owned(&many, worker)), [vec![1], vec![2], vec![3], vec![], vec![]]);
    // So no invocation that is to find a cold function goes where there is none.
    for worker in 3..8 {
        let (_, sent) = part(any_plan(2, 1, "equidistant"), &many, worker, 1);
        assert!(sent.iter().all(|(.., invocation)| matches!(invocation.target, Target::Function(_))));
    }
}

#[test]
fn shares_from_elsewhere_are_checked() {
    let made = Shares::of(&outlined(&[60, 20, 20]), ColdPool::default(), 2);
    let read = |owners: Vec<u32>| Shares::from_owners(owners, 2, 3, ColdPool::default());
    assert_eq!(read(made.owners().to_vec()), Ok(made));
    assert_eq!(read(vec![0, 3, 1]).unwrap_err().to_string(), "function 1 belongs to worker 3, of 2");
    assert_eq!(read(vec![0]).unwrap_err().to_string(), "shares of 1 functions for a plan of 3");
}

#[test]
fn a_fingerprint_is_of_one_plan() {
    let of = |mode, seed| fingerprint(any_plan(mode, seed, "poisson"));
    let mut seen: Vec<_> = (0..4).flat_map(|mode| [of(mode, 1), of(mode, 2)]).collect();
    assert_eq!(of(3, 1), seen[6]);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 8, "another mode or seed is another plan");
}
