//! The flags of `report` and `plot`.

use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct ReportArguments {
    /// Directories of runs (these need no daemon), or ids of runs that have ended, or latest; figures of several runs are laid
    /// over each other
    #[arg(value_name = "RUN|DIR", required = true)]
    pub(crate) runs: Vec<String>,
    /// File for the report; an earlier one is replaced
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    pub(crate) to: PathBuf,
    /// Show it in the browser
    #[arg(long)]
    pub(crate) open: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PlotArguments {
    /// Directories of runs (these need no daemon), or ids of runs that have ended, or latest, or studies, by their ids or directories,
    /// which stand for their samples; several are laid over each other. A figure of a study takes one study
    #[arg(value_name = "RUN|DIR|STUDY")]
    pub(crate) runs: Vec<String>,
    /// Name of the figure, or list to print all names
    #[arg(long, value_name = "NAME")]
    pub(crate) figure: String,
    /// File for the figure, which its ending says the form of: .svg, .pdf, .png or .csv; an earlier one is replaced
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    /// Width in in, cm, mm, pt or px; a column of most papers has 3.33in, two have 7in
    #[arg(long, value_name = "LENGTH", default_value = "3.33in", value_parser = inches)]
    pub(crate) width: f64,
    /// Height [0.62 of the width, at most 3in; more where names need it]
    #[arg(long, value_name = "LENGTH", value_parser = inches)]
    pub(crate) height: Option<f64>,
    /// Size of the text in points
    #[arg(long, value_name = "POINTS", default_value_t = 8.0, value_parser = points)]
    pub(crate) font_size: f64,
    /// Black and white: curves are told apart by dashes and markers alone
    #[arg(long)]
    pub(crate) bw: bool,
    #[command(flatten)]
    pub(crate) scales: Scales,
    #[command(flatten)]
    pub(crate) panels: Panels,
    /// Dots per inch of a PNG
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = clap::value_parser!(u32).range(36..=1200))]
    pub(crate) dpi: u32,
}

/// The panels of a figure of a study.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Panels {
    /// Of a figure of a study: only over this axis, a field such as scaling.stableWindow [all axes]
    #[arg(long, value_name = "FIELD")]
    pub(crate) axis: Option<String>,
    /// Of a figure of a study: what it is of, such as response.p99; several with commas [what the study compares]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) of: Vec<String>,
}

/// Scales of the axes that are not the figure's own.
#[derive(Debug, Clone, Copy, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct Scales {
    /// Logarithmic x [the figure's own scale]
    #[arg(long, conflicts_with = "linear_x")]
    pub(crate) log_x: bool,
    /// Linear x
    #[arg(long)]
    pub(crate) linear_x: bool,
    /// Logarithmic y
    #[arg(long, conflicts_with = "linear_y")]
    pub(crate) log_y: bool,
    /// Linear y
    #[arg(long)]
    pub(crate) linear_y: bool,
}

/// A length in inches, from half an inch to 40.
fn inches(text: &str) -> Result<f64, String> {
    const UNITS: [(&str, f64); 5] =
        [("in", 1.0), ("cm", 1.0 / 2.54), ("mm", 1.0 / 25.4), ("pt", 1.0 / 72.0), ("px", 1.0 / 96.0)];
    let wrong = || "use a number with in, cm, mm, pt or px, such as 3.33in".to_owned();
    let found = UNITS.into_iter().find_map(|(unit, inches)| Some((text.strip_suffix(unit)?, inches)));
    let (number, inches) = found.ok_or_else(wrong)?;
    let length = number.trim().parse::<f64>().map_err(|_| wrong())? * inches;
    if (0.5..=40.0).contains(&length) { Ok(length) } else { Err("must be between 0.5in and 40in".to_owned()) }
}

fn points(text: &str) -> Result<f64, String> {
    match text.trim_end_matches("pt").parse::<f64>() {
        Ok(points) if (3.0..=72.0).contains(&points) => Ok(points),
        _ => Err("use a number from 3 to 72".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_units() {
        for (text, length) in [
            ("3.33in", Some(3.33)),
            ("8.5cm", Some(8.5 / 2.54)),
            ("85mm", Some(85.0 / 25.4)),
            ("72pt", Some(1.0)),
            ("96px", Some(1.0)),
            ("3", None),
            ("x in", None),
            ("0in", None),
            ("NaNin", None),
        ] {
            let found = inches(text).ok();
            let is_right = match (found, length) {
                (Some(found), Some(length)) => (found - length).abs() < 1e-9,
                (found, length) => found == length,
            };
            assert!(is_right, "{text}: {found:?}");
        }
    }
}
