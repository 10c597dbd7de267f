//! Whether a plan fits its platform: the plan's demand, by the deployment that the run would ask for.

use std::time::Duration;

use super::{deploy::request, prepare::Preparation};
use crate::{
    id::RunId,
    plan::{FunctionOutline, Outline, Plan},
    platform::{Allocatable, Amounts, Deploy, FunctionDeployment, NodeRoom},
    room::{Need, Timeline, Verdict, judge, timeline},
};

/// Most functions times slots over which a fitting rate is searched for.
const MOST_CELLS: usize = 200_000_000;
/// Halvings of the interval in which it lies: to less than a hundredth.
const HALVINGS: u32 = 7;

/// A plan whose room is asked for.
pub struct RoomQuestion {
    preparation: Preparation,
    deploy: Deploy,
}

/// The room of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitting {
    /// Whether it fits, and by what.
    pub verdict: Verdict,
    /// The number of the slot that requests most.
    pub busiest_slot: usize,
    /// Functions of the plan's trace that fit, in proportion; absent without a trace, or for a load that asks for nothing.
    pub functions: Option<u32>,
    /// The greatest share of its rate with which a plan that does not fit would; absent where none does, or it was not searched for.
    pub rate: Option<f64>,
}

impl RoomQuestion {
    /// The question for a plan.
    pub fn new(preparation: Preparation) -> Self {
        let Preparation { spec, plan, outline } = &preparation;
        let deploy = request(RunId::new(0, 0), spec, plan.functions(), outline);
        Self { preparation, deploy }
    }

    /// The functions that the run would deploy.
    pub fn functions(&self) -> &[FunctionDeployment] {
        &self.deploy.functions
    }

    /// The answer for a platform with this room, on which instances of the functions request so much. Takes a while for large plans;
    /// nothing once it is no longer wanted.
    pub fn answer(
        &self,
        allocatable: &Allocatable,
        requests: &[Amounts],
        is_wanted: &dyn Fn() -> bool,
    ) -> Option<Fitting> {
        let Preparation { spec, plan, outline } = &self.preparation;
        let is_limited = spec.platform.features().instance_resources;
        let processors = if spec.kind.computes() { 1.0 } else { 0.0 };
        let need = |(function, request): (&FunctionDeployment, &Amounts)| Need {
            request: *request,
            scaling: function.scaling,
            processors,
            limit: is_limited.then(|| f64::from(function.resources.cpu_limit_millicores) / 1000.0),
        };
        let needs: Vec<_> = self.deploy.functions.iter().zip(requests).map(need).collect();
        let Allocatable { nodes, stable_window } = allocatable;
        let free = nodes.iter().map(NodeRoom::free).fold(Amounts::default(), |sum, it| sum + it);
        let at = |share| timeline(&needs, slots(&**plan, outline), share, (free, *stable_window), is_wanted);
        let whole = at(1.0)?;
        let verdict = judge(&needs, &whole, nodes);
        let fits = |timeline: Timeline| judge(&needs, &timeline, nodes).fits();
        let is_searched = !verdict.fits() && outline.slots.len().saturating_mul(outline.functions.len()) <= MOST_CELLS;
        let rate = if is_searched { greatest(|share| at(share).map(fits))? } else { None };
        let is_of_trace = plan.functions().iter().any(|function| !function.source_id.is_empty());
        let functions = verdict.proportion().filter(|_| is_of_trace).map(|proportion| {
            crate::units::to_u32(crate::units::rounded((outline.functions.len() as f64 * proportion).floor()))
        });
        Some(Fitting { busiest_slot: whole.busiest_slot, verdict, functions, rate })
    }
}

/// The lengths of the slots of a plan, and the concurrencies of its functions in them.
fn slots<'a>(plan: &'a dyn Plan, outline: &'a Outline) -> impl Iterator<Item = (Duration, Vec<f64>)> + 'a {
    let work = |function: &FunctionOutline| function.invocations as f64 * function.mean_runtime.as_secs_f64();
    let all: f64 = outline.functions.iter().map(work).sum();
    let share = move |function: &FunctionOutline| if all > 0.0 { work(function) / all } else { 0.0 };
    outline.slots.iter().enumerate().map(move |(slot, of_slot)| {
        let shared = || outline.functions.iter().map(|function| share(function) * of_slot.concurrency).collect();
        (of_slot.duration, plan.slot_concurrency(slot, outline).unwrap_or_else(shared))
    })
}

/// The greatest share below 1 that fits, by halving, provided that what fits does so with less, too. The outer option is empty when it
/// is no longer wanted, the inner one when nothing fits.
fn greatest(fits: impl Fn(f64) -> Option<bool>) -> Option<Option<f64>> {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if fits(middle)? { low = middle } else { high = middle }
    }
    Some((low > 0.0).then_some(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_share_that_fits_is_found_to_a_hundredth() {
        for limit in [0.01, 0.3, 0.5, 0.72, 0.999] {
            let found = greatest(|share| Some(share <= limit)).expect("is wanted").expect("some fit");
            assert!(found <= limit && limit - found < 0.01, "{limit}: {found}");
        }
        assert_eq!(greatest(|_| Some(false)), Some(None));
        assert_eq!(greatest(|_| None), None);
    }
}
