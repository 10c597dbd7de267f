#!/usr/bin/env python3
"""Computes a comparison of runs anew, from their summaries alone, and compares it with what `loaderctl compare` found.

It shares no code with the loader: tests, intervals and resampling are SciPy's. What is drawn at random may differ by a part of the
interval's width.

Usage: loaderctl --output json compare DIRECTORY... --vs DIRECTORY... > comparison.json
       python3 tests/compare.py comparison.json DIRECTORY...   (needs scipy; exit code 1 where a figure differs)
"""

import json
import math
import pathlib
import statistics
import sys

import numpy
from scipy import stats

LOWER_IS_BETTER = {"goodput": False, "capacity": False}
# Places of figures in summary.json.
PATHS = {
    "response-p50": "responseUs.p50",
    "response-p90": "responseUs.p90",
    "response-p95": "responseUs.p95",
    "response-p99": "responseUs.p99",
    "response-p999": "responseUs.p999",
    "response-mean": "responseUs.mean",
    "response-all-p99": "responseInclFailures.p99",
    "response-due-p99": "responseFromDueUs.p99",
    "scheduling-p50": "schedulingLatencyUs.p50",
    "scheduling-p99": "schedulingLatencyUs.p99",
    "slowdown": "slowdown.geometricMean",
    "slowdown-p99": "slowdown.p99",
    "cold-starts": "coldStarts.share",
    "cold-start-p50": "coldStarts.latencyP50Us",
    "cold-start-p99": "coldStarts.latencyP99Us",
    "goodput": "goodput",
    "capacity": "rps.sustainedRate",
    "burst-p99": "burst.burstUs.p99",
}


def value(summary, figure):
    if figure == "failed":
        requested = summary.get("requested", 0)
        return summary.get("failed", 0) / requested if requested else None
    for step in PATHS[figure].split("."):
        summary = (summary or {}).get(step)
    return summary


def median_interval(values):
    n, below = len(values), stats.binom(len(values), 0.5)
    low = max((rank for rank in range(1, n + 1) if below.cdf(rank - 1) <= 0.025), default=None)
    high = min((rank for rank in range(1, n + 1) if below.cdf(rank - 1) >= 0.975), default=None)
    if low is None or high is None:
        return None
    ordered = sorted(values)
    return {"low": ordered[low - 1], "high": ordered[high - 1]}


def p_value(x, y):
    """By every way in which the values could have fallen to the groups, up to 20 of each, else by SciPy's approximation."""
    ranks = stats.rankdata([*x, *y])
    if math.comb(len(x) + len(y), len(x)) <= 20_000:
        groups = (ranks[: len(x)], ranks[len(x) :])
        return stats.permutation_test(groups, rank_sum, n_resamples=numpy.inf, vectorized=True).pvalue
    if max(len(x), len(y)) > 20:
        return stats.mannwhitneyu(y, x, method="asymptotic").pvalue
    if len(set([*x, *y])) == len(x) + len(y):
        return stats.mannwhitneyu(y, x, method="exact").pvalue
    # SciPy has no exact test with ties that is quick enough: twice the ranks are whole, so that sums can be counted.
    counts = ways([round(2 * rank) for rank in ranks], len(y))
    found, every = round(2 * sum(ranks[len(x) :])), sum(counts.values())
    below = sum(count for total, count in counts.items() if total <= found)
    above = sum(count for total, count in counts.items() if total >= found)
    return min(1.0, 2 * min(below, above) / every)


def ways(ranks, size):
    """In how many ways so many of the ranks add up to each sum."""
    counts = {(0, 0): 1}
    for rank in ranks:
        for (taken, total), count in list(counts.items()):
            if taken < size:
                key = (taken + 1, total + rank)
                counts[key] = counts.get(key, 0) + count
    return {total: count for (taken, total), count in counts.items() if taken == size}


def rank_sum(left, right, axis=-1):
    return numpy.sum(right, axis=axis)


def shift_interval(x, y):
    differences = sorted(right - left for right in y for left in x)
    n, m = len(x), len(y)
    if max(n, m) > 20:
        k = math.floor(n * m / 2 - stats.norm.ppf(0.975) * math.sqrt(n * m * (n + m + 1) / 12))
        return {"low": differences[k - 1], "high": differences[n * m - k]}
    # The distribution of U without ties, from that of the rank sum.
    counts = ways(range(1, n + m + 1), m)
    least, everything = m * (m + 1) // 2, math.comb(n + m, m)
    below, k = 0, 0
    while True:
        below += counts.get(least + k, 0)
        if below / everything > 0.025:
            break
        k += 1
    return None if k == 0 else {"low": differences[k - 1], "high": differences[n * m - k]}


def ratio_bounds(x, y):
    def ratio(left, right, axis=-1):
        return numpy.median(right, axis=axis) / numpy.median(left, axis=axis)

    rng = numpy.random.default_rng(7)
    drawn = stats.bootstrap((x, y), ratio, n_resamples=20_000, method="percentile", vectorized=True, rng=rng)
    return drawn.confidence_interval


def holm(values):
    adjusted, greatest = [1.0] * len(values), 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        greatest = min(1.0, max(greatest, (len(values) - rank) * values[place]))
        adjusted[place] = greatest
    return adjusted


def close(found, expected, within=1e-9):
    if found is None or expected is None:
        return found is expected
    if isinstance(expected, dict):
        return all(close(found.get(bound), expected[bound], within) for bound in expected)
    return abs(found - expected) <= within * max(1.0, abs(expected))


def verdict(row, margin):
    """The word, from the numbers as they were found."""
    interval = (row.get("ratio") or {}).get("interval")
    x, y = row["a"]["values"], row["b"]["values"]
    if interval and 1 / (1 + margin) <= interval["low"] and interval["high"] <= 1 + margin:
        return "same_within_margin"
    if min(len(x), len(y)) >= 5 and len(set(x + y)) == 1:
        return "same_within_margin"
    holds_one = interval and interval["low"] <= 1 <= interval["high"]
    if row.get("pHolm", 1) > 0.05 or holds_one:
        return "not_shown"
    is_less = row["delta"] < 0
    return "better" if is_less == LOWER_IS_BETTER.get(row["figure"], True) else "worse"


def check(row, x, y, report):
    figure = row["figure"]
    for side, values in ((row["a"], x), (row["b"], y)):
        report(figure, "values", close(dict(enumerate(side["values"])), dict(enumerate(values))), side["values"], values)
        expected = statistics.median(values) if values else None
        report(figure, "median", close(side.get("median"), expected), side.get("median"), expected)
        expected = median_interval(values)
        report(figure, "interval", close(side.get("interval"), expected), side.get("interval"), expected)
    if len(x) < 2 or len(y) < 2:
        return
    shift = row["shift"]
    expected = statistics.median([right - left for right in y for left in x])
    report(figure, "shift", close(shift["value"], expected), shift["value"], expected)
    expected = shift_interval(x, y)
    report(figure, "shift interval", close(shift.get("interval"), expected), shift.get("interval"), expected)
    expected = 2 * stats.mannwhitneyu(y, x).statistic / (len(x) * len(y)) - 1
    report(figure, "delta", close(row["delta"], expected), row["delta"], expected)
    expected = p_value(x, y) if len(set(x + y)) > 1 else None
    report(figure, "p", close(row.get("p"), expected, 1e-6), row.get("p"), expected)
    if min(x + y) > 0:
        expected = statistics.median(y) / statistics.median(x)
        report(figure, "ratio", close(row["ratio"]["value"], expected), row["ratio"]["value"], expected)
        found = row["ratio"].get("interval")
        report(figure, "ratio interval", (found is not None) == (min(len(x), len(y)) >= 5), found, "5 runs a group")
        if found and len(set(x + y)) > 1:
            low, high = ratio_bounds(x, y)
            within = 0.15 * (high - low)
            is_near = abs(found["low"] - low) <= within and abs(found["high"] - high) <= within
            report(figure, "ratio interval", is_near, found, (low, high))


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    summaries = {}
    for directory in sys.argv[2:]:
        summary = json.loads((pathlib.Path(directory) / "summary.json").read_text())
        summaries[summary["runId"]] = summary
    comparison = json.loads(pathlib.Path(sys.argv[1]).read_text())
    lines, checks = [], 0

    def report(figure, what, holds, found, expected):
        nonlocal checks
        checks += 1
        if not holds:
            lines.append(f"{figure} {what}: {found}, expected {expected}")

    groups = [[summaries[run["id"]] for run in group["runs"]] for group in comparison["groups"]]
    for row in comparison["figures"]:
        values = [[value(summary, row["figure"]) for summary in group] for group in groups]
        x, y = ([float(it) for it in group if it is not None] for group in values)
        check(row, x, y, report)
        expected = verdict(row, comparison["margin"])
        report(row["figure"], "verdict", row["verdict"] == expected, row["verdict"], expected)
    tested = [row for row in comparison["figures"] if "p" in row]
    for row, expected in zip(tested, holm([row["p"] for row in tested])):
        report(row["figure"], "p after Holm", close(row["pHolm"], expected), row["pHolm"], expected)
    print(f"{checks} checks, {len(lines)} differences")
    for line in lines:
        print(f"  {line}")
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
