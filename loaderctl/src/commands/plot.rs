//! `plot`: one figure of runs, for papers.

use std::path::Path;

use loader_report::{
    catalogue::{FIGURES, find},
    figure::{self, Axis, Figure, Scale, Style},
    spreadsheet::Cells,
};
use serde_json::json;

use super::{run_files, session::Session};
use crate::{
    Ending, Failure,
    cli::{PlotArguments, Scales},
    output::{self, Format, note},
    paper, render,
};

/// The name that lists all figures.
const LIST: &str = "list";

/// Height of a figure in widths, and at most in inches.
const HEIGHT: (f64, f64) = (0.62, 3.0);

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
    let PlotArguments { runs, figure: name, to, width, height, font_size, bw, scales, dpi } = arguments;
    let entry = find(&name).ok_or_else(|| unknown(&name))?;
    let to = to.ok_or_else(|| {
        Failure::Input("--to FILE is missing: where the figure goes, .svg, .pdf, .png or .csv".to_owned())
    })?;
    let form = form(&to)?;
    if runs.is_empty() {
        return Err(Failure::Input("RUN|DIR is missing: the runs that the figure is of".to_owned()));
    }
    let runs = run_files::read(session, &runs).await?;
    let Some(mut figure) = entry.draw(&runs) else {
        return Err(Failure::Input(format!(
            "there is nothing to be seen in figure {name} of these runs: {}",
            entry.about
        )));
    };
    rescale(&mut figure, scales);
    let style = Style::paper(width, height.unwrap_or((width * HEIGHT.0).min(HEIGHT.1)), font_size, bw);
    let content = match form {
        Form::Csv => safe(&figure::csv(&figure)),
        Form::Svg => figure::svg(&figure, &style).into_bytes(),
        Form::Pdf => paper::pdf(&figure::svg(&figure, &style)).map_err(Failure::Input)?,
        Form::Png => paper::png(&figure::svg(&figure, &style), dpi).map_err(Failure::Input)?,
    };
    run_files::write(&to, &content)?;
    told(session.format, &to, &figure)
}

/// CSV of which a spreadsheet runs no cell: names are from outside.
fn safe(csv: &str) -> Vec<u8> {
    let mut cells = Cells::guard();
    let mut safe = cells.push(csv.as_bytes());
    safe.extend(cells.finish());
    safe
}

/// Prints where the figure is, and what its caption must say.
fn told(format: Format, to: &Path, figure: &Figure) -> Result<Ending, Failure> {
    match format {
        Format::Table => {
            note(&format!("{} {}", figure.finding, figure.facts.text()));
            output::text(&to.display().to_string())?;
        }
        Format::Json => {
            let facts =
                json!({ "count": figure.facts.count, "filter": figure.facts.filter, "kind": figure.facts.kind });
            let file = json!({ "file": to.display().to_string(), "title": figure.title, "finding": figure.finding, "facts": facts });
            output::json(&file)?;
        }
    }
    Ok(Ending::Done)
}

fn list(format: Format) -> Result<Ending, Failure> {
    match format {
        Format::Table => output::text(&render::figures(FIGURES.iter().map(|entry| (entry.name, entry.about))))?,
        Format::Json => {
            let figures: Vec<_> =
                FIGURES.iter().map(|entry| json!({ "name": entry.name, "about": entry.about })).collect();
            output::json(&json!(figures))?;
        }
    }
    Ok(Ending::Done)
}

fn unknown(name: &str) -> Failure {
    let near = FIGURES.iter().map(|entry| entry.name).filter(|known| known.contains(name) || name.contains(known));
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
        if let Some(scale) = scale.filter(|scale| *scale != axis.scale) {
            let mut rescaled = Axis::new(&axis.label, axis.quantity, scale);
            rescaled.range.1 = axis.range.1;
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
        assert!(!unknown("zzz").to_string().contains("did you mean"));
    }
}
