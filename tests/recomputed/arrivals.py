"""Whether invocations were sent as requested."""

import numpy as np
from scipy import stats

from .compare import Anything, Exactly, Near, OneOf
from .figures import QUANTILES, ROUNDING, near, percentile
from .run import duration_us

# Arrivals that are uniform instants of a slot; equidistant ones are compared with their plan only.
UNIFORM = {"", "poisson", "exponential_shift", "uniform_shift"}

# A slot is counted in so many bins by the loader, which therefore misses differences within one.
BINS = 4096


class Probability:
    """The p-value of a statistic that is known up to a little."""

    def __init__(self, statistic, off, p_of):
        self.statistic, self.off, self.p_of = statistic, off, p_of

    def fault(self, found):
        low, high = self.p_of(self.statistic + self.off), self.p_of(max(self.statistic - self.off, 0.0))
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


def densest(places, width):
    """The greatest share of places in an interval of that width."""
    return float(np.max(np.searchsorted(places, places + width, side="right") - np.arange(len(places)))) / len(places)


def test(statistic, off, p_of):
    return {"statistic": Near(statistic, 0, off), "pValue": Probability(statistic, off, p_of)}


def whole_slot_us(run):
    """The length of a slot as it was planned: the last one of a run that was stopped is shorter."""
    mode = run.summary["mode"]
    spec = run.spec.get(mode) or {}
    named = spec.get("slot") or spec.get("stepDuration")
    if mode == "trace":
        named = "1s" if spec.get("granularity") == "second" else "1m"
    return max([duration_us(named, 0.0), *(int(slot["duration_us"]) for slot in run.slots)])


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
    shortest = min(length for _, length in slots.values())
    # Of a slot that was cut short, a bin is a greater part.
    bin_width = whole_slot_us(run) / shortest / BINS
    n = len(rows)
    # What lies within a bin of each other, the loader can't tell apart; two samples of n each count as one of half as many.
    off = max(densest(due, bin_width), densest(sent, bin_width))
    plan = stats.ks_2samp(due, sent).statistic
    expected["plan"] = test(plan, off, lambda at: float(stats.kstwo.sf(at, max(n // 2, 1))))
    if against == "plan":
        return expected | {"against": OneOf("plan"), "statistic": Exactly(None), "pValue": Exactly(None)}
    process = stats.kstest(sent, "uniform").statistic
    of_process = test(process, off + bin_width, lambda at: float(stats.kstwo.sf(at, n)))
    return expected | {"against": OneOf("uniform")} | of_process
