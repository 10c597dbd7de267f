//! The flags of `compare`.

use std::path::PathBuf;

use clap::ValueEnum;

#[derive(Debug, clap::Args)]
pub(crate) struct CompareArguments {
    /// Runs of A, which B is compared against: directories of runs, or of directories of runs (these need no daemon), ids, names of
    /// runs, where * and ? stand for any text and any letter, or latest
    #[arg(value_name = "A")]
    pub(crate) a: Vec<String>,
    /// Runs of B
    #[arg(long = "vs", value_name = "B", num_args = 1..)]
    pub(crate) b: Vec<String>,
    /// Figures to compare, or list to print all names; repeatable [response-p50, response-p99, slowdown, failed, cold-starts, capacity]
    #[arg(long = "figure", value_name = "NAME", value_delimiter = ',')]
    pub(crate) figures: Vec<String>,
    /// By how much a figure may differ and still be the same, in percent
    #[arg(long, value_name = "PERCENT", default_value = "5%", value_parser = margin)]
    pub(crate) margin: f64,
    /// Also write the comparison as an HTML file; an earlier one is replaced
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// What the runs of B must be like, such as 'response.p99 < 500ms' of their median, or 'response.p99 < +10%' than A, which the interval of
    /// the ratio must show; repeatable. Exit code 6 where one is not met
    #[arg(long = "expect", value_name = "EXPECTATION")]
    pub(crate) expect: Vec<String>,
    /// Also write the expectations, and whether they are met, as JUnit XML; an earlier file is replaced
    #[arg(long, value_name = "FILE", requires = "expect")]
    pub(crate) junit: Option<PathBuf>,
    /// Exit code 6 where B is worse in one of the figures
    #[arg(long, value_enum, value_name = "VERDICT")]
    pub(crate) fail_if: Option<FailIf>,
}

/// The verdict that fails a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailIf {
    /// B is worse in one of the figures
    Worse,
}

/// A percentage as a share.
fn margin(text: &str) -> Result<f64, String> {
    let number = text.trim_end().strip_suffix('%').ok_or("use a percentage, such as 5%")?;
    match number.trim().parse::<f64>() {
        Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(percent / 100.0),
        _ => Err("use a percentage above 0% and up to 100%".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_are_percentages() {
        for (text, expected) in [("5%", Some(0.05)), ("2.5 %", Some(0.025)), ("100%", Some(1.0))] {
            assert_eq!(margin(text).ok(), expected, "{text}");
        }
        for text in ["5", "0%", "-1%", "101%", "NaN%", "%", ""] {
            assert!(margin(text).is_err(), "{text}");
        }
    }
}
