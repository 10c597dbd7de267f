"""The workers of a run: what the rows of each show. What the daemon alone knows of them is taken as it is."""

from .compare import Anything, Between, Exactly, OneOf
from .figures import ROUNDING, distribution
from .run import duration_us
from .verdicts import by_worker, saturated_workers, tally


def workers(run, counts):
    """The messages WorkerSummary, by number: those that have rows, and those that the daemon knows of."""
    rows_of = by_worker(run.rows)
    numbers = sorted(set(rows_of) | {worker["worker"] for worker in run.summary.get("workers") or []})
    # A summary of an earlier version does not have the list.
    return OneOf(None, []) if not numbers else [worker(run, number, rows_of.get(number, []), counts) for number in numbers]


def worker(run, number, rows, counts):
    """One of them."""
    measured = [row for row in rows if row.phase == "measure"]
    counted = [row for row in measured if row.counted]
    stalls, longest, total = tally(counted, run.lag_bound)
    known_elsewhere = ("node", "pod", "reason", "clock", "batches", "bytes")
    return {name: Anything() for name in known_elsewhere} | {
        "worker": Exactly(number),
        "state": OneOf("starting", "ready", "ok", "suspect", "lost", "resumed"),
        "rows": Exactly(len(rows)),
        "counts": counts(measured),
        "dispatchLagUs": distribution(row.lag for row in counted),
        "ownLagUs": distribution(row.own_lag for row in counted),
        "receiveLagUs": distribution(row.receive_lag for row in counted),
        "stalls": stalls,
        "longestStallUs": longest,
        "totalStallUs": total,
        "saturatedSlots": saturated_slots(run, number),
    }


def saturated_slots(run, number):
    """In how many measured slots it was the bottleneck."""
    found = []
    for bound in (run.lag_bound + ROUNDING, run.lag_bound - ROUNDING):
        count = 0
        for slot in run.slots:
            rows = [row for row in run.rows if row.slot == int(slot["slot"]) and row.mark != "step_warmup"]
            end = int(slot["start_unix_us"]) + int(slot["duration_us"])
            count += slot["phase"] == "measure" and number in saturated_workers(rows, end, bound)
        found.append(count)
    return Between(min(found), max(found))


def clock_error(run):
    """The message ClockError: the workers whose clocks were known to no better than the spec allows."""
    spec = run.spec.get("workers")
    if spec is None:
        return Exactly(None)
    allowed = round(duration_us(spec.get("maxClockError") if isinstance(spec, dict) else None, 1_000) * 1000)
    worst = {worker["worker"]: worker["clock"]["worstBoundNs"] for worker in run.summary.get("workers") or []
             if worker.get("clock")}
    beyond = sorted(number for number, bound in worst.items() if bound > allowed)
    if not beyond:
        return Exactly(None)
    return {"maxNs": Exactly(allowed), "workers": OneOf(beyond), "worstBoundNs": Exactly(max(worst.values()))}
