//! Whether an expectation is met.

use super::{bound::Bound, parse::Expectation};
use crate::{figure::Quantity, indicator::Figures};

/// An expectation, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The expectation, as it was written.
    pub expectation: String,
    /// The figure, in its unit; of parts of the requested invocations their share, or their number where the bound is one. Absent where it
    /// is not known.
    pub value: Option<f64>,
    /// Whether it is met; absent where the figure is not known.
    pub is_met: Option<bool>,
    /// The figure as people read it; `not known` where it is not.
    pub shown: String,
    /// Whether the run was ended by it.
    pub aborted: bool,
}

impl Expectation {
    /// Judges it by the figures of a run. One that is relative is not known there.
    pub fn judge(&self, figures: &Figures) -> Judged {
        let name = &self.indicator.name;
        self.judge_value(match self.bound {
            Bound::Value(_) => figures.get(name),
            Bound::Count(_) => figures.count(name),
            Bound::Relative(_) => None,
        })
    }

    /// Judges it by the value of its figure.
    pub(crate) fn judge_value(&self, value: Option<f64>) -> Judged {
        let (bound, quantity) = match self.bound {
            Bound::Value(bound) => (bound, self.indicator.quantity()),
            Bound::Count(bound) => (bound, Quantity::Number),
            Bound::Relative(bound) => (bound, Quantity::Share),
        };
        Judged {
            expectation: self.text.clone(),
            value,
            is_met: value.map(|value| self.relation.holds(value, bound)),
            shown: value.map_or_else(|| "not known".to_owned(), |value| quantity.text(value)),
            aborted: false,
        }
    }
}

impl Judged {
    /// Whether it is met; what is not known is not.
    pub fn is_certain(&self) -> bool {
        self.is_met == Some(true) && !self.aborted
    }

    /// `met`, `missed` or `not known`.
    pub fn word(&self) -> &'static str {
        match self.is_met {
            _ if self.aborted => "missed",
            Some(true) => "met",
            Some(false) => "missed",
            None => "not known",
        }
    }
}

#[cfg(test)]
mod tests {
    use loader_proto::v1::{Distribution, RunSummary};

    use super::*;
    use crate::expectation::Than;

    #[test]
    fn expectations_are_judged_and_what_is_not_known_is_not_met() {
        let response_us =
            Some(Distribution { count: 200, p50: Some(12_000), p99: Some(512_000), ..Distribution::default() });
        let summary =
            RunSummary { requested: 200, failed: 2, response_us, achieved_ratio: Some(1.0), ..RunSummary::default() };
        let figures = Figures::of(&summary);
        for (text, word, shown) in [
            ("response.p50 < 20ms", "met", "12 ms"),
            ("response.p99 < 500ms", "missed", "512 ms"),
            ("response.p99 < 512ms", "missed", "512 ms"),
            ("response.p99 <= 512ms", "met", "512 ms"),
            ("response.p999 < 1s", "not known", "not known"),
            ("failed <= 1%", "met", "1 %"),
            ("failed < 1%", "missed", "1 %"),
            ("failed < 3", "met", "2"),
            ("failed == 0", "missed", "2"),
            ("achieved >= 99%", "met", "100 %"),
        ] {
            let judged = Expectation::parse(text, Than::Nothing).expect(text).judge(&figures);
            assert_eq!(
                (judged.word(), judged.shown.as_str(), judged.is_certain()),
                (word, shown, word == "met"),
                "{text}"
            );
        }
        let nothing = Expectation::parse("failed < 1%", Than::Nothing).expect("one").judge(&Figures::default());
        assert_eq!((nothing.value, nothing.is_met), (None, None));
    }
}
