//! Whether a slot's rate was sustained: docs/definitions.md, "Capacity".

use std::time::Duration;

use crate::{
    plan::{
        Backlog, SlotEvidence,
        overload::{failed_ratio, not_offered, percent},
    },
    spec::{RunSpec, Slo},
    steady,
};

/// The share of what was sent that must be answered for the backlog not to grow.
const ANSWERED_SHARE: f64 = 0.99;

/// The significance level at which the number in flight grows.
const SIGNIFICANCE: f64 = 0.01;

/// The share of the rate, per second, by which the number in flight may grow.
const GROWTH: f64 = 0.01;

/// The share of a slot's invocations that may be in flight when it begins: a few that are never answered do not touch it.
const INHERITED_SHARE: f64 = 0.01;

/// By what rules rates are judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rules {
    /// The greatest share of invocations that may fail.
    pub(super) failure_ratio: f64,
    /// The objective; absent: none.
    pub(super) slo: Option<Slo>,
}

impl Rules {
    /// The rules of a run.
    pub(super) fn new(run: &RunSpec) -> Self {
        Self { failure_ratio: run.overload.failure_ratio, slo: run.slo }
    }
}

/// What a slot says of its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The rate was sustained.
    Sustained,
    /// The rate was not sustained.
    NotSustained,
    /// The slot says nothing.
    Unknown,
    /// Nothing was due in the slot's measured part.
    Empty,
}

impl Verdict {
    /// As in a summary.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Sustained => "sustained",
            Self::NotSustained => "not sustained",
            Self::Unknown | Self::Empty => "unknown",
        }
    }
}

/// A verdict, and the figures that it rests on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judgement {
    /// The verdict.
    pub(super) verdict: Verdict,
    /// Why, in numbers; empty for a rate that was sustained.
    pub(super) reason: String,
    /// The share of invocations that failed.
    pub(super) failed_ratio: Option<f64>,
    /// Growth of the number in flight per second, where it is significant.
    pub(super) backlog_slope: Option<f64>,
    /// The share of invocations that met the objective.
    pub(super) slo_share: Option<f64>,
}

impl Judgement {
    /// A slot that says nothing.
    fn silent(verdict: Verdict, reason: impl Into<String>) -> Self {
        Self { verdict, reason: reason.into(), failed_ratio: None, backlog_slope: None, slo_share: None }
    }

    /// Judges what a slot showed; nothing where the run ended before that was known.
    pub(super) fn of(evidence: Option<&SlotEvidence>, rules: &Rules) -> Self {
        let Some(evidence) = evidence else {
            return Self::silent(Verdict::Unknown, "the run ended before it was decided");
        };
        if evidence.planned == 0 {
            return Self::silent(Verdict::Empty, "nothing was due after the step's warm-up");
        }
        match inherited(evidence).or_else(|| not_offered(evidence)) {
            Some(reason) => Self::silent(Verdict::Unknown, reason),
            None => Self::of_offered(evidence, rules),
        }
    }

    /// Judges a slot that says something.
    fn of_offered(evidence: &SlotEvidence, rules: &Rules) -> Self {
        let failed_ratio = failed_ratio(evidence);
        let slope = growth(&evidence.backlog);
        let slo_share = evidence.within_slo.map(|within| within as f64 / evidence.planned as f64);
        let reasons = [
            failures(failed_ratio, rules.failure_ratio),
            backlog(&evidence.backlog, slope, evidence.rate),
            rules.slo.zip(slo_share).and_then(|(slo, share)| missed(slo, share)),
        ];
        let reasons: Vec<_> = reasons.into_iter().flatten().collect();
        Self {
            verdict: if reasons.is_empty() { Verdict::Sustained } else { Verdict::NotSustained },
            reason: reasons.join("; "),
            failed_ratio: Some(failed_ratio),
            backlog_slope: slope,
            slo_share,
        }
    }
}

/// Why a slot says nothing for what earlier ones left.
fn inherited(evidence: &SlotEvidence) -> Option<String> {
    let inherited = evidence.backlog.inherited;
    let touched = inherited as f64 > INHERITED_SHARE * evidence.planned as f64;
    touched.then(|| format!("backlog: {inherited} of earlier slots were in flight when it began"))
}

/// Point 2: too many failed.
fn failures(failed: f64, most: f64) -> Option<String> {
    (failed > most).then(|| format!("{} failed or were not answered in time", percent(failed)))
}

/// Point 3: the backlog grew.
fn backlog(backlog: &Backlog, slope: Option<f64>, rate: f64) -> Option<String> {
    let Backlog { sent, answered, .. } = backlog;
    let behind = (*answered as f64) < ANSWERED_SHARE * *sent as f64;
    let slope = slope.filter(|&slope| slope > GROWTH * rate)?;
    behind.then(|| format!("{answered} of {sent} answered while they were sent, {slope:.1} more in flight each second"))
}

/// Point 4: the objective was missed.
fn missed(slo: Slo, share: f64) -> Option<String> {
    let within = humantime::format_duration(slo.response);
    (share < slo.share).then(|| format!("{} within {within} of their due time", percent(share)))
}

/// Growth of the number in flight per second; absent where it is not significantly above zero.
fn growth(backlog: &Backlog) -> Option<f64> {
    let Backlog { in_flight, every, .. } = backlog;
    let series: Vec<f64> = in_flight.iter().map(|&count| count as f64).collect();
    let trend = steady::trend(&series).filter(|trend| trend.is_significant(SIGNIFICANCE) && trend.slope > 0.0)?;
    (*every > Duration::ZERO).then(|| trend.slope / every.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Late, testkit::evidence};

    const RULES: Rules = Rules { failure_ratio: 0.1, slo: None };

    /// A hundred sent in ten seconds, at 10/s, of which so many are answered meanwhile; the rest stays in flight.
    fn growing(answered: u64) -> SlotEvidence {
        let in_flight = (0..=60).map(|at| 5 + (100 - answered) * at / 60).collect();
        let every = Duration::from_secs(10) / 60;
        SlotEvidence {
            rate: 10.0,
            backlog: Backlog { inherited: 0, sent: 100, answered, in_flight, every },
            ..evidence(0, 0)
        }
    }

    fn judged(evidence: &SlotEvidence, rules: &Rules) -> (Verdict, String) {
        let Judgement { verdict, reason, .. } = Judgement::of(Some(evidence), rules);
        (verdict, reason)
    }

    #[track_caller]
    fn verdicts<const N: usize>(rules: &Rules, table: [(SlotEvidence, Verdict, &str); N]) {
        for (evidence, verdict, reason) in table {
            assert_eq!(judged(&evidence, rules), (verdict, reason.to_owned()), "{evidence:?}");
        }
    }

    #[test]
    fn a_slot_that_was_not_offered_says_nothing() {
        let late = |in_time, late| SlotEvidence { in_time, late, ..evidence(0, 100) };
        let loader = |loader| Late { loader, ..Late::default() };
        verdicts(
            &RULES,
            [
                (late(99, loader(1)), Verdict::NotSustained, "100 % failed or were not answered in time"),
                (late(98, loader(2)), Verdict::Unknown, "the loader sent 98 % in time"),
                (
                    late(0, Late { connections: 100, ..Late::default() }),
                    Verdict::Unknown,
                    "connections let 0 % go out in time",
                ),
                (SlotEvidence::default(), Verdict::Empty, "nothing was due after the step's warm-up"),
            ],
        );
        let undecided = Judgement::of(None, &RULES);
        assert_eq!((undecided.verdict, undecided.failed_ratio), (Verdict::Unknown, None));
    }

    #[test]
    fn more_than_the_share_must_fail() {
        verdicts(
            &RULES,
            [
                (evidence(0, 0), Verdict::Sustained, ""),
                (evidence(0, 10), Verdict::Sustained, ""),
                (evidence(0, 11), Verdict::NotSustained, "11 % failed or were not answered in time"),
                (evidence(0, 100), Verdict::NotSustained, "100 % failed or were not answered in time"),
            ],
        );
    }

    #[test]
    fn a_backlog_that_grows_is_not_sustained() {
        let grown = "80 of 100 answered while they were sent, 2.0 more in flight each second";
        let steady = |evidence: SlotEvidence| {
            let backlog = Backlog { in_flight: vec![7; 61], ..evidence.backlog };
            SlotEvidence { backlog, ..evidence }
        };
        let answered = |answered, evidence: SlotEvidence| {
            let backlog = Backlog { answered, ..evidence.backlog };
            SlotEvidence { backlog, ..evidence }
        };
        verdicts(
            &RULES,
            [
                (growing(80), Verdict::NotSustained, grown),
                // Either will do: as many answers as sends, or no growth.
                (answered(99, growing(80)), Verdict::Sustained, ""),
                (steady(growing(80)), Verdict::Sustained, ""),
                // Growth of less than 1 % of the rate per second.
                (SlotEvidence { rate: 201.0, ..growing(80) }, Verdict::Sustained, ""),
                (SlotEvidence { rate: 190.0, ..growing(80) }, Verdict::NotSustained, grown),
            ],
        );
    }

    #[test]
    fn what_earlier_slots_left_makes_it_unknown() {
        let left = |inherited| {
            let whole = evidence(0, 0);
            SlotEvidence { backlog: Backlog { inherited, ..Backlog::default() }, ..whole }
        };
        verdicts(
            &RULES,
            [
                (left(1), Verdict::Sustained, ""),
                (left(2), Verdict::Unknown, "backlog: 2 of earlier slots were in flight when it began"),
            ],
        );
    }

    #[test]
    fn the_objective_is_a_share_of_all_that_was_due() {
        let rules = Rules { slo: Some(Slo { response: Duration::from_millis(500), share: 0.95 }), ..RULES };
        let within = |within| SlotEvidence { within_slo: Some(within), ..evidence(0, 0) };
        verdicts(
            &rules,
            [
                (within(95), Verdict::Sustained, ""),
                (within(94), Verdict::NotSustained, "94 % within 500ms of their due time"),
            ],
        );
        assert_eq!(Judgement::of(Some(&within(94)), &rules).slo_share, Some(0.94));
    }
}
