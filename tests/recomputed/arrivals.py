"""Whether invocations were sent as requested."""

import numpy as np
from scipy import stats

from .compare import Anything, Exactly, Near, OneOf
from .figures import QUANTILES, ROUNDING, near, percentile

# Arrivals that are uniform instants of a slot; equidistant ones are compared with their plan only.
UNIFORM = {"", "poisson", "exponential_shift", "uniform_shift"}

# A slot is counted in bins by the loader, which rounds the statistic by at most one of them at either end.
BIN = 2 / 4096


class Probability:
    """A p-value: that of the statistic that was found, and on the same side of 0.001 as the exact one."""

    def __init__(self, statistic, p_of):
        self.statistic, self.p_of = statistic, p_of

    def fault(self, found):
        low, high = self.p_of(self.statistic + BIN), self.p_of(max(self.statistic - BIN, 0.0))
        # Stephens' correction is within a hundredth of the exact distribution.
        fits = found is not None and low - 0.03 <= found <= high + 0.03
        return None if fits else f"{found}, expected {low:.4f} to {high:.4f}"


def positions(rows, slots):
    """Where in their slots rows were due and sent, from 0 to 1."""
    due, sent = [], []
    for row in rows:
        start, length = slots[row.slot]
        due.append(min(max((row.due - start) / length, 0.0), 1.0))
        sent.append(min(max((row.sent - start) / length, 0.0), 1.0))
    return np.sort(due), np.sort(sent)


def gaps(rows):
    """The message Gaps: achieved and planned time from one invocation to the next, in order of due."""
    ordered = sorted(rows, key=lambda row: (row.due, row.sent))
    pairs = list(zip(ordered, ordered[1:]))
    off = sorted(abs((after.sent - before.sent) - (after.due - before.due)) for before, after in pairs)
    shares = [share(pairs, slack) for slack in (ROUNDING, -ROUNDING)]
    return {
        "count": Exactly(len(off)),
        "p50Us": near(percentile(off, QUANTILES["p50"])),
        "p99Us": near(percentile(off, QUANTILES["p99"])),
        "maxUs": Near(off[-1] if off else None, 1e-3, ROUNDING),
        "offRatio": Exactly(None) if not pairs else Near(sum(shares) / 2, 0, abs(shares[1] - shares[0]) / 2),
    }


def share(pairs, slack):
    """The share of gaps that are off by more than 10 % or 1 ms, whichever is larger."""
    off = [abs((after.sent - before.sent) - (after.due - before.due)) > max(0.1 * (after.due - before.due), 1e3) + slack
           for before, after in pairs]
    return sum(off) / len(off) if off else 0.0


def arrivals(run):
    """The message ArrivalTest."""
    slots = {int(slot["slot"]): (int(slot["start_unix_us"]), int(slot["duration_us"])) for slot in run.slots}
    rows = [row for row in run.rows if row.phase == "measure" and row.sent is not None and row.slot in slots
            and row.mark in {"", "step_warmup", "cold"}]
    against = (run.summary.get("arrivals") or {}).get("against")
    expected = {"count": Exactly(len(rows)), "gaps": gaps(rows), "plan": Anything()}
    if not rows:
        return expected | {"against": OneOf("uniform", "plan", ""), "statistic": Exactly(None), "pValue": Exactly(None)}
    due, sent = positions(rows, slots)
    plan = stats.ks_2samp(due, sent).statistic
    n = len(rows)
    # Two samples of n each count as one of half as many.
    expected["plan"] = {
        "statistic": Near(plan, 0, BIN),
        "pValue": Probability(plan, lambda statistic: float(stats.kstwo.sf(statistic, max(n // 2, 1)))),
    }
    if against == "plan":
        return expected | {"against": OneOf("plan"), "statistic": Exactly(None), "pValue": Exactly(None)}
    process = stats.kstest(sent, "uniform").statistic
    return expected | {
        "against": OneOf("uniform"),
        "statistic": Near(process, 0, BIN),
        "pValue": Probability(process, lambda statistic: float(stats.kstwo.sf(statistic, n))),
    }
