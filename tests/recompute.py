#!/usr/bin/env python3
"""Computes the figures of a run's summary anew, from its rows alone, and compares them; and the rows' instances with scales.csv.

It shares no code with the loader: percentiles are those of all values, intervals are of SciPy's binomial distribution, tests
are SciPy's. Percentiles may differ by the precision of a histogram, times by a few microseconds that rows cut off.

Usage: python3 tests/recompute.py DIRECTORY...   (needs scipy and PyYAML; exit code 1 where a figure differs)
"""

import sys

from recomputed import scales
from recomputed.compare import differences
from recomputed.run import read
from recomputed.summary import expected


def main():
    directories = sys.argv[1:]
    if not directories:
        sys.exit(__doc__)
    differ = False
    for directory in directories:
        run = read(directory)
        lines = differences(expected(run), run.summary) + scales.differences(run)
        differ = differ or bool(lines)
        print(f"{directory}: {len(run.rows)} rows, {len(lines)} differences")
        for line in lines:
            print(f"  {line}")
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
