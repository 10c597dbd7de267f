//! Plans: their summary, and their invocations.

use loader_proto::v1;

use super::{disturbances, time::span};
use crate::{
    id::FunctionIndex,
    plan::{FunctionOutline, Invocation, Outline, PlannedFunction, Shares, SlotOutline, Target},
    run::Preparation,
    units,
};

/// Most slots, and most functions, in the summary of a plan.
const LISTED: usize = 10_000;

/// An invocation of a plan whose functions have these names.
pub(in crate::control) fn planned(invocation: &Invocation, slot: u32, names: &[String]) -> v1::PlannedInvocation {
    let Invocation { due, target, runtime_us, memory_mib, clamped: _, mark, place: _ } = *invocation;
    let (Target::Function(function) | Target::Cold { otherwise: function }) = target;
    v1::PlannedInvocation {
        due_ns: due.as_nanos(),
        function: names.get(function.as_usize()).cloned().unwrap_or_default(),
        runtime_us: runtime_us.into(),
        memory_mib,
        mark: mark.as_str().to_owned(),
        slot,
    }
}

/// The summary of a plan.
pub(in crate::control) fn plan(preparation: &Preparation) -> v1::PlanSummary {
    let Preparation { spec, plan, outline } = preparation;
    let Outline { slots, functions, open_ended, waits, clamped, dropped_functions, notes } = outline;
    let (invocations, duration) = (outline.invocations(), outline.duration());
    let peak = |figure: fn(&SlotOutline) -> f64| slots.iter().map(figure).fold(0.0, f64::max);
    let seconds = duration.as_secs_f64();
    v1::PlanSummary {
        mode: spec.mode.to_owned(),
        platform: spec.platform.as_str().to_owned(),
        functions: units::to_u32(plan.functions().len()),
        slots: if *open_ended { 0 } else { units::to_u32(slots.len()) },
        invocations,
        duration: (!open_ended).then(|| span(duration)),
        mean_rate: if seconds > 0.0 { invocations as f64 / seconds } else { 0.0 },
        // A slot's own rate leaves out what its mode sends on top of it.
        peak_rate: peak(|slot| slot.invocations as f64 / slot.duration.as_secs_f64()),
        peak_concurrency: peak(|slot| slot.concurrency),
        peak_memory_mib: peak(|slot| slot.memory_mib),
        clamped: *clamped,
        dropped_functions: dropped_functions.clone(),
        slot_plans: (0..).zip(slots).take(LISTED).map(plan_slot).collect(),
        function_plans: plan.functions().iter().zip(functions).take(LISTED).map(plan_function).collect(),
        open_ended: *open_ended,
        waits: *waits,
        disturbances: spec.disturbances.iter().map(disturbances::planned).collect(),
        notes: notes.clone(),
        shares: spec.workers.as_ref().map(|workers| shares(preparation, workers.count)),
    }
}

/// How so many workers share a plan, as its run will share it.
fn shares(preparation: &Preparation, workers: u32) -> v1::PlanShares {
    let Preparation { spec: _, plan, outline } = preparation;
    let shares = Shares::of(outline, plan.cold_pool(), workers);
    let split = (0..).zip(plan.functions()).filter(|(index, _)| shares.owner(FunctionIndex(*index)).is_none());
    v1::PlanShares {
        split_functions: split.map(|(_, function)| function.name.clone()).collect(),
        invocations: shares.invocations(outline),
    }
}

fn plan_slot((slot, outline): (u32, &SlotOutline)) -> v1::PlanSlot {
    let &SlotOutline { invocations, duration, rate, concurrency, memory_mib } = outline;
    v1::PlanSlot { slot, invocations, duration: Some(span(duration)), rate, concurrency, memory_mib }
}

fn plan_function((function, outline): (&PlannedFunction, &FunctionOutline)) -> v1::PlanFunction {
    let PlannedFunction { name, source_id, trigger: _, initial_scale: _, invocations: _, peak_memory_mib: _ } =
        function;
    let &FunctionOutline { invocations, mean_runtime, mean_memory_mib } = outline;
    v1::PlanFunction {
        function: name.clone(),
        source_id: source_id.clone(),
        invocations,
        mean_runtime_us: units::micros(mean_runtime),
        mean_memory_mib,
    }
}
