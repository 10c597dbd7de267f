"""What disturbances did to invocations, from events.csv and the rows."""

import math

from .compare import Anything, Exactly, Near

WINDOW, BEFORE, WATCHED, FEWEST, FACTOR = 10_000_000, 60_000_000, 6, 100, 2


def latency(row):
    """The scheduling latency of a row, endless for a failure; None where it is unknown."""
    return row.scheduling_latency if row.ok else math.inf


def p99(rows):
    """The 99th percentile of scheduling latencies; None of too few."""
    known = sorted(value for value in map(latency, rows) if value is not None)
    return known[math.ceil(round(0.99 * len(known), 6)) - 1] if len(known) >= FEWEST else None


def mean_slowdown(run, rows):
    """The geometric mean of slowdowns; None without values."""
    slowdowns = [row.response / row.requested for row in rows if run.is_timed and row.ok and row.requested > 0]
    return math.exp(sum(map(math.log, slowdowns)) / len(slowdowns)) if slowdowns else None


def recovery(counted, begin, over, end, level):
    """The number of the first window that is back below twice the level; None where that is unknown."""
    if level is None or level == math.inf:
        return None
    left, last = False, (over - begin) // WINDOW
    whole = (end - begin) // WINDOW
    for index in range(whole):
        start = begin + index * WINDOW
        found = p99([row for row in counted if start <= row.due < start + WINDOW])
        if found is None:
            return None
        if found >= FACTOR * level:
            left = True
        elif left and index >= last:
            return index
        elif not left and index >= last + WATCHED:
            return 0
    return None if left or whole <= last else 0


def figures(run, rows, begin, over, others):
    """The figures of one that was carried out at `begin` and was over at `over`."""
    counted = [row for row in rows if row.counted]
    end = min((other for other in others if other > begin and other >= over), default=max(row.due for row in rows) + 1)
    end = min(end, max(row.due for row in rows) + 1)
    before = [row for row in counted if begin - BEFORE <= row.due < begin]
    level = p99(before)
    window = recovery(counted, begin, over, end, level)
    length = end - begin if window is None else max(window, (over - begin) // WINDOW + 1) * WINDOW
    until = min(begin + length, end)
    of = [row for row in rows if begin <= row.due < until]
    return {
        "untilUnixUs": Exactly(until),
        "requested": Exactly(len(of)),
        "failed": Exactly(sum(not row.ok for row in of)),
        "lost": Exactly(sum(row.response is None and row.status not in ("not_sent", "cancelled") for row in of)),
        "slowdown": Near(mean_slowdown(run, [row for row in of if row.counted]), 1e-6),
        "slowdownBefore": Near(mean_slowdown(run, before), 1e-6),
        "schedulingLatencyBeforeP99Us": Near(None if level == math.inf else level, 2e-3, 1),
        "recoveryUs": Exactly(None if window is None else window * WINDOW),
        "recoveryUnknown": Anything() if window is None else Exactly(""),
    }


def disturbances(run, rows):
    """The messages DisturbanceFindings, in the order of the spec."""
    begins = {event["disturbance"]: event for event in run.events if event["stage"] == "begin"}
    ends = {event["disturbance"]: event for event in run.events if event["stage"] == "end" and event["outcome"] == "ok"}
    dues = [int(event["due_unix_us"]) for event in begins.values() if event["outcome"] == "ok"]
    last = max((row.due for row in rows), default=None)
    expected = []
    for number, event in sorted(begins.items(), key=lambda item: int(item[0])):
        due, done, end = (int(text) if text else None for text in
                          (event["due_unix_us"], event["done_unix_us"], ends.get(number, {}).get("done_unix_us")))
        found = {
            "disturbance": Exactly(int(number)),
            "action": Exactly(event["action"]),
            "target": Exactly(event["target"]),
            "outcome": Exactly(event["outcome"]),
            "detail": Exactly(event["detail"]),
            "dueUnixUs": Exactly(due),
            "beginUnixUs": Exactly(done),
            "endUnixUs": Exactly(end),
            "recoveryUnknown": Exactly(""),
        }
        if event["outcome"] == "ok" and last is not None and last >= due:
            found |= figures(run, rows, due, max(due, end or due), dues)
        expected.append(found)
    return expected
