//! The page of a study: as it was when it was looked at, and with names that bite.

#![expect(clippy::expect_used, reason = "tests")]

use loader_report::{
    indicator::Figures,
    page,
    statistics::Random,
    study::{Baseline, Outcome, Results, Study, StudyRun},
};

/// What a platform might do to a run of this window and rate: a longer window makes fewer cold starts, and with them a lower p99.
fn figures(window: usize, rate: usize, at: usize, random: &mut Random) -> Outcome {
    let mut noisy = |level: f64, share: f64| level * (share * random.normal()).exp();
    let drift = 1.0 + at as f64 / 500.0;
    let known = [
        ("response.p50", noisy(12_000.0, 0.01)),
        ("response.p99", noisy([180_000.0, 120_000.0, 118_000.0][window] * [1.0, 1.3][rate], 0.03) * drift),
        ("failed", 0.0),
        ("coldStarts.share", noisy([0.04, 0.02, 0.01][window], 0.1)),
        ("goodput", noisy([10.0, 20.0][rate], 0.002)),
    ];
    Outcome::Sample(known.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Figures>())
}

/// A study over two axes, in rounds of all cells, of which two runs are left out.
fn study() -> Study {
    let cells: Vec<Vec<String>> =
        [["30s", "10"], ["30s", "20"], ["60s", "10"], ["60s", "20"], ["120s", "10"], ["120s", "20"]]
            .map(|cell| cell.map(str::to_owned).to_vec())
            .to_vec();
    let (mut random, mut runs) = (Random::new(42), Vec::new());
    for round in 0..8 {
        for place in 0..cells.len() {
            let cell = (place * 5 + round as usize) % cells.len();
            let at = runs.len();
            let outcome = match at {
                11 => Outcome::LeftOut("saturated".to_owned()),
                30 => Outcome::LeftOut("not open-loop".to_owned()),
                _ => figures(cell / 2, cell % 2, at, &mut random),
            };
            runs.push(StudyRun { id: format!("20261127t1000{at:02}000-0000"), cell, repeat: round, round, outcome });
        }
    }
    Study {
        name: "window-and-rate".to_owned(),
        id: "20261127t095900000-0001".to_owned(),
        axes: vec!["scaling.stableWindow".to_owned(), "rps.start".to_owned()],
        cells,
        runs,
        baseline: Baseline::from([("scaling.stableWindow".to_owned(), "60s".to_owned())]),
        figures: Vec::new(),
        is_chosen_afterwards: false,
        margin: 0.05,
        order: "interleaved".to_owned(),
        seed: 42,
        until: None,
    }
}

/// The body of a page without its drawings and their data.
fn words(html: &str) -> String {
    let (_, body) = html.split_once("<body>\n").expect("a body");
    let (mut rest, mut words) = (body.split_once("<script>").expect("a script").0, String::new());
    for (begin, end) in [("<svg", "</svg>"), ("<pre class=\"data\"", "</pre>")] {
        words.clear();
        let whole = rest.to_owned();
        let mut parts = whole.split(begin);
        words.push_str(parts.next().unwrap_or_default());
        parts.for_each(|part| words.push_str(part.split_once(end).expect("is closed").1));
        rest = Box::leak(words.clone().into_boxed_str());
    }
    words.replace("><", ">\n<")
}

/// The drawings of a page, each of which must be well-formed.
fn drawings(html: &str) -> usize {
    let drawings =
        html.split("<svg").skip(1).map(|part| format!("<svg{}</svg>", part.split_once("</svg>").expect("is closed").0));
    drawings.map(|svg| roxmltree::Document::parse(&svg).map(drop).expect("well-formed")).count()
}

#[test]
fn the_page_of_a_study() {
    let study = study();
    let results = Results::of(&study);
    let html = page::study_html(&study, &results);
    assert_eq!(html, page::study_html(&study, &Results::of(&study)), "the same study gives the same bytes");
    // An effect for each axis, four figures over each axis, how certain a mean is, and the runs in their order.
    assert_eq!(drawings(&html), 2 + 4 * 2 + 1 + 3);
    insta::assert_snapshot!("study", words(&html));
    if let Ok(path) = std::env::var("STUDY_PAGE") {
        std::fs::write(path, html).expect("written");
    }
}

#[test]
fn names_that_bite_are_text() {
    let mut study = study();
    let evil = "</script><script>alert(1)</script>\"'&\u{202e}\n=1+1";
    study.name = evil.to_owned();
    study.axes[0] = evil.to_owned();
    study.cells[3][0] = format!("{evil}{}", "x".repeat(10_000));
    study.runs[0].id = evil.to_owned();
    study.runs[1].outcome = Outcome::LeftOut(evil.to_owned());
    study.baseline = Baseline::new();
    let html = page::study_html(&study, &Results::of(&study));
    assert!(drawings(&html) > 0 && html.len() < 2_000_000, "{} bytes", html.len());
    assert!(!html.contains("<script>alert") && !html.contains('\u{202e}') && html.matches("<script>").count() == 1);
}

#[test]
fn a_study_that_has_not_begun_has_a_page() {
    let mut study = study();
    study.runs.iter_mut().for_each(|run| run.outcome = Outcome::ToCome);
    let html = page::study_html(&study, &Results::of(&study));
    assert!(
        html.contains("48 of 48 runs are still to come.") && html.contains("No cell is compared"),
        "{}",
        words(&html)
    );
    assert_eq!(drawings(&html), 0);
}

/// Names and axes of the panels of a figure.
fn drawn(study: &Study, name: &str, axes: &[usize]) -> Vec<(String, String)> {
    let entry = page::study_figure(name).expect("is known");
    let panels = entry.draw(study, &Results::of(study), axes);
    panels.iter().map(|panel| (panel.x.label.clone(), panel.y.label.clone())).collect()
}

#[test]
fn each_figure_of_a_study_can_be_had_alone() {
    let pair = |x: &str, y: &str| (x.to_owned(), y.to_owned());
    let mut study = study();
    study.figures = vec!["response.p99".to_owned(), "goodput".to_owned()];
    let (window, rate) = ("scaling.stableWindow", "rps.start");
    assert_eq!(drawn(&study, "study-effect", &[0, 1]), [pair(window, "ratio"), pair(rate, "ratio")]);
    assert_eq!(drawn(&study, "study-effect", &[1]), [pair(rate, "ratio")]);
    assert_eq!(
        drawn(&study, "study-cells", &[0, 1]),
        [pair(window, "response.p99"), pair(rate, "response.p99"), pair(window, "goodput"), pair(rate, "goodput")]
    );
    assert_eq!(drawn(&study, "study-order", &[]).len(), 2);
    assert_eq!(drawn(&study, "study-spread", &[]).len(), 1);
    // The effect that the samples were made with, within its interval.
    let effect =
        page::study_figure("study-effect").expect("is known").draw(&study, &Results::of(&study), &[0]).remove(0);
    let table = loader_report::figure::csv(&effect);
    let row = table.lines().find(|row| row.starts_with("\"response.p99, 95 %\",30,")).expect("has an interval");
    let bounds: Vec<f64> = row.rsplit(',').take(2).map(|value| value.parse().expect("a number")).collect();
    assert!(bounds[1] < 1.5 && 1.5 < bounds[0] && bounds[1] > 1.3 && bounds[0] < 1.7, "{row}");
    // Nothing is to be seen of a study without samples.
    study.runs.clear();
    assert!(page::STUDY_FIGURES.iter().all(|entry| drawn(&study, entry.name, &[0, 1]).is_empty()));
}

#[test]
fn axes_that_only_vary_together_are_drawn_as_one() {
    let mut study = study();
    study.figures = vec!["goodput".to_owned()];
    study.axes.push("rps.end".to_owned());
    study.cells.iter_mut().for_each(|cell| cell.push(format!("{}0", cell[1])));
    let pair = |x: &str| (x.to_owned(), "goodput".to_owned());
    assert_eq!(drawn(&study, "study-cells", &[0, 1, 2]), [pair("scaling.stableWindow"), pair("rps.start")]);
    assert_eq!(drawn(&study, "study-cells", &[2]), [pair("rps.end")]);
    let entry = page::study_figure("study-cells").expect("is known");
    let panels = entry.draw(&study, &Results::of(&study), &[1]);
    assert!(panels[0].facts.filter.contains("rps.end vary with it"), "{:?}", panels[0].facts);
    let curves = panels[0].layers.iter().filter(|layer| matches!(layer, loader_report::figure::Layer::Line(_)));
    assert_eq!(curves.count(), 3, "one for each window");
}
