"""The whole summary, as the rows have it."""

from collections import Counter

from .arrivals import arrivals
from .compare import Anything, Exactly, Near, OneOf
from .disturbances import disturbances
from .figures import Buckets, distribution, near, of_percentiles, percentile, QUANTILES, response_incl_failures, slowdown
from .memory import whole
from .modes import findings
from .run import duration_us
from .verdicts import open_loop, saturated, slots, stalls
from .workers import clock_error, workers


def counts(rows):
    """The counts of some rows."""
    return {
        "requested": Exactly(len(rows)),
        "issued": Exactly(sum(row.sent is not None for row in rows)),
        "returned": Exactly(sum(row.response is not None for row in rows)),
        "failed": Exactly(sum(not row.ok for row in rows)),
        "byStatus": {status: Exactly(count) for status, count in Counter(row.status for row in rows).items()},
    }


def figures_of(rows):
    """The rows and the value of each distribution, by its field."""
    ok = [row for row in rows if row.ok]
    return {
        "dispatchLagUs": (rows, lambda row: row.lag),
        "ownLagUs": (rows, lambda row: row.own_lag),
        "connectUs": (rows, lambda row: row.connect if row.sent is not None else None),
        "streamWaitUs": (rows, lambda row: row.stream_wait if row.sent is not None else None),
        "receiveLagUs": (rows, lambda row: row.receive_lag),
        "responseFromDueUs": (ok, lambda row: row.from_due),
        "responseUs": (ok, lambda row: row.response),
        "schedulingLatencyUs": (ok, lambda row: row.scheduling_latency),
    }


def goodput(run, rows, seconds):
    """Invocations per second that came back ok within the objective."""
    good = sum(row.ok and (run.objective is None or row.response <= run.objective) for row in rows)
    return Near(good / seconds if seconds > 0 else None, 1e-6, 1 / seconds if run.objective and seconds > 0 else 0)


def cold_starts(rows):
    """The message ColdStarts; which instances were started is the platform's to say."""
    known = [row for row in rows if row.cold is not None]
    cold = [row for row in known if row.cold]
    responses = sorted(row.response for row in cold if row.ok and row.counted)
    return {
        "count": Exactly(len(cold)),
        "share": Near(len(cold) / len(known) if known else None, 1e-9),
        "latencyP50Us": near(percentile(responses, QUANTILES["p50"])),
        "latencyP99Us": near(percentile(responses, QUANTILES["p99"])),
        "instancesStarted": Anything(),
    }


def functions(run, rows):
    """The messages FunctionSummary, in the plan's order."""
    expected = []
    for function in run.functions:
        of = [row for row in rows if row.function == function["function"]]
        ok = [row for row in of if row.ok and row.counted]
        expected.append({
            "function": Exactly(function["function"]),
            "requested": Exactly(len(of)),
            "failed": Exactly(sum(not row.ok for row in of)),
            "coldStarts": Exactly(sum(row.cold is True for row in of)),
            "slowdown": slowdown(ok, run.is_timed),
        } | of_percentiles([row.response for row in ok], responseP50Us="p50", responseP99Us="p99")
          | of_percentiles([row.scheduling_latency for row in ok],
                           schedulingLatencyP50Us="p50", schedulingLatencyP99Us="p99"))
    return expected


def not_due(run):
    """What a run that ended early had not been asked for; of a plan without an end it is unknown."""
    planned = [function["planned_invocations"] for function in run.functions]
    if run.summary["state"] == "RUN_STATE_SUCCEEDED":
        return OneOf(None, 0)
    if all(planned):
        return Exactly(sum(map(int, planned)) - len(run.rows))
    # Which function gets how many was drawn while the run went. Of one rate the sum is known.
    spec = run.spec.get("rps") or {}
    if "start" in spec and spec.get("start") == spec.get("end"):
        return Exactly(round(spec["start"] * duration_us(spec["slot"], 0) / 1e6) - len(run.rows))
    return OneOf(None)


def steady_state(rows, seconds):
    """The message SteadyState. The tests of a series have tables of their own; here, whether there was enough to tell."""
    latencies = [row for row in rows if row.scheduling_latency is not None]
    is_short = len(latencies) < 200 or seconds < 60
    return {
        "verdict": OneOf("too short") if is_short else OneOf("steady", "trending"),
        "reason": Anything(),
        "trendPerMinute": Exactly(None) if is_short else Anything(),
        "points": Exactly(len(latencies)),
    }


def expected(run):
    """What the summary must be."""
    rows = [row for row in run.rows if row.phase == "measure"]
    counted = [row for row in rows if row.counted]
    ok = [row for row in counted if row.ok]
    figures = figures_of(counted)
    by_slot = slots(run)
    measured = [slot for slot in run.slots if slot["phase"] == "measure"]
    seconds = sum(int(slot["duration_us"]) for slot in measured) / 1e6
    planned, issued = (sum(int(slot[name]) for slot in measured) for name in ("planned", "issued"))
    end = max((int(slot["start_unix_us"]) + int(slot["duration_us"]) for slot in run.slots), default=None)
    t0 = run.summary["t0UnixUs"]
    texts = ("runId", "name", "mode", "platform", "state", "reason", "seed", "clamped", "droppedFunctions", "notes",
             "warmup", "clockChanges")
    return (
        {name: Anything() for name in texts}
        | counts(rows)
        | {field: distribution(map(value_of, of)) for field, (of, value_of) in figures.items()}
        | {
            # The first slot begins at t0.
            "t0UnixUs": OneOf(min((int(slot["start_unix_us"]) for slot in run.slots), default=t0)),
            "firstDueUnixUs": Exactly(min((row.due for row in run.rows), default=None)),
            "loadDurationUs": Near(0 if end is None else end - t0, 0, 1),
            "achievedRatio": Near(issued / planned if planned else None, 1e-9),
            "goodput": goodput(run, rows, seconds),
            "rows": Exactly(len(run.rows)),
            "all": counts(run.rows),
            "responseHistogram": Buckets(row.response for row in ok),
            "responseInclFailures": response_incl_failures(counted),
            "slowdown": slowdown(ok, run.is_timed),
            "coldStarts": cold_starts(rows),
            "saturated": saturated(run, by_slot),
            "openLoop": open_loop(run, by_slot),
            "stalls": stalls(run, figures),
            "memoryInFlight": whole(run, rows),
            "functions": functions(run, rows),
            "slots": by_slot,
            "arrivals": arrivals(run),
            "steadyState": steady_state(ok, seconds),
            "notDue": not_due(run),
            "disturbances": disturbances(run, rows),
            "workers": workers(run, counts),
            "clockError": clock_error(run),
            # Which are met follows from the figures above.
            "expectations": Anything(),
        }
        | findings(run, rows)
    )
