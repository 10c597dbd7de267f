//! Two groups of runs, figure by figure.

use std::collections::BTreeSet;

use super::{
    differences::{self, Difference},
    group::Group,
    measure::Measure,
    notes,
    row::Row,
    verdict::Verdict,
};
use crate::statistics::holm;

/// The runs of two groups, compared.
#[derive(Debug)]
pub struct Comparison {
    /// What is compared against.
    pub a: Group,
    /// What is compared.
    pub b: Group,
    /// By how much, as a share, figures may differ and still count as the same.
    pub margin: f64,
    /// The figures.
    pub rows: Vec<Row>,
    /// In what the runs differ that they asked for.
    pub differences: Vec<Difference>,
    /// What is to be known of all of them, in sentences.
    pub notes: Vec<String>,
}

/// Groups that cannot be compared.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Incomparable {
    /// A group has no run that is a sample.
    #[error("nothing can be compared: {0}")]
    NoSamples(String),
    /// They have no mode, or no figure, in common.
    #[error("the runs have nothing in common that could be compared: {0}")]
    NothingInCommon(String),
}

/// Compares two groups by these figures; those that neither of them has are left out, unless they were `named`.
///
/// # Errors
/// Groups without a mode or a figure that both have, or a group in which no run can be compared.
pub fn compare(
    a: Group,
    b: Group,
    measures: &[&'static Measure],
    is_named: bool,
    margin: f64,
) -> Result<Comparison, Incomparable> {
    if let Some(fault) = notes::without_samples(&[&a, &b]) {
        return Err(Incomparable::NoSamples(fault));
    }
    let (modes_a, modes_b) = (modes(&a), modes(&b));
    if modes_a.is_disjoint(&modes_b) {
        let list = |modes: &BTreeSet<String>| modes.iter().cloned().collect::<Vec<_>>().join(", ");
        return Err(Incomparable::NothingInCommon(format!(
            "A is of mode {}, B of mode {}",
            list(&modes_a),
            list(&modes_b)
        )));
    }
    let all = measures.iter().map(|measure| Row::of(measure, &a, &b));
    let mut rows: Vec<Row> =
        all.filter(|row| is_named || !row.a.values.is_empty() || !row.b.values.is_empty()).collect();
    if !rows.iter().any(Row::is_common) {
        let names: Vec<_> = measures.iter().map(|measure| measure.name).collect();
        return Err(Incomparable::NothingInCommon(format!(
            "no figure of {} is there in both groups",
            names.join(", ")
        )));
    }
    let is_single = a.samples.len() == 1 || b.samples.len() == 1;
    judge(&mut rows, margin);
    let differences = differences::between(&a, &b);
    let notes = notes::notes(&a, &b, &rows, is_single);
    Ok(Comparison { a, b, margin, rows, differences, notes })
}

fn modes(group: &Group) -> BTreeSet<String> {
    group.samples.iter().map(|sample| sample.mode.clone()).collect()
}

fn judge(rows: &mut [Row], margin: f64) {
    let tested: Vec<f64> = rows.iter().filter_map(|row| row.p).collect();
    let mut adjusted = holm(&tested).into_iter();
    for row in rows {
        let p_holm = row.p.and_then(|_| adjusted.next());
        row.judge(p_holm, margin);
    }
}

impl Comparison {
    /// The names of the figures of which this is said.
    pub fn figures(&self, verdict: Verdict) -> Vec<&'static str> {
        self.rows.iter().filter(|row| row.verdict == verdict).map(|row| row.measure.name).collect()
    }

    /// Whether a group has one run, so that nothing can be shown.
    pub fn is_single(&self) -> bool {
        self.a.samples.len() == 1 || self.b.samples.len() == 1
    }

    /// All of it in a sentence.
    pub fn lead(&self) -> String {
        if self.is_single() {
            return "Nothing can be shown of one run a group.".to_owned();
        }
        let said = [Verdict::Worse, Verdict::Better, Verdict::Same, Verdict::NotShown].map(|verdict| {
            let figures = self.figures(verdict);
            (!figures.is_empty()).then(|| format!("{}: {}", verdict.words(), figures.join(", ")))
        });
        let said: Vec<_> = said.into_iter().flatten().collect();
        format!("B against A is {}.", said.join("; "))
    }
}
