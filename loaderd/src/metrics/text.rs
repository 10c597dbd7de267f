//! The text formats. The older one of Prometheus (0.0.4), which plain HTTP clients and `promtool check metrics` read, is
//! made from OpenMetrics: there a counter's family lacks the `_total` that its samples have, and there are lines for units
//! and the end.

use std::collections::BTreeSet;

/// A text format in which metrics are exposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// The older format of Prometheus, 0.0.4.
    Prometheus,
}

impl TextFormat {
    /// Its media type, for `content-type`.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// The same metrics in the older format.
pub(super) fn from_open_metrics(text: &str) -> String {
    let counters: BTreeSet<_> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let mut older = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.starts_with("# UNIT ") && *line != "# EOF") {
        let family =
            ["# HELP ", "# TYPE "].iter().find_map(|head| Some((head, line.strip_prefix(head)?.split_once(' ')?)));
        match family {
            Some((head, (name, rest))) if counters.contains(name) => {
                older.extend([head, name, "_total ", rest, "\n"]);
            }
            Some(_) | None => older.extend([line, "\n"]),
        }
    }
    older
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_get_their_suffix_and_the_rest_stays() {
        let open = "# HELP loader_runs Runs.\n# TYPE loader_runs counter\nloader_runs_total{state=\"failed\"} 1\n\
                    # HELP p_seconds Time.\n# TYPE p_seconds gauge\n# UNIT p_seconds seconds\np_seconds 2.5\n# EOF\n";
        let older = "# HELP loader_runs_total Runs.\n# TYPE loader_runs_total counter\nloader_runs_total{state=\"failed\"} 1\n\
                     # HELP p_seconds Time.\n# TYPE p_seconds gauge\np_seconds 2.5\n";
        assert_eq!(from_open_metrics(open), older);
    }
}
