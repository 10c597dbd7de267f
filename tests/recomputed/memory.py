"""The memory that invocations in flight asked for, by slot and in all, from when each was handed out and when it ended."""

from .compare import Anything, Between, Exactly, Near, OneOf

MIB = 1024

# How exactly rows say when an invocation was handed out and when it ended, in microseconds: both have parts of the loader's own.
SLACK = 20_000

# By how much a mean may differ for that: of it, and of the memory of the largest invocation.
SHARE = 0.05


def held(row):
    """From when to when an invocation was in flight; the end is None where its row does not say it. Nothing where it never was."""
    if row.status == "not_sent" and row.waited == 0:
        return None
    begin = row.due + (row.own_lag or 0)
    return begin, None if row.response is None else row.sent + row.response + (row.receive_lag or 0)


def peak(intervals, begin, end, slack):
    """The greatest sum between two instants, where each is in flight for that much longer at both ends."""
    changes = []
    for start, stop, mib in intervals:
        start, stop = max(start - slack, begin), min(stop + slack, end)
        if start < stop:
            changes += [(start, mib), (stop, -mib)]
    total = most = 0
    for _, change in sorted(changes):
        total += change
        most = max(most, total)
    return most


def mean(intervals, begin, end):
    """The mean of the sum between two instants; None where nothing lies between them."""
    held = sum(max(min(stop, end) - max(start, begin), 0) * mib for start, stop, mib in intervals)
    return held / (end - begin) if end > begin else None


def of_slot(run, slot):
    """The fields memoryPeakMib and memoryMeanMib of a slot."""
    begin = int(slot["start_unix_us"])
    end = begin + int(slot["duration_us"])
    if slot.get("memory_peak_mib", "") == "":
        return {"memoryPeakMib": OneOf(None), "memoryMeanMib": OneOf(None)}
    flights = [(row.worker, row.due, held(row), row.memory_kib / MIB) for row in run.rows]
    flights = [(worker, due, *flight, mib) for worker, due, flight, mib in flights if flight]
    if any(stop is None and start < end for _, _, start, stop, _ in flights):
        return {"memoryPeakMib": Anything(), "memoryMeanMib": Anything()}
    flights = [flight for flight in flights if flight[3] is not None]
    shown = [(start, stop, mib) for _, _, start, stop, mib in flights]
    # A sending thread that is behind has had them for longer than their rows say: since they were due at the earliest.
    earliest = [(due, stop, mib) for _, due, _, stop, mib in flights]
    # Each worker knows its own peak, and none when the others have theirs: the run's is the sum.
    peaks = [
        [peak([(begun(f), f[3], f[4]) for f in flights if f[0] == worker], begin, end, slack)
         for worker in {flight[0] for flight in flights}]
        for begun, slack in ((lambda f: f[2], -SLACK), (lambda f: f[1], SLACK))
    ]
    largest = max((mib for _, _, mib in shown), default=0)
    low, high = mean(shown, begin, end), mean(earliest, begin, end)
    return {
        "memoryPeakMib": Between(sum(peaks[0]), sum(peaks[1])),
        "memoryMeanMib": OneOf(None)
        if low is None or high is None
        else Between(low - SHARE * (low + largest), high + SHARE * (high + largest)),
    }


def whole(run, rows):
    """The message MemoryInFlight, of what slots.csv says of the measured slots."""
    slots = [slot for slot in run.slots if slot["phase"] == "measure" and slot.get("memory_peak_mib")]
    means = [(float(slot["memory_mean_mib"]), int(slot["duration_us"])) for slot in slots if slot["memory_mean_mib"]]
    length = sum(duration for _, duration in means)
    return {
        "peakMib": Exactly(max((int(slot["memory_peak_mib"]) for slot in slots), default=None)),
        "meanMib": Near(sum(mean * duration for mean, duration in means) / length if length else None, 1e-6, 1e-3),
        "notSent": Exactly(sum(row.over_memory for row in rows)),
    }
