//! The figures that a study compares, where it says which.

use loader_report::study::compared_figure;

use crate::spec::Check;

/// Most figures: each takes more runs, as all tests of a study are corrected together.
const MOST: usize = 32;

/// Reads the names of the figures; none where the study does not say.
pub(super) fn read(check: &mut Check, names: &[String]) -> Option<Vec<String>> {
    if names.len() > MOST {
        check.fault("figures", format!("names {} figures; must be at most {MOST}", names.len()));
        return None;
    }
    let mut figures: Vec<Option<String>> = Vec::with_capacity(names.len());
    for (number, name) in names.iter().enumerate() {
        let place = format!("figures[{number}]");
        let found = compared_figure(name).map(|(indicator, _)| indicator.name.clone());
        match &found {
            Err(description) => check.fault(place, description.clone()),
            Ok(figure) if figures.iter().flatten().any(|other| other == figure) => {
                check.fault(place, format!("is {figure} again; must be named once"));
            }
            Ok(_) => {}
        }
        figures.push(found.ok());
    }
    figures.into_iter().collect()
}
