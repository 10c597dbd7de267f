//! Which rates were tried, how often, and what came of it.

use super::verdict::Verdict;

/// How often a rate was judged, and how often it was sustained.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Tried {
    /// The rate, in invocations per second.
    pub(super) rate: f64,
    /// Slots that sustained it.
    pub(super) passed: u32,
    /// Slots that said something of it.
    pub(super) tried: u32,
}

impl Tried {
    /// Whether it counts as sustained: in at least half of its slots.
    fn is_sustained(&self) -> bool {
        2 * self.passed >= self.tried
    }
}

/// All rates that were judged, ascending.
#[derive(Debug, Clone, Default)]
pub(super) struct Tries(Vec<Tried>);

impl Tries {
    /// Takes the verdict on a rate. One that says nothing is not counted.
    pub(super) fn take(&mut self, rate: f64, verdict: Verdict) {
        if !matches!(verdict, Verdict::Sustained | Verdict::NotSustained) {
            return;
        }
        let at = self.0.partition_point(|tried| tried.rate < rate);
        if self.0.get(at).is_none_or(|tried| tried.rate > rate) {
            self.0.insert(at, Tried { rate, ..Tried::default() });
        }
        self.0[at].tried += 1;
        self.0[at].passed += u32::from(verdict == Verdict::Sustained);
    }

    /// What came of a rate.
    pub(super) fn of(&self, rate: f64) -> Tried {
        let none = Tried { rate, ..Tried::default() };
        self.0.iter().find(|tried| tried.rate.total_cmp(&rate).is_eq()).copied().unwrap_or(none)
    }

    /// A rate that was sustained in exactly half of its slots.
    pub(super) fn tied(&self) -> Option<f64> {
        self.0.iter().find(|tried| 2 * tried.passed == tried.tried).map(|tried| tried.rate)
    }

    /// The greatest rate that was sustained.
    pub(super) fn sustained(&self) -> Option<Tried> {
        self.0.iter().rfind(|tried| tried.is_sustained()).copied()
    }

    /// The least rate above that which was not.
    pub(super) fn unsustained(&self) -> Option<Tried> {
        let above = self.sustained().map_or(0.0, |sustained| sustained.rate);
        self.0.iter().find(|tried| tried.rate > above).copied()
    }

    /// The rates of both.
    pub(super) fn edges(&self) -> (Option<f64>, Option<f64>) {
        (self.sustained().map(|tried| tried.rate), self.unsustained().map(|tried| tried.rate))
    }
}
