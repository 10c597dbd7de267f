//! Figures of a study for `plot`: which study, over which axes, and of what.

use std::path::Path;

use loader_report::{
    catalogue::CellsOfRuns,
    figure::Figure,
    page::StudyEntry,
    run::Run,
    study::{Results, Study},
};

use super::{
    directory::is_directory,
    results::{canonical, chosen, read},
    samples::is_id,
};
use crate::{Failure, cli::Panels, commands::session::Session};

/// The panels of a figure of the one study that is named.
pub(in crate::commands) async fn panels(
    session: &Session,
    entry: &StudyEntry,
    names: &[String],
    panels: &Panels,
) -> Result<Vec<Figure>, Failure> {
    let [name] = names else {
        let given = names.len();
        return Err(Failure::Input(format!(
            "figure {} is of one study, by its id or directory: {given} are given",
            entry.name
        )));
    };
    let of = chosen("--of", &panels.of)?;
    let mut study = read(session, name).await?;
    let axes = axes(&study, entry, panels.axis.as_deref())?;
    if !of.is_empty() {
        study.figures = of;
    }
    let figures = entry.draw(&study, &Results::of(&study), &axes);
    if figures.is_empty() {
        return Err(Failure::Input(format!(
            "there is nothing to be seen in figure {} of this study: {}",
            entry.name, entry.about
        )));
    }
    Ok(figures)
}

/// Which cells of a study the runs are of; nothing unless they are named by one study.
pub(in crate::commands) async fn cells_of_runs(
    session: &Session,
    names: &[String],
    runs: &[Run],
) -> Result<Option<CellsOfRuns>, Failure> {
    let [name] = names else { return Ok(None) };
    if !is_directory(Path::new(name)) && !is_id(name) {
        return Ok(None);
    }
    let study = read(session, name).await?;
    let cell = |run: &Run| {
        let id = run.documents.run.as_ref()?.run_id.as_str();
        study.runs.iter().find(|planned| planned.id == id).map(|planned| planned.cell)
    };
    let labels = (0..study.cells.len()).map(|cell| study.short_label(cell)).collect();
    let cells: Option<Vec<usize>> = runs.iter().map(cell).collect();
    Ok(cells.map(|cells| CellsOfRuns { cells, labels }))
}

/// The numbers of the axes that a figure is over.
fn axes(study: &Study, entry: &StudyEntry, only: Option<&str>) -> Result<Vec<usize>, Failure> {
    let Some(only) = only else { return Ok((0..study.axes.len()).collect()) };
    if !entry.is_over_axes {
        return Err(Failure::Input(format!("--axis: figure {} is not over axes", entry.name)));
    }
    let wanted = canonical(only);
    let found = study.axes.iter().position(|axis| *axis == wanted || axis == only);
    let missing =
        || Failure::Input(format!("--axis: {only} does not vary in the study; it has {}", study.axes.join(", ")));
    Ok(vec![found.ok_or_else(missing)?])
}

#[cfg(test)]
mod tests {
    use loader_report::page::study_figure;

    use super::*;

    #[test]
    fn an_axis_is_named_as_in_a_spec() {
        let study = Study { axes: vec!["rps.start".to_owned(), "scaling.stableWindow".to_owned()], ..Study::default() };
        let of =
            |name: &str, axis| axes(&study, study_figure(name).expect("is known"), axis).map_err(|it| it.to_string());
        assert_eq!(of("study-effect", None), Ok(vec![0, 1]));
        assert_eq!(of("study-cells", Some("scaling.stable_window")), Ok(vec![1]));
        let missing = of("study-effect", Some("seed")).expect_err("does not vary");
        assert!(
            missing.contains("seed does not vary in the study; it has rps.start, scaling.stableWindow"),
            "{missing}"
        );
        assert!(of("study-order", Some("rps.start")).is_err());
    }
}
