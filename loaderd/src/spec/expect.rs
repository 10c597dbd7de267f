//! What a spec expects of the run's figures.

use loader_report::expectation::{Expectation, Than};

use super::check::Check;

/// Most expectations of a run: each is a series of a metric.
const MOST: usize = 50;

/// Reads the list, in its order. A list that is too long is not read.
pub(super) fn expectations(check: &mut Check, texts: &[String]) -> Option<Vec<Expectation>> {
    if texts.len() > MOST {
        check.fault("expect", format!("has {} entries; must have at most {MOST}", texts.len()));
        return None;
    }
    let mut read: Vec<Expectation> = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let field = format!("expect[{index}]");
        match Expectation::parse(text, Than::Nothing) {
            Ok(expectation) if read.iter().any(|it| it.text == expectation.text) => {
                check.fault(field, format!("{:?} is there twice", expectation.text));
            }
            Ok(expectation) => read.push(expectation),
            Err(fault) => check.fault(field, fault),
        }
    }
    (read.len() == texts.len()).then_some(read)
}
