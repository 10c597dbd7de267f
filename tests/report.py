#!/usr/bin/env python3
"""Checks the numbers of a report against the run that it is of.

Every number of the page that carries the name of a figure must be that of summary.json; figures drawn from rows are
computed anew from the rows. It shares no code with the loader.

usage: python3 tests/report.py REPORT DIRECTORY    (exit code 1 where a number differs)
"""

import csv
import io
import json
import math
import sys
from collections import Counter, defaultdict
from html.parser import HTMLParser
from pathlib import Path


class Page(HTMLParser):
    """Values with the figure that they are of and their text, and the data of each chart by its name."""

    def __init__(self):
        super().__init__()
        self.values, self.charts = [], defaultdict(str)
        self.chart = None
        self.in_value = False
        self.in_data = False

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "figure":
            self.chart = attributes["id"]
        self.in_data = self.in_data or (tag == "pre" and attributes.get("class") == "data")
        if "data-f" in attributes:
            self.values.append([attributes["data-f"], attributes.get("data-v"), ""])
            self.in_value = True

    def handle_endtag(self, tag):
        if tag == "pre":
            self.in_data = False
        if tag in ("td", "dd", "small"):
            self.in_value = False

    def handle_data(self, data):
        if self.in_data:
            self.charts[self.chart] += data
        if self.in_value:
            self.values[-1][2] += data


def of_summary(summary, path):
    """The value at a path such as `functions.0.coldStarts`; names of statuses may have dots."""
    if path == "failed/requested":
        return summary["failed"] / summary["requested"] if summary["requested"] else None
    if path.startswith("byStatus."):
        return summary["byStatus"].get(path.removeprefix("byStatus."))
    found = summary
    for name in path.split("."):
        if found is None:
            return None
        found = found[int(name)] if isinstance(found, list) else found.get(name)
    return found


def integer(row, column):
    return int(row[column]) if row.get(column) else None


def mean_of(values):
    return sum(values) / len(values) if values else None


class Checks:
    def __init__(self):
        self.count, self.faults = 0, []

    def close(self, what, found, expected, tolerance=1e-5):
        """Whether two numbers are the same, up to the digits that a page has."""
        self.count += 1
        same = found == expected if None in (found, expected) else math.isclose(found, expected, rel_tol=tolerance, abs_tol=1e-9)
        if not same:
            self.faults.append(f"{what}: the page has {found}, expected {expected}")


def check_values(page, summary, checks):
    for path, value, text in page.values:
        expected = of_summary(summary, path)
        if text.strip() == "failed":
            checks.close(path, 1.0 if path.split(".")[-1] in summary["responseInclFailures"]["endless"] else 0.0, 1.0)
            continue
        checks.close(path, None if value is None else float(value), expected, 1e-9)


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def check_cdf(name, text, column, values, checks, scale=1.0):
    """Each point of a CDF: the share of values that do not exceed it. Data has six digits."""
    values = sorted(value / scale for value in values)
    points = [(float(row["x"]), row.get(column, row.get("y"))) for row in table(text) if row.get("series", column) == column]
    for x, share in points[1:]:
        if share:
            slack = abs(x) * 6e-6
            low = sum(value <= x - slack for value in values) / len(values)
            high = sum(value <= x + slack for value in values) / len(values)
            checks.close(f"{name} at {x}", low if low <= float(share) + 1e-5 and float(share) <= high + 1e-5 else -1.0, low)
    if points and values:
        checks.close(f"the end of {name}", points[-1][0], values[-1])


def check_rows(page, rows, summary, checks):
    t0 = summary["t0UnixUs"]
    due = Counter((int(row["due_unix_us"]) - t0) // 1_000_000 for row in rows)
    sent = Counter((int(row["sent_unix_us"]) - t0) // 1_000_000 for row in rows if row["sent_unix_us"])
    for row in table(page.charts["rate"]):
        second = math.floor(float(row["x"]))
        checks.close(f"requested in second {second}", float(row["requested"]), due[second])
        checks.close(f"achieved in second {second}", float(row["achieved"]), sent[second])
    failed = Counter(((int(row["due_unix_us"]) - t0) // 1_000_000, row["status"]) for row in rows if row["status"] != "ok")
    for row in table(page.charts.get("failures", "x\n")):
        for status in (name for name in row if name not in ("x", "others")):
            second = math.floor(float(row["x"]))
            checks.close(f"{status} in second {second}", float(row[status]), failed[second, status])
    measured = [row for row in rows if row["phase"] == "measure" and row["mark"] != "step_warmup"]
    good = [row for row in measured if row["status"] == "ok"]
    responses = [int(row["response_us"]) for row in good]
    check_cdf("response-cdf", page.charts["response-cdf"], "all", responses, checks)
    latencies = [int(row["response_us"]) - int(row["actual_runtime_us"]) for row in good if row["actual_runtime_us"]]
    check_cdf("scheduling-cdf", page.charts["scheduling-cdf"], "all", [it for it in latencies if it >= 0], checks)
    lags = [max(0, integer(row, "dispatch_lag_us") - (integer(row, "connect_us") or 0) - (integer(row, "stream_wait_us") or 0))
            for row in measured if row["dispatch_lag_us"]]
    check_cdf("lag-cdf", page.charts["lag-cdf"], "own lag", lags, checks)
    ordered = sorted((int(row["due_unix_us"]), int(row["sent_unix_us"])) for row in rows if row["phase"] == "measure"
                     and row["sent_unix_us"] and row["mark"] not in ("burst", "victim"))
    gaps = [abs((after[1] - before[1]) - (after[0] - before[0])) for before, after in zip(ordered, ordered[1:])]
    checks.close("the number of gaps", len(gaps), summary["arrivals"]["gaps"]["count"])
    check_cdf("gaps", page.charts["gaps"], "", gaps, checks)
    by_function = defaultdict(list)
    for row in good:
        by_function[row["function"]].append(row)
    means = [round(mean_of([int(row["response_us"]) for row in of])) for of in by_function.values()]
    check_cdf("function-response-cdf", page.charts["function-response-cdf"], "functions", means, checks)
    slowdowns = [math.exp(mean_of([math.log(int(row["response_us"]) / int(row["requested_runtime_us"])) for row in of
                                   if int(row["requested_runtime_us"])])) for of in by_function.values()]
    check_cdf("function-slowdown-cdf", page.charts["function-slowdown-cdf"], "functions", slowdowns, checks)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    report, directory = Path(sys.argv[1]), Path(sys.argv[2])
    page = Page()
    page.feed(report.read_text())
    summary = json.loads((directory / "summary.json").read_text())
    with open(directory / "invocations.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    checks = Checks()
    check_values(page, summary, checks)
    check_rows(page, rows, summary, checks)
    print(f"{report}: {checks.count} numbers, {len(checks.faults)} differences")
    for fault in checks.faults[:50]:
        print(f"  {fault}")
    sys.exit(1 if checks.faults else 0)


if __name__ == "__main__":
    main()
