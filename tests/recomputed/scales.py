"""The instances of each row's function when it was due, by scales.csv."""

from bisect import bisect_right
from collections import defaultdict

# How long a report of the platform may take to the recorder, in microseconds: until then a row has the one before.
DELAY = 1_000_000

# Differences that are shown.
SHOWN = 5


def history(run):
    """By function: when each change was reported, and the instances that were ready and wanted from then on."""
    changes = defaultdict(lambda: ([], []))
    for scale in run.scales:
        times, counts = changes[scale["function"]]
        times.append(int(scale["unix_us"]))
        counts.append((int(scale["running"]), int(scale["desired"])))
    return changes


def possible(times, counts, due):
    """What a row may have: the last report before it was due, or one that was the last shortly before."""
    first, last = bisect_right(times, due - DELAY), bisect_right(times, due)
    return {counts[index - 1] if index else (None, None) for index in range(first, last + 1)}


def differences(run):
    """A line for each row with other instances, the first ones."""
    changes = history(run)
    wrong = []
    for row in run.rows:
        expected = possible(*changes[row.function], row.due)
        if (row.instances, row.instances_desired) not in expected:
            found = (row.instances, row.instances_desired)
            wrong.append(f"row {row.number + 1}: instances {found}, expected one of {expected}")
    more = [f"... and {len(wrong) - SHOWN} rows more"] if len(wrong) > SHOWN else []
    return wrong[:SHOWN] + more
