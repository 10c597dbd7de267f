#!/usr/bin/env python3
"""Writes the results of statsmodels' adfuller for series that loaderd's own test makes in the same way.

Usage: python3 tests/adfuller.py > loaderd/tests/data/adfuller.csv   (needs statsmodels)
"""

import statsmodels
from statsmodels.tsa.stattools import adfuller

KINDS = ["white", "walk", "drift", "ar", "slow", "swing", "moving", "trend", "steps", "latency"]
LENGTHS = [20, 23, 40, 60, 100, 250, 600]
MASK = (1 << 64) - 1


class Source:
    def __init__(self, seed):
        self.state = seed

    def uniform(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & MASK
        return float(self.state >> 11) / float(1 << 53)

    def noise(self):
        total = 0.0
        for _ in range(12):
            total += self.uniform()
        return total - 6.0


def series(kind, seed, n):
    source, level, before, values = Source(seed), 0.0, 0.0, []
    for at in range(n):
        noise = source.noise()
        if kind == "white":
            value = noise
        elif kind == "walk":
            value = level = level + noise
        elif kind == "drift":
            value = level = level + (noise + 0.3)
        elif kind == "ar":
            value = level = 0.6 * level + noise
        elif kind == "slow":
            value = level = 0.97 * level + noise
        elif kind == "swing":
            value = level = -0.7 * level + noise
        elif kind == "moving":
            value, before = noise + 0.8 * before, noise
        elif kind == "trend":
            value = noise + 0.05 * float(at)
        elif kind == "steps":
            value = noise + (0.0 if at * 2 < n else 8.0)
        else:
            value = 1000.0 + 40.0 * noise * noise * noise * noise
        values.append(value)
    return values


def main():
    print(f"# statsmodels {statsmodels.__version__}, adfuller(series, regression='c', autolag='AIC')")
    print("kind,seed,n,statistic,p_value,lag,critical_5")
    for kind in KINDS:
        for n in LENGTHS:
            for seed in range(3):
                number = 1000 * n + seed
                found = adfuller(series(kind, number, n), regression="c", autolag="AIC", result_object=False)
                statistic, p, lag, _, critical, _ = found
                print(f"{kind},{number},{n},{statistic:.12g},{p:.12g},{lag},{critical['5%']:.12g}")


if __name__ == "__main__":
    main()
