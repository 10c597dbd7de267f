//! A trace's statistics compared with published ones.

use loader_trace::describe::{Row, Tolerance, Unit};
use serde_json::{Value, json};

use super::table::{Rows, figures};

/// A row for each statistic, and how many are met.
pub(crate) fn description(rows: &[Row]) -> String {
    let cells: Rows = rows.iter().map(cells).collect();
    let table = figures(&["STATISTIC", "FOUND", "TARGET", "TOLERANCE", "MET"], cells);
    let count = |met: Option<bool>| rows.iter().filter(|row| row.met() == met).count();
    let (met, missed, unknown) = (count(Some(true)), count(Some(false)), count(None));
    format!("{table}\n{met} met, {missed} not met, {unknown} not told by the trace\n")
}

/// The same as JSON; a value for which the trace has no data is null.
pub(crate) fn description_json(rows: &[Row]) -> Value {
    let row = |row: &Row| {
        let (tolerance, unit) = match row.tolerance {
            Tolerance::Points(points) => (points, "points"),
            Tolerance::Percent(percent) => (percent, "percent"),
        };
        json!({
            "statistic": row.statistic,
            "unit": symbol(row.unit),
            "found": row.found,
            "target": row.target,
            "tolerance": tolerance,
            "toleranceUnit": unit,
            "met": row.met(),
        })
    };
    rows.iter().map(row).collect()
}

pub(super) fn cells(row: &Row) -> Vec<String> {
    let met = match row.met() {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    };
    let tolerance = match row.tolerance {
        Tolerance::Points(points) => format!("{points} points"),
        Tolerance::Percent(percent) => format!("{percent} %"),
    };
    let found = row.found.map_or_else(String::new, |found| amount(found, row.unit));
    vec![row.statistic.clone(), found, amount(row.target, row.unit), tolerance, met.to_owned()]
}

fn amount(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Percent => format!("{value:.1} %"),
        Unit::Seconds => format!("{value:.3} s"),
        Unit::Megabytes => format!("{value:.1} MB"),
        Unit::Plain => format!("{value:.2}"),
    }
}

fn symbol(unit: Unit) -> &'static str {
    match unit {
        Unit::Percent => "%",
        Unit::Seconds => "s",
        Unit::Megabytes => "MB",
        Unit::Plain => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_for_each_statistic() {
        let row = |statistic: &str, unit, found, target, tolerance| Row {
            statistic: statistic.to_owned(),
            unit,
            found,
            target,
            tolerance,
        };
        let rows = [
            row("functions by trigger: http", Unit::Percent, Some(54.32), 55.0, Tolerance::Points(2.0)),
            row("average run time, median", Unit::Seconds, Some(1.5), 0.6839, Tolerance::Percent(5.0)),
            row("memory of an app, median", Unit::Megabytes, None, 139.6, Tolerance::Percent(5.0)),
        ];
        insta::assert_snapshot!(description(&rows), @"
        STATISTIC                     FOUND    TARGET  TOLERANCE  MET
        functions by trigger: http   54.3 %    55.0 %   2 points  yes
        average run time, median    1.500 s   0.684 s        5 %   no
        memory of an app, median             139.6 MB        5 %

        1 met, 1 not met, 1 not told by the trace
        ");
        assert_eq!(description_json(&rows)[2]["found"], Value::Null);
        assert_eq!(description_json(&rows)[1]["met"], Value::Bool(false));
    }
}
