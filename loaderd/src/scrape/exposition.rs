//! The text in which programs expose metrics to Prometheus: read line by line. Pure.
//!
//! Of the format (<https://prometheus.io/docs/instrumenting/exposition_formats/>) what values need is supported: labels with
//! escapes, also empty ones, and a timestamp after the value, as kubelets write it. Other lines are skipped.

/// One value of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Point<'a> {
    /// The name of the metric.
    pub name: &'a str,
    /// Its labels, in their order.
    pub labels: Vec<(&'a str, String)>,
    /// The value of the sample.
    pub value: f64,
    /// Its timestamp, Unix milliseconds, if given.
    pub unix_ms: Option<i64>,
}

impl Point<'_> {
    /// A label's value; empty where there is none.
    pub fn label(&self, name: &str) -> &str {
        self.labels.iter().find(|(label, _)| *label == name).map_or("", |(_, value)| value)
    }
}

/// The values of a text.
pub fn points(text: &str) -> impl Iterator<Item = Point<'_>> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(point)
}

fn point(line: &str) -> Option<Point<'_>> {
    let line = line.trim();
    let (name, labels, rest) = match line.find(['{', ' ', '\t'])? {
        at if line[at..].starts_with('{') => {
            let (labels, rest) = labels(&line[at + 1..])?;
            (&line[..at], labels, rest)
        }
        at => (&line[..at], Vec::new(), &line[at..]),
    };
    if name.is_empty() {
        return None;
    }
    let mut fields = rest.split_whitespace();
    let value = fields.next()?;
    let value = match value {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        value => value.parse().ok()?,
    };
    Some(Point { name, labels, value, unix_ms: fields.next().and_then(|field| field.parse().ok()) })
}

/// The labels between the braces, and the rest of the line.
fn labels(mut text: &str) -> Option<(Vec<(&str, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        text = text.trim_start_matches([',', ' ']);
        if let Some(rest) = text.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, rest) = text.split_once("=\"")?;
        let (mut value, mut chars) = (String::new(), rest.char_indices());
        let end = loop {
            match chars.next()? {
                (at, '"') => break at,
                (_, '\\') => match chars.next()?.1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                (_, other) => value.push(other),
            }
        };
        labels.push((name.trim(), value));
        text = &rest[end + 1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_a_name_is_skipped() {
        let names: Vec<_> = points("{le=\"1\"} 3\na{le=\"1\"} 3\n 4\n").map(|point| point.name).collect();
        assert_eq!(names, ["a"]);
    }

    #[test]
    fn values_are_read_with_labels_escapes_and_timestamps() {
        // Lines of kubelet-resource.under-load.prom and activator.under-load.prom, and what else the format allows.
        let text = r#"# HELP a [STABLE] help
# TYPE a counter
container_cpu_usage_seconds_total{container="activator",namespace="knative-serving",pod="activator-x"} 0.767952593 1795417887288
kn_revision_request_queued{k8s_namespace_name="default",otel_scope_schema_url="",kn_revision_name="f-00001"} 3
up 1
odd{a="x\"y\\z\n", b="}"} +Inf
broken{a="x} 1
not a line
"#;
        let found: Vec<_> = points(text).collect();
        assert_eq!(found.len(), 4, "{found:?}");
        assert_eq!((found[0].value, found[0].unix_ms), (0.767952593, Some(1_795_417_887_288)));
        assert_eq!((found[0].name, found[0].label("pod")), ("container_cpu_usage_seconds_total", "activator-x"));
        assert_eq!((found[1].label("otel_scope_schema_url"), found[1].label("none"), found[1].value), ("", "", 3.0));
        assert_eq!((found[2].name, found[2].labels.len(), found[2].value), ("up", 0, 1.0));
        assert_eq!((found[3].label("a"), found[3].label("b"), found[3].value), ("x\"y\\z\n", "}", f64::INFINITY));
    }
}
