//! Figures whose places have names, at any width: what is drawn stays within them, and names are told apart.

use super::*;

/// Names as cells have them.
fn names(count: usize) -> Vec<String> {
    let window = |number: usize| {
        format!("scaling.panicThresholdPercentage={}, trace.path=../samples/sizes/{number}", 100 * number)
    };
    (1..=count).map(window).collect()
}

fn bars_of(names: &[String]) -> Figure {
    let mut figure = bars(false);
    let values = |factor: f64| (0..names.len()).map(|number| Some(factor * (number as f64 + 1.0))).collect();
    let segments = ["p50", "p99"].map(|name| Segment { name: name.to_owned(), values: values(900.0) });
    figure.layers =
        vec![Layer::Bars(Bars { categories: names.to_vec(), segments: segments.to_vec(), is_stacked: false })];
    figure
}

/// Medians with intervals over names.
fn over_names(names: &[String]) -> Figure {
    let y = Axis::new("response.p99", Quantity::Micros, Scale::Linear);
    let mut figure = Figure::new("over", "Over names", Axis::of_names("trace.path", names.to_vec()), y);
    for look in 0..2 {
        let at = |place: usize| (place as f64, 20_000.0 + 3_000.0 * (place * 7 % 5) as f64 + 500.0 * look as f64);
        let points = (1..=names.len()).map(at);
        let band = points.clone().map(|(x, y)| (x, y - 2_000.0, y + 2_500.0)).collect();
        let name = format!("curve {look}");
        figure.layers.push(Layer::Whiskers(Whiskers { name: format!("{name}, 95 %"), look, points: band }));
        figure.layers.push(Layer::Line(Curve::new(&name, look, points.map(|(x, y)| (x, Some(y))))));
    }
    figure
}

/// The texts of an SVG that reach beyond its edges, as wide as texts are taken to be.
fn outside(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).expect("it is XML");
    let numbers = |text: &str| -> Vec<f64> {
        text.split(|letter: char| !(letter.is_ascii_digit() || matches!(letter, '.' | '-')))
            .filter_map(|number| number.parse().ok())
            .collect()
    };
    let root = document.root_element();
    let view = numbers(root.attribute("viewBox").expect("has a box"));
    let inherited = |node: roxmltree::Node<'_, '_>, name: &str| {
        node.ancestors().find_map(|node| node.attribute(name)).unwrap_or_default().to_owned()
    };
    let is_outside = |node: &roxmltree::Node<'_, '_>| {
        let long = text::width(node.text().unwrap_or_default()) * numbers(&inherited(*node, "font-size"))[0];
        let (from, to) = match inherited(*node, "text-anchor").as_str() {
            "end" => (-long, 0.0),
            "middle" => (-long / 2.0, long / 2.0),
            _ => (0.0, long),
        };
        let (x, y, turn) = match node.attribute("transform").map(numbers) {
            Some(turned) => (turned[0], turned[1], turned[2].to_radians()),
            None => {
                let of = |name| node.attribute(name).and_then(|value| value.parse::<f64>().ok()).expect("a place");
                (of("x"), of("y"), 0.0)
            }
        };
        let ends = [from, to].map(|along| (x + along * turn.cos(), y + along * turn.sin()));
        ends.iter().any(|(x, y)| *x < -1.0 || *x > view[2] + 1.0 || *y < -1.0 || *y > view[3] + 1.0)
    };
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.filter(is_outside).map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

fn styles() -> Vec<Style> {
    let papers = [1.5, 2.0, 3.33, 7.0].map(|width| Style::paper(width, (width * 0.62_f64).min(3.0), 8.0, false));
    let growing = papers.map(Style::growing);
    // An inch and a half has no room for the rest either, unless it grows.
    papers.into_iter().skip(1).chain(growing).chain([Style::PAGE]).collect()
}

#[test]
fn names_stay_within_the_figure_at_any_width() {
    for style in styles() {
        for count in [1, 2, 4, 9, 30, 100] {
            for figure in [bars_of(&names(count)), over_names(&names(count)), over_names(&vec!["a".to_owned(); count])]
            {
                let svg = svg(&figure, &style);
                assert!(outside(&svg).is_empty(), "{style:?} {count} {:?}: {svg}", outside(&svg));
            }
        }
    }
}

#[test]
fn a_figure_that_may_grow_shows_the_names_of_bars_whole() {
    for style in [Style::PAGE, Style::paper(3.33, 2.0, 8.0, false).growing()] {
        let svg = svg(&bars_of(&names(9)), &style);
        let shown = texts(&svg).concat().replace(' ', "");
        for name in names(9) {
            assert!(shown.contains(&name.replace(' ', "")), "{name}: {shown}");
        }
    }
}

#[test]
fn a_name_that_is_cut_says_the_whole_one_where_it_is_pointed_at() {
    let svg = svg(&bars_of(&names(9)), &Style::paper(2.0, 1.2, 8.0, false));
    assert!(svg.contains(&format!("<title>{}</title>", names(9)[8])), "{svg}");
    let cut: std::collections::BTreeSet<String> = texts(&svg).into_iter().filter(|text| text.contains('…')).collect();
    assert_eq!(cut.len(), 9, "no two are cut to the same: {cut:?}");
}

#[test]
fn an_axis_of_names_has_no_numbers_and_nothing_between_its_places() {
    let names = ["1vCPU", "GCP", "none"].map(str::to_owned);
    let figure = over_names(&names);
    let svg = svg(&figure, &Style::PAGE);
    let shown = texts(&svg);
    assert!(names.iter().all(|name| shown.contains(name)), "{shown:?}");
    assert!(!shown.iter().any(|text| text == "0.5" || text == "1.5"), "{shown:?}");
    let document = roxmltree::Document::parse(&svg).expect("it is XML");
    let called = document.descendants().filter(|node| node.attribute("data-name") == Some("curve 0"));
    assert_eq!(
        called.map(|node| node.children().count()).collect::<Vec<_>>(),
        [1, 1],
        "whiskers, and markers without a line"
    );
    insta::assert_snapshot!("over_names", svg.replace('>', ">\n"));
    let table = csv(&figure);
    assert!(table.contains("\ncurve 1,GCP,") && table.contains("\n\"curve 0, 95 %\",1vCPU,"), "{table}");
}

#[test]
fn an_interval_of_one_point_is_seen() {
    let mut figure = all_kinds();
    figure.layers =
        vec![Layer::Whiskers(Whiskers { name: "one".to_owned(), look: 0, points: vec![(2.0, 500.0, 900.0)] })];
    assert!(!figure.is_empty());
    assert!(svg(&figure, &Style::PAGE).contains("<g data-layer=\"0\" data-name=\"one\"><path class=\"c0\""));
}
