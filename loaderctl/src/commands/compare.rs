//! `compare`: two groups of runs, figure by figure.

use loader_proto::json::Fault;
use loader_report::{
    compare::{self, Comparison, Group, MEASURES, Measure, Verdict},
    expectation::{Expectation, Judged, Than},
    page,
};
use serde_json::json;

use super::{
    run_files,
    run_names::{Finder, Meant},
    session::Session,
};
use crate::{
    Ending, Failure,
    cli::{CompareArguments, FailIf},
    junit,
    output::{self, Format},
    render,
};

/// The name that lists all figures.
const LIST: &str = "list";

/// Compares B with A.
pub(super) async fn compare(session: &Session, arguments: CompareArguments) -> Result<Ending, Failure> {
    let CompareArguments { a, b, figures, margin, html, expect, junit, fail_if } = arguments;
    if figures.iter().any(|name| name == LIST) {
        return list(session.format);
    }
    let measures = measures(&figures)?;
    let expectations = expectations(&expect)?;
    if a.is_empty() || b.is_empty() {
        let missing = if a.is_empty() {
            "A is missing: the runs that are compared against"
        } else {
            "--vs B… is missing: the runs of B"
        };
        return Err(Failure::Input(missing.to_owned()));
    }
    let mut finder = Finder::new(session);
    let (a, b) = (finder.find(&a).await?, finder.find(&b).await?);
    let (a, b) = (read(session, "A", &a).await?, read(session, "B", &b).await?);
    in_both(&a, &b)?;
    let comparison = compare::compare(a, b, &measures, !figures.is_empty(), margin);
    let comparison = comparison.map_err(|error| Failure::Input(error.to_string()))?;
    if let Some(path) = html {
        run_files::write(&path, page::comparison_html(&comparison).as_bytes())?;
    }
    let judged = comparison.expected(&expectations);
    if let Some(path) = junit {
        run_files::write(&path, junit::of_comparison(&judged).as_bytes())?;
    }
    match session.format {
        Format::Table => output::text(&(render::expected(&judged) + &render::comparison(&comparison)))?,
        Format::Json => {
            let mut json = render::comparison_json(&comparison);
            if !judged.is_empty() {
                json["expectations"] = render::expected_json(&judged);
            }
            output::text(&format!("{json:#}"))?;
        }
    }
    Ok(ending(&comparison, &judged, fail_if))
}

fn ending(comparison: &Comparison, judged: &[Judged], fail_if: Option<FailIf>) -> Ending {
    match fail_if {
        _ if !judged.iter().all(Judged::is_certain) => Ending::Missed,
        Some(FailIf::Worse) if !comparison.figures(Verdict::Worse).is_empty() => Ending::Worse,
        _ => Ending::Done,
    }
}

/// The expectations, or all that is wrong with them.
fn expectations(texts: &[String]) -> Result<Vec<Expectation>, Failure> {
    let (mut read, mut faults) = (Vec::new(), Vec::new());
    for text in texts {
        match Expectation::parse(text, Than::A) {
            Ok(expectation) => read.push(expectation),
            Err(description) => faults.push(Fault { field: "--expect".to_owned(), description }),
        }
    }
    if faults.is_empty() { Ok(read) } else { Err(Failure::Faults(faults)) }
}

/// The figures of these names; without any, those that are compared by default.
fn measures(names: &[String]) -> Result<Vec<&'static Measure>, Failure> {
    if names.is_empty() {
        return Ok(MEASURES.iter().filter(|measure| measure.is_default).collect());
    }
    let mut measures: Vec<&'static Measure> = Vec::new();
    let mut unknown = Vec::new();
    for name in names {
        match compare::find(name) {
            Some(measure) if measures.iter().any(|it| it.name == measure.name) => {}
            Some(measure) => measures.push(measure),
            None => unknown.push(format!("{name:?}")),
        }
    }
    if unknown.is_empty() {
        return Ok(measures);
    }
    Err(Failure::Input(format!("no such figure to compare: {}; --figure list prints all names", unknown.join(", "))))
}

/// Reads the runs of a group, one after the other.
async fn read(session: &Session, name: &'static str, runs: &[Meant]) -> Result<Group, Failure> {
    let mut group = Group::new(name);
    for meant in runs {
        match meant {
            Meant::Stored { id, label, unusable: Some(reason) } => group.leave_out(id, label, reason),
            Meant::Stored { id, .. } => group.add(run_files::fetched(session, id).await?),
            Meant::Directory(path) => group.add(run_files::of_directory(path)?),
        }
    }
    Ok(group)
}

/// Refuses runs that are in both groups.
fn in_both(a: &Group, b: &Group) -> Result<(), Failure> {
    let is_of_a = |id: &str| !id.is_empty() && a.samples.iter().any(|sample| sample.id == id);
    let shared: Vec<_> = b.samples.iter().map(|sample| sample.id.as_str()).filter(|id| is_of_a(id)).collect();
    if shared.is_empty() {
        Ok(())
    } else {
        Err(Failure::Input(format!("runs are in both groups: {}", shared.join(", "))))
    }
}

fn list(format: Format) -> Result<Ending, Failure> {
    match format {
        Format::Table => output::text(&render::figures(MEASURES.iter().map(|it| (it.name, it.about))))?,
        Format::Json => {
            let figures =
                MEASURES.iter().map(|it| json!({ "name": it.name, "about": it.about, "default": it.is_default }));
            output::text(&format!("{:#}", json!(figures.collect::<Vec<_>>())))?;
        }
    }
    Ok(Ending::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_named_once_and_unknown_ones_are_all_told() {
        let names = |names: &[&str]| measures(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        let of = |list: Vec<&'static Measure>| list.iter().map(|it| it.name).collect::<Vec<_>>();
        assert_eq!(of(names(&["goodput", "failed", "goodput"]).expect("known")), ["goodput", "failed"]);
        assert_eq!(of(names(&[]).expect("known")).len(), 6);
        let unknown = names(&["p99", "failed", "speed"]).expect_err("unknown").to_string();
        assert!(unknown.contains("\"p99\", \"speed\""), "{unknown}");
    }
}
