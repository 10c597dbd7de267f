#!/usr/bin/env python3
"""Writes what pymannkendall's test with the correction of Hamed and Rao says of series that loaderd's own test makes in the
same way.

Usage: python3 tests/mann_kendall.py > loaderd/tests/data/mann_kendall.csv   (needs pymannkendall)
"""

import pymannkendall

from adfuller import series

KINDS = ["white", "walk", "drift", "ar", "slow", "swing", "moving", "trend", "steps", "latency"]
# With an even number of pairs: else two values lie on the median slope, and rounding decides which ranks first without it.
LENGTHS = [12, 40, 61, 100, 250]

print(f"# pymannkendall {pymannkendall.__version__}, hamed_rao_modification_test")
print("kind,seed,n,deviate,p_value,slope")
for kind in KINDS:
    for n in LENGTHS:
        for seed in (1, 2):
            values = series(kind, seed, n)
            found = pymannkendall.hamed_rao_modification_test(values)
            # The correction of ours is at least a tenth; theirs may be negative.
            if found.var_s > 0.1 * pymannkendall.original_test(values).var_s:
                print(f"{kind},{seed},{n},{found.z:.12g},{found.p:.12g},{found.slope:.12g}")
