"""Percentiles and their intervals, from all values."""

import math
from bisect import bisect_left, bisect_right
from fractions import Fraction

from scipy import stats

from .compare import Exactly, Near

QUANTILES = {"p50": Fraction(1, 2), "p90": Fraction(9, 10), "p95": Fraction(19, 20), "p99": Fraction(99, 100),
             "p999": Fraction(999, 1000)}

# A histogram of three significant digits has buckets of at most a thousandth of their values.
PRECISION = 1e-3

# Rows have whole microseconds, each cut off; the sum or difference of three of them is off by less than this.
ROUNDING = 3


def percentile(ordered, quantile):
    """The smallest value that at least that share of the values do not exceed; None of fewer than 1/(1 − q) values."""
    if len(ordered) * (1 - quantile) < 1:
        return None
    return ordered[max(math.ceil(quantile * len(ordered)), 1) - 1]


def interval(ordered, quantile):
    """The 95 % interval of a percentile by order statistics; None where there are too few values."""
    n, p = len(ordered), float(quantile)
    if n == 0:
        return None
    # The largest l with P(B <= l - 1) <= 2.5 %, and the smallest u with P(B <= u - 1) >= 97.5 %.
    low = int(stats.binom.ppf(0.025, n, p))
    while low < n and stats.binom.cdf(low, n, p) <= 0.025:
        low += 1
    while low > 0 and stats.binom.cdf(low - 1, n, p) > 0.025:
        low -= 1
    high = int(stats.binom.ppf(0.975, n, p)) + 1
    while high > 1 and stats.binom.cdf(high - 2, n, p) >= 0.975:
        high -= 1
    return None if low < 1 or high > n else (ordered[low - 1], ordered[high - 1])


def near(value, scale=1.0):
    return Near(value, PRECISION, ROUNDING * scale)


def distribution(values):
    """The message Distribution of some values in microseconds."""
    ordered = sorted(value for value in values if value is not None)
    expected = {
        "count": Exactly(len(ordered)),
        "mean": Near(math.fsum(ordered) / len(ordered) if ordered else None, 1e-9, ROUNDING),
        "max": Near(ordered[-1] if ordered else None, 0, ROUNDING),
        "intervals": {},
    }
    for name, quantile in QUANTILES.items():
        value = percentile(ordered, quantile)
        expected[name] = near(value)
        bounds = interval(ordered, quantile) if value is not None else None
        expected["intervals"][name] = (
            Exactly(None) if bounds is None else {"low": near(bounds[0]), "high": near(bounds[1])})
    if all(isinstance(bounds, Exactly) for bounds in expected["intervals"].values()):
        expected["intervals"] = Nothing()
    return expected


class Nothing:
    """A message without any field, or none."""

    def fault(self, found):
        return None if not found or all(value is None for value in found.values()) else f"{found}, expected nothing"


class Buckets:
    """The messages HistogramBucket of some values in microseconds: at most 20, one after the other, with all values."""

    def __init__(self, values):
        self.ordered = sorted(value for value in values if value is not None)

    def below(self, edge):
        """How many values may lie below an edge: from and to."""
        slack = edge * PRECISION + ROUNDING
        return bisect_left(self.ordered, edge - slack), bisect_right(self.ordered, edge + slack)

    def fault(self, found):
        if found is None:
            # Of an earlier version.
            return None
        if sum(bucket["count"] for bucket in found) != len(self.ordered) or len(found) > 20:
            return f"{len(found)} buckets do not have the {len(self.ordered)} values"
        if any(one["to"] != other["from"] for one, other in zip(found, found[1:])):
            return "buckets do not follow each other"
        counted = 0
        for bucket in found[:-1]:
            counted += bucket["count"]
            low, high = self.below(bucket["to"])
            if not low <= counted <= high:
                return f"{counted} values below {bucket['to']}, expected {low} to {high}"
        return None


def of_percentiles(values, **names):
    """Single fields that hold percentiles: `field="p99"`."""
    ordered = sorted(value for value in values if value is not None)
    return {field: near(percentile(ordered, QUANTILES[name])) for field, name in names.items()}


def slowdown(rows, is_timed):
    """The message Slowdown; of functions that run for as long as they are asked to."""
    rows = [row for row in rows if row.slowdown is not None] if is_timed else []
    ratios = sorted(row.slowdown for row in rows)
    mean = math.exp(math.fsum(map(math.log, ratios)) / len(ratios)) if ratios else None
    # A microsecond that was cut off each response.
    off = mean * math.fsum(1 / row.response for row in rows) / len(rows) if rows else 0
    least = min((row.requested for row in rows), default=1)
    return {
        "count": Exactly(len(ratios)),
        "geometricMean": Near(mean, 1e-9, off),
        "p50": Near(percentile(ratios, QUANTILES["p50"]), PRECISION, 1 / least),
        "p99": Near(percentile(ratios, QUANTILES["p99"]), PRECISION, 1 / least),
    }


def response_incl_failures(rows):
    """The message ResponseInclFailures: of all that was sent, failures as endless."""
    sent = [row for row in rows if row.sent is not None]
    answered = sorted(row.response for row in sent if row.ok)
    failed = len(sent) - len(answered)
    expected = {
        "count": Exactly(len(sent)),
        "failed": Exactly(failed),
        "failedRatio": Near(failed / len(sent) if sent else None, 1e-9),
    }
    endless = []
    for name, quantile in QUANTILES.items():
        if not sent or len(sent) * (1 - quantile) < 1:
            expected[name] = Exactly(None)
        elif Fraction(failed, len(sent)) >= 1 - quantile:
            endless.append(name)
            expected[name] = Exactly(None)
        else:
            expected[name] = near(answered[math.ceil(quantile * len(sent)) - 1])
    return expected | {"endless": Exactly(endless)}
