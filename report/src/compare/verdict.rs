//! What is said of a figure of two groups.

use crate::statistics::{ALPHA, Interval};

/// What is said of a figure of B, against that of A.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// B is better: the difference is significant, and the interval of the ratio does not hold 1.
    Better,
    /// B is worse.
    Worse,
    /// The interval of the ratio lies within the margin.
    Same,
    /// Neither a difference nor equality is shown.
    NotShown,
}

/// What a verdict rests on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evidence {
    /// The 95 % interval of the ratio of B to A.
    pub(crate) interval: Option<Interval>,
    /// Whether all of enough runs have the same value.
    pub(crate) is_equal: bool,
    /// The p of no difference, among those of all that is tested.
    pub(crate) p_holm: Option<f64>,
    /// Cliff's δ.
    pub(crate) delta: Option<f64>,
    /// By how much, as a share, figures may differ and still count as the same.
    pub(crate) margin: f64,
    /// Whether greater values are better.
    pub(crate) more_is_better: bool,
}

impl Evidence {
    /// Equality is shown by an interval alone. What does not differ at all differs by less than the margin.
    fn is_same(&self) -> bool {
        self.interval.is_some_and(|interval| interval.is_within(self.margin)) || self.is_equal
    }

    /// A difference is shown by p, unless the interval of the ratio holds 1.
    fn difference(&self) -> Option<Verdict> {
        let is_shown = self.p_holm? <= ALPHA && !self.interval.is_some_and(|interval| interval.holds(1.0));
        let is_more = self.delta? > 0.0;
        let verdict = if is_more == self.more_is_better { Verdict::Better } else { Verdict::Worse };
        is_shown.then_some(verdict)
    }
}

impl Verdict {
    /// The verdict on this evidence.
    pub(crate) fn of(evidence: &Evidence) -> Self {
        if evidence.is_same() { Self::Same } else { evidence.difference().unwrap_or(Self::NotShown) }
    }

    /// The word, for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Same => "same_within_margin",
            Self::NotShown => "not_shown",
        }
    }

    /// The words, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Same => "same within the margin",
            Self::NotShown => "not shown",
        }
    }
}
