//! `plot`: one figure of runs or of a study, for papers.

use std::path::Path;

use loader_report::{
    catalogue::{FIGURES, find},
    figure::{self, Axis, Figure, Scale, Style},
    page::{STUDY_FIGURES, study_figure},
    spreadsheet::Cells,
};
use serde_json::{Value, json};

use super::{run_files, session::Session, study};
use crate::{
    Ending, Failure,
    cli::{Panels, PlotArguments, Scales},
    output::{self, Format, note},
    paper, render,
};

/// The name that lists all figures.
const LIST: &str = "list";

/// Height of a figure, or of a panel, in widths, and at most in inches.
const HEIGHT: (f64, f64) = (0.62, 3.0);

/// From this width on, in inches, panels stand side by side.
const TWO_COLUMNS: f64 = 5.0;

/// What a figure is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Svg,
    Pdf,
    Png,
    Csv,
}

/// Draws a figure.
pub(super) async fn plot(session: &Session, arguments: PlotArguments) -> Result<Ending, Failure> {
    if arguments.figure == LIST {
        return list(session.format);
    }
    let PlotArguments { runs, figure: name, to, width, height, font_size, bw, scales, panels, dpi } = arguments;
    let is_known = find(&name).is_some() || study_figure(&name).is_some();
    let to = is_known.then_some(to).ok_or_else(|| unknown(&name))?.ok_or_else(|| {
        Failure::Input("--to FILE is missing: where the figure goes, .svg, .pdf, .png or .csv".to_owned())
    })?;
    let form = form(&to)?;
    let mut figures = drawn(session, &name, &runs, &panels).await?;
    figures.iter_mut().for_each(|figure| rescale(figure, scales));
    let columns = if figures.len() > 1 && width >= TWO_COLUMNS { 2 } else { 1 };
    let usual = (width / columns as f64 * HEIGHT.0).min(HEIGHT.1);
    let style = match height {
        Some(height) => Style::paper(width, height, font_size, bw),
        None => Style::paper(width, usual, font_size, bw).growing(),
    };
    let svg = || figure::panels(&figures, &style, columns);
    let content = match form {
        Form::Csv => safe(&figure::panels_csv(&figures)),
        Form::Svg => svg().into_bytes(),
        Form::Pdf => paper::pdf(&svg()).map_err(Failure::Input)?,
        Form::Png => paper::png(&svg(), dpi).map_err(Failure::Input)?,
    };
    run_files::write(&to, &content)?;
    told(session.format, &to, &figures)
}

/// The figure of that name: of runs one, of a study its panels.
async fn drawn(session: &Session, name: &str, runs: &[String], panels: &Panels) -> Result<Vec<Figure>, Failure> {
    if let Some(entry) = study_figure(name) {
        return study::panels(session, entry, runs, panels).await;
    }
    if panels.axis.is_some() || !panels.of.is_empty() {
        return Err(Failure::Input(format!("--axis and --of are of figures of studies, which {name} is not")));
    }
    let entry = find(name).ok_or_else(|| unknown(name))?;
    if runs.is_empty() {
        return Err(Failure::Input("RUN|DIR is missing: the runs that the figure is of".to_owned()));
    }
    let read = run_files::read(session, runs).await?;
    let figure = match study::cells_of_runs(session, runs, &read).await? {
        Some(cells) => entry.draw_by_cell(&read, &cells),
        None => entry.draw(&read),
    };
    let nothing =
        || Failure::Input(format!("there is nothing to be seen in figure {name} of these runs: {}", entry.about));
    Ok(vec![figure.ok_or_else(nothing)?])
}

/// CSV of which a spreadsheet runs no cell: names are from outside.
fn safe(csv: &str) -> Vec<u8> {
    let mut cells = Cells::guard();
    let mut safe = cells.push(csv.as_bytes());
    safe.extend(cells.finish());
    safe
}

/// Prints where the figure is, and what its caption must say.
fn told(format: Format, to: &Path, figures: &[Figure]) -> Result<Ending, Failure> {
    match format {
        Format::Table => {
            let several = figures.len() > 1;
            for figure in figures {
                let title = if several { format!("{}: ", figure.title) } else { String::new() };
                note(&format!("{title}{} {}", figure.finding, figure.facts.text()));
            }
            output::text(&to.display().to_string())?;
        }
        Format::Json => output::json(&captions(to, figures))?,
    }
    Ok(Ending::Done)
}

/// What captions must say: of one figure, or of each panel.
fn captions(to: &Path, figures: &[Figure]) -> Value {
    let of = |figure: &Figure| {
        let facts = json!({ "count": figure.facts.count, "filter": figure.facts.filter, "kind": figure.facts.kind });
        json!({ "title": figure.title, "finding": figure.finding, "facts": facts })
    };
    let mut captions = match figures {
        [figure] => of(figure),
        several => json!({ "panels": several.iter().map(of).collect::<Vec<_>>() }),
    };
    captions["file"] = json!(to.display().to_string());
    captions
}

/// Names and contents of all figures.
fn known() -> impl Iterator<Item = (&'static str, &'static str)> {
    let of_runs = FIGURES.iter().map(|entry| (entry.name, entry.about));
    of_runs.chain(STUDY_FIGURES.iter().map(|entry| (entry.name, entry.about)))
}

fn list(format: Format) -> Result<Ending, Failure> {
    match format {
        Format::Table => output::text(&render::figures(known()))?,
        Format::Json => {
            let figures: Vec<_> = known().map(|(name, about)| json!({ "name": name, "about": about })).collect();
            output::json(&json!(figures))?;
        }
    }
    Ok(Ending::Done)
}

fn unknown(name: &str) -> Failure {
    let near = known().map(|(known, _)| known).filter(|known| known.contains(name) || name.contains(known));
    let near: Vec<_> = near.take(5).collect();
    let near = if near.is_empty() { String::new() } else { format!(" (did you mean {}?)", near.join(", ")) };
    Failure::Input(format!("there is no figure {name:?}{near}; --figure list prints all names"))
}

fn form(to: &Path) -> Result<Form, Failure> {
    let ending = to.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending.as_deref() {
        Some("svg") => Ok(Form::Svg),
        Some("pdf") => Ok(Form::Pdf),
        Some("png") => Ok(Form::Png),
        Some("csv") => Ok(Form::Csv),
        _ => Err(Failure::Input(format!("{}: the name must end in .svg, .pdf, .png or .csv", to.display()))),
    }
}

fn rescale(figure: &mut Figure, scales: Scales) {
    let Scales { log_x, linear_x, log_y, linear_y } = scales;
    let set = |axis: &mut Axis, is_log: bool, is_linear: bool| {
        let scale = if is_log { Some(Scale::Log) } else { is_linear.then_some(Scale::Linear) };
        if let Some(scale) = scale.filter(|scale| *scale != axis.scale && axis.names.is_empty()) {
            let mut rescaled = Axis::new(&axis.label, axis.quantity, scale);
            rescaled.range.1 = axis.range.1;
            rescaled.is_whole = axis.is_whole;
            *axis = rescaled;
        }
    };
    set(&mut figure.x, log_x, linear_x);
    set(&mut figure.y, log_y, linear_y);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_of_a_name_says_the_form() {
        for (name, expected) in
            [("a.svg", Form::Svg), ("x/a.PDF", Form::Pdf), ("a.b.png", Form::Png), ("a.csv", Form::Csv)]
        {
            assert_eq!(form(Path::new(name)).ok(), Some(expected), "{name}");
        }
        assert!(form(Path::new("figure")).is_err() && form(Path::new("a.jpeg")).is_err());
    }

    #[test]
    fn a_name_that_is_nearly_right_is_helped() {
        assert!(unknown("slowdown").to_string().contains("did you mean slowdown-cdf"), "{}", unknown("slowdown"));
        assert!(unknown("study").to_string().contains("study-effect"), "{}", unknown("study"));
        assert!(!unknown("zzz").to_string().contains("did you mean"));
    }
}
