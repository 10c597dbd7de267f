//! Reading an expectation.

use std::time::Duration;

use loader_proto::json::parse_duration;

use super::bound::{Bound, Relation, bound};
use crate::indicator::{self, Indicator};

/// Longest expectation, in bytes: it is a label of a metric.
const LONGEST: usize = 200;

/// How long an expectation that ends a run is not judged, where it does not say: the first invocations of a run are its slowest.
const ABORT_AFTER: Duration = Duration::from_secs(10);

/// Figures, and groups of figures, that are known while a run goes.
const KNOWN_BEFORE_THE_END: [&str; 16] = [
    "requested",
    "issued",
    "returned",
    "failed",
    "achieved",
    "dispatchLag",
    "ownLag",
    "connect",
    "streamWait",
    "receiveLag",
    "response",
    "responseFromDue",
    "responseInclFailures",
    "schedulingLatency",
    "slowdown",
    "coldStarts",
];

/// One of them that is not.
const KNOWN_AT_THE_END: &str = "coldStarts.instancesStarted";

/// What bounds may be relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Than {
    /// To nothing: those of a run.
    Nothing,
    /// To A: those of a comparison, which has nothing to end early.
    A,
}

/// An expectation.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// As it was written, but for spaces around it.
    pub text: String,
    /// The figure.
    pub indicator: &'static Indicator,
    /// How the figure must be to the bound.
    pub relation: Relation,
    /// The bound.
    pub bound: Bound,
    /// Present where a run ends as soon as it is not met: how long after the beginning of the measured phase that is judged.
    pub abort: Option<Duration>,
}

impl Expectation {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub fn parse(text: &str, than: Than) -> Result<Self, String> {
        let text = text.trim();
        if text.len() > LONGEST || text.contains(char::is_control) {
            return Err(format!("must be a line of at most {LONGEST} bytes"));
        }
        let (condition, abort) = abort(text)?;
        let form =
            || format!("{text:?} is no expectation: write it as \"response.p99 < 500ms\" or \"failed < 1% abort\"");
        let at = condition.find(['<', '>', '=']).ok_or_else(form)?;
        let (name, rest) = condition.split_at(at);
        let (sign, relation) = Relation::ALL.into_iter().find(|(sign, _)| rest.starts_with(sign)).ok_or_else(form)?;
        let value = rest[sign.len()..].trim();
        if name.trim().is_empty() || value.is_empty() {
            return Err(form());
        }
        let indicator = indicator::find(name)?;
        let bound = bound(indicator, value)?;
        if than == Than::Nothing && matches!(bound, Bound::Relative(_)) {
            return Err(format!(
                "{value} is relative to another run, which a run alone does not have; see loaderctl compare --expect"
            ));
        }
        if relation == Relation::Equal && matches!(bound, Bound::Relative(_)) {
            return Err(format!(
                "what is exactly {value} is never shown: write < or >, such as \"{} < +10%\"",
                indicator.name
            ));
        }
        match abort {
            Some(_) if than == Than::A => Err("a comparison has nothing to abort".to_owned()),
            Some(_) if !is_known_before_the_end(&indicator.name) => {
                Err(format!("{} is known at the end of a run alone, so that it cannot abort one", indicator.name))
            }
            _ => Ok(Self { text: text.to_owned(), indicator, relation, bound, abort }),
        }
    }
}

/// The condition, and when it ends a run.
fn abort(text: &str) -> Result<(&str, Option<Duration>), String> {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let Some((condition, rest)) =
        text.split_once(" abort").filter(|(_, rest)| rest.is_empty() || rest.starts_with(' '))
    else {
        return Ok((text, None));
    };
    match words(rest).iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => Ok((condition, Some(ABORT_AFTER))),
        ["after", after] => {
            let duration = parse_duration(after)?;
            let after = Duration::try_from(duration).map_err(|_| format!("{after:?} is negative"))?;
            Ok((condition, Some(after)))
        }
        _ => Err(format!("{:?} does not belong behind abort: write abort, or abort after 30s", rest.trim())),
    }
}

fn is_known_before_the_end(name: &str) -> bool {
    let group = name.split('.').next().unwrap_or_default();
    KNOWN_BEFORE_THE_END.contains(&group) && name != KNOWN_AT_THE_END
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_are_read_in_the_units_of_their_figures() {
        for (text, name, relation, bound, abort) in [
            ("response.p99 < 500ms", "response.p99", Relation::Less, Bound::Value(500_000.0), None),
            ("responseUs.p99<=1.5s", "response.p99", Relation::AtMost, Bound::Value(1.5e6), None),
            ("response.p50 < 2m", "response.p50", Relation::Less, Bound::Value(120e6), None),
            ("failed < 1%", "failed", Relation::Less, Bound::Value(0.01), None),
            ("failed == 0", "failed", Relation::Equal, Bound::Count(0.0), None),
            ("achieved >= 99%", "achieved", Relation::AtLeast, Bound::Value(0.99), None),
            ("coldStarts.share < 0.05", "coldStarts.share", Relation::Less, Bound::Value(0.05), None),
            ("goodput > 10/s", "goodput", Relation::Greater, Bound::Value(10.0), None),
            ("memoryInFlight.peak <= 1GiB", "memoryInFlight.peak", Relation::AtMost, Bound::Value(1024.0), None),
            ("slowdown.geometricMean = 1", "slowdown.geometricMean", Relation::Equal, Bound::Value(1.0), None),
            ("  failed < 5% abort ", "failed", Relation::Less, Bound::Value(0.05), Some(ABORT_AFTER)),
            ("failed < 5% abort after 1m", "failed", Relation::Less, Bound::Value(0.05), Some(Duration::from_secs(60))),
        ] {
            let read = Expectation::parse(text, Than::Nothing).expect(text);
            assert_eq!(
                (read.indicator.name.as_str(), read.relation, read.bound, read.abort),
                (name, relation, bound, abort),
                "{text}"
            );
            assert_eq!(read.text, text.trim());
        }
        let relative = Expectation::parse("response.p99 < +10%", Than::A).expect("of a comparison");
        assert_eq!(relative.bound, Bound::Relative(0.1));
    }

    #[test]
    fn what_is_no_expectation_is_refused_with_what_would_be_one() {
        for (text, than, expected) in [
            ("respons.p99 < 5ms", Than::Nothing, "did you mean response.p99?"),
            ("response.p99 < 500", Than::Nothing, "\"500\" is no bound of response.p99: write it as 500ms"),
            ("response.p99 < -5ms", Than::Nothing, "is no bound"),
            ("response.p99", Than::Nothing, "is no expectation"),
            ("< 5ms", Than::Nothing, "is no expectation"),
            ("response.p99 <", Than::Nothing, "is no expectation"),
            ("", Than::Nothing, "is no expectation"),
            ("failed < many", Than::Nothing, "1% (of the requested invocations) or 3"),
            ("failed < NaN", Than::Nothing, "is no bound"),
            ("failed < 1% abort now", Than::Nothing, "\"now\" does not belong behind abort"),
            ("failed < 1% abort after", Than::Nothing, "does not belong behind abort"),
            ("failed < 1% abort after -5s", Than::Nothing, "is negative"),
            ("rps.sustainedRate > 10 abort", Than::Nothing, "is known at the end of a run alone"),
            ("response.p99 < +10%", Than::Nothing, "is relative to another run"),
            ("failed < 1% abort", Than::A, "nothing to abort"),
            ("response.p99 == +10%", Than::A, "is never shown"),
            ("failed <\n1%", Than::Nothing, "must be a line"),
            ("t0UnixUs > 1", Than::Nothing, "there is no figure"),
        ] {
            let fault = Expectation::parse(text, than).expect_err(text);
            assert!(fault.contains(expected), "{text}: {fault}");
        }
        assert!(Expectation::parse(&format!("failed < {}%", "1".repeat(300)), Than::Nothing).is_err());
    }
}
