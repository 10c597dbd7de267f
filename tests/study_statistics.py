#!/usr/bin/env python3
"""Writes what SciPy and NumPy find in series of values that loader-report's own test makes in the same way.

Usage: python3 tests/study_statistics.py > report/tests/data/study_statistics.csv   (needs scipy)
"""


import numpy
import scipy
from scipy import stats

MASK = (1 << 64) - 1


def numbers(seed):
    """SplitMix64."""
    state = seed
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MASK
        yield mixed ^ (mixed >> 31)


def values(seed, cells, rounds, drift, gaps):
    """Values of cells in rounds, some of which are missing: whole thousandths, so that all programs read the same ones."""
    random = numbers(seed)
    made = []
    for round_ in range(rounds):
        for cell in range(cells):
            noise = next(random) % 1000
            is_missing = next(random) % 100 < gaps
            if not is_missing:
                made.append((cell, round_, 1000 + 500 * cell + drift * round_ + noise))
    return made


def two_way(made):
    """Variance between rounds and within, F and p, by least squares with and without rounds."""
    y = numpy.array([value for _, _, value in made], float)

    def design(*columns):
        return numpy.hstack([numpy.array([[float(it[c] == k) for k in sorted({i[c] for i in made})] for it in made]) for c in columns])

    def fit(matrix):
        found, *_ = numpy.linalg.lstsq(matrix, y, rcond=None)
        return ((y - matrix @ found) ** 2).sum(), numpy.linalg.matrix_rank(matrix)

    (without, few), (with_, many) = fit(design(0)), fit(design(0, 1))
    between, within = (without - with_) / (many - few), with_ / (len(y) - many)
    sizes = numpy.array([sum(1 for it in made if it[1] == r) for r in sorted({it[1] for it in made})], float)
    size = (sizes.sum() - (sizes**2).sum() / sizes.sum()) / (len(sizes) - 1)
    f = between / within
    return max(0.0, (between - within) / size), within, f, stats.f.sf(f, many - few, len(y) - many)


def split(series):
    """Where sorted values are cut best, and the share of their variance that this explains."""
    ordered = numpy.sort(numpy.array(series, float))
    whole = ((ordered - ordered.mean()) ** 2).sum()

    def explained(cut):
        parts = (ordered[:cut], ordered[cut:])
        return 1 - sum(((part - part.mean()) ** 2).sum() for part in parts) / whole

    return max(((explained(cut), -cut) for cut in range(2, len(ordered) - 1)))


print(f"# SciPy {scipy.__version__}, NumPy {numpy.__version__}")
print("seed,cells,rounds,drift,gaps,rho,rho_p,between,within,f,f_p,lower,explained")
for seed, cells, rounds, drift, gaps in [
    (1, 2, 6, 0, 0), (2, 3, 5, 0, 0), (3, 4, 10, 40, 0), (4, 4, 10, 40, 20), (5, 6, 8, 150, 10), (6, 2, 20, 10, 5), (7, 10, 12, 0, 30),
]:
    made = values(seed, cells, rounds, drift, gaps)
    found = stats.spearmanr(range(len(made)), [value for _, _, value in made])
    share, cut = split([value for _, _, value in made])
    line = [found.statistic, found.pvalue, *two_way(made), -cut, share]
    print(",".join([str(it) for it in (seed, cells, rounds, drift, gaps)] + [f"{it:.12g}" for it in line]))
