//! Studies and their results with all names as they are shown, whatever they hold.

use crate::{
    figure::text::visible,
    study::{Outcome, Results, Study, brief},
};

/// A study with all names as they are shown, whatever they hold.
pub(super) fn presentable(study: &Study) -> Study {
    let mut study = study.clone();
    let show = |text: &mut String| *text = visible(text);
    [&mut study.name, &mut study.id, &mut study.order].into_iter().for_each(show);
    study.axes.iter_mut().for_each(show);
    study.cells.iter_mut().flatten().for_each(|value| *value = visible(brief(value)));
    study.baseline = study.baseline.iter().map(|(field, value)| (visible(field), visible(brief(value)))).collect();
    for run in &mut study.runs {
        show(&mut run.id);
        if let Outcome::LeftOut(reason) = &mut run.outcome {
            show(reason);
        }
    }
    study
}

/// Results with values of axes as they are shown.
pub(super) fn shown(results: &Results) -> Results {
    let mut results = results.clone();
    results
        .axes
        .iter_mut()
        .for_each(|it| (it.value, it.reference) = (visible(brief(&it.value)), visible(brief(&it.reference))));
    results
}
