//! Figures of every kind of layer.

mod named;

use super::*;

/// A figure with a layer of each kind that fits on two axes.
fn all_kinds() -> Figure {
    let x = Axis::new("time", Quantity::Seconds, Scale::Linear);
    let mut figure =
        Figure::new("all", "Every kind <of> layer", x, Axis::new("response", Quantity::Micros, Scale::Log));
    figure.finding = "It rose & fell.".to_owned();
    let curve = |name: &str, look, factor: f64| {
        Curve::new(name, look, (0..6).map(|x| (f64::from(x), (x != 3).then(|| 1_000.0 + factor * f64::from(x)))))
    };
    figure.layers = vec![
        Layer::Heat(Heat {
            name: "cells".to_owned(),
            x: vec![0.0, 2.0, 4.0],
            y: vec![100.0, 1e3, 1e4],
            counts: vec![1, 0, 9, 80],
        }),
        Layer::Whiskers(Whiskers {
            name: "range".to_owned(),
            look: 2,
            points: vec![(0.0, 400.0, 900.0), (5.0, 500.0, 1_200.0)],
        }),
        Layer::Line(curve("p50", 0, 500.0)),
        Layer::Step(curve("\"p99\"", 1, 9_000.0)),
        Layer::Scatter(Points {
            name: "points".to_owned(),
            look: 4,
            points: vec![(1.0, 2_000.0, "one\u{202e}".to_owned())],
        }),
    ];
    figure.shades.push(Shade { from: 0.0, to: 1.5, label: "warm-up".to_owned() });
    figure.marks.push(Mark { at: 4.5, label: "stall".to_owned() });
    figure.limits.push(Mark { at: 20_000.0, label: "limit".to_owned() });
    figure
}

fn bars(is_stacked: bool) -> Figure {
    let x = Axis::new("time", Quantity::Micros, Scale::Linear);
    let mut figure = Figure::new("bars", "Bars", x, Axis::new("", Quantity::Number, Scale::Linear));
    let segment = |name: &str, values: [Option<f64>; 2]| Segment { name: name.to_owned(), values: values.to_vec() };
    figure.layers.push(Layer::Bars(Bars {
        categories: vec!["one".to_owned(), "</script><b>\n".to_owned()],
        segments: vec![segment("first", [Some(2_000.0), Some(500.0)]), segment("second", [None, Some(1_500.0)])],
        is_stacked,
    }));
    figure
}

/// The text of an SVG, which must be XML.
fn texts(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).expect("it is XML");
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts.map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

#[test]
fn each_kind_of_layer_is_drawn() {
    let svg = svg(&all_kinds(), &Style::PAGE);
    texts(&svg);
    insta::assert_snapshot!("all_kinds", svg.replace('>', ">\n"));
    insta::assert_snapshot!("stacked_bars", super::svg(&bars(true), &Style::PAGE).replace('>', ">\n"));
    insta::assert_snapshot!(
        "bars_in_black_and_white",
        super::svg(&bars(false), &Style::paper(3.33, 2.0, 8.0, true)).replace('>', ">\n")
    );
}

#[test]
fn a_picture_says_what_it_shows() {
    let svg = svg(&all_kinds(), &Style::PAGE);
    let document = roxmltree::Document::parse(&svg).expect("it is XML");
    let root = document.root_element();
    assert_eq!((root.attribute("role"), root.attribute("aria-labelledby")), (Some("img"), Some("all-t all-d")));
    let of =
        |id: &str| document.descendants().find(|node| node.attribute("id") == Some(id)).and_then(|node| node.text());
    assert_eq!((of("all-t"), of("all-d")), (Some("Every kind <of> layer"), Some("It rose & fell.")));
}

#[test]
fn names_from_outside_are_text_and_nothing_else() {
    for name in [
        "</text><script>alert(1)</script>",
        "a\"b'c",
        "x\ny\u{0}",
        "\u{202e}gnp.exe",
        "]]>",
        "&lt;",
        &"y".repeat(10_000),
    ] {
        let mut figure = bars(false);
        let Layer::Bars(bars) = &mut figure.layers[0] else { unreachable!("it has bars") };
        bars.categories[0] = name.to_owned();
        bars.segments[0].name = name.to_owned();
        figure.title = name.to_owned();
        let svg = svg(&figure, &Style::PAGE);
        let document = roxmltree::Document::parse(&svg).expect("it is XML");
        let known = ["svg", "title", "desc", "g", "path", "text", "rect"];
        assert!(
            document.descendants().filter(|node| node.is_element()).all(|node| known.contains(&node.tag_name().name()))
        );
        assert!(texts(&svg).iter().all(|text| text.chars().count() < 130 && !text.contains('\u{202e}')), "{name}");
    }
}

#[test]
fn odd_values_are_drawn_all_the_same() {
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -5.0, 1e300, 1e-300];
    for scale in [Scale::Linear, Scale::Log] {
        for value in odd {
            let (x, y) = (Axis::new("x", Quantity::Number, scale), Axis::new("y", Quantity::Micros, scale));
            let mut figure = Figure::new("odd", "Odd", x, y);
            figure.layers.push(Layer::Line(Curve::new(
                "a",
                0,
                [(value, Some(value)), (1.0, Some(value)), (2.0, None)],
            )));
            let svg = svg(&figure, &Style::PAGE);
            texts(&svg);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{scale:?} {value}: {svg}");
        }
    }
}

#[test]
fn data_has_a_column_for_each_curve_or_a_row_for_each_value() {
    let mut figure = all_kinds();
    insta::assert_snapshot!("long_data", csv(&figure));
    figure.layers.retain(|layer| matches!(layer, Layer::Line(_) | Layer::Step(_)));
    let expected = "x,p50,\"\"\"p99\"\"\"\n0,1000,1000\n1,1500,10000\n2,2000,19000\n3,,\n4,3000,37000\n5,3500,46000\n";
    assert_eq!(csv(&figure), expected);
}

#[test]
fn panels_stand_side_by_side_and_their_data_is_one_table() {
    let figures: Vec<Figure> = ["one", "two", "three"]
        .map(|name| {
            let axis = |label| Axis::new(label, Quantity::Number, Scale::Linear);
            let mut figure = Figure::new(name, &format!("panel {name}"), axis("x"), axis("y"));
            figure.layers.push(Layer::Line(Curve::new("median", 0, [(1.0, Some(2.0)), (2.0, Some(3.5))])));
            figure
        })
        .to_vec();
    let style = Style::paper(7.0, 2.0, 8.0, false);
    let svg = panels(&figures, &style, 2);
    let document = roxmltree::Document::parse(&svg).expect("it is XML");
    let attributes = |node: roxmltree::Node<'_, '_>, names: &[&str]| {
        names.iter().map(|name| node.attribute(*name).unwrap_or("-").to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(attributes(document.root_element(), &["width", "height"]), "672 384", "two rows of 2 in");
    let inner = document.root_element().children().filter(|node| node.has_tag_name("svg"));
    let places: Vec<_> = inner.map(|node| attributes(node, &["x", "y", "width", "height", "role"])).collect();
    assert_eq!(places, ["0 0 336 192 img", "336 0 336 192 img", "0 192 336 192 img"]);
    let table = panels_csv(&figures[..2]);
    let expected = "figure,series,x,y,more\npanel one,median,1,2,\npanel one,median,2,3.5,\npanel two,median,1,2,\npanel two,median,2,3.5,\n";
    assert_eq!(table, expected);
    // One alone is a figure like any other.
    assert_eq!(
        (panels(&figures[..1], &style, 2), panels_csv(&figures[..1])),
        (super::svg(&figures[0], &style), csv(&figures[0]))
    );
}
