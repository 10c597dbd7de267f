"""Whose fault it is: slots, stalls, and the percentiles that stalls show in."""

import math
from collections import defaultdict

from .compare import Anything, Between, Exactly, Near, OneOf
from .figures import QUANTILES, ROUNDING, near, percentile
from .memory import of_slot

# The share of a slot's plan that must be sent in time.
SENT = 0.99

# The share of a slot's invocations that may wait for connections or streams.
WAITING = 0.01

# How much a percentile may change when touched rows are left out.
CHANGE = 0.05


def waits_for_peer(row, bound):
    """Whether a connection or a stream kept it longer than the bound, or for good."""
    kept_back = row.status == "not_sent" and row.waited > 0
    return kept_back or row.waited > bound or row.status in {"connect_timeout", "connect_error"}


def flags(check, bound):
    """A verdict's value; either where a value lies within what rounding takes from the bound."""
    return OneOf(*{check(bound - ROUNDING), check(bound + ROUNDING)})


def is_saturated(rows, planned, end, is_complete, bound):
    """Verdict 1 of a slot: own lag p99 above the bound, or less than 99 % sent by the loader's own fault."""
    lags = [row.own_lag for row in rows if row.own_lag is not None]
    late = sum(lag > bound for lag in lags) > len(lags) - math.ceil(SENT * len(lags))
    in_time = sum(row.status != "not_sent" or row.waited > 0 or row.over_memory for row in rows
                  if row.own_lag is None or row.due + row.own_lag <= end + bound)
    return late or (is_complete and in_time < SENT * planned)


def is_open_loop(rows, bound):
    """Whether verdict 2 does not hold for a slot."""
    waiting = sum(waits_for_peer(row, bound) and row.status not in {"connect_timeout", "connect_error"}
                  for row in rows)
    return waiting <= WAITING * len(rows)


def slots(run):
    """The messages SlotSummary; slots.csv says which slots there were and what was planned in them."""
    by_slot = defaultdict(list)
    for row in run.rows:
        if row.mark != "step_warmup":
            by_slot[row.slot].append(row)
    expected = []
    for slot in sorted(run.slots, key=lambda slot: int(slot["slot"])):
        rows = by_slot[int(slot["slot"])]
        end = int(slot["start_unix_us"]) + int(slot["duration_us"])
        is_complete = int(slot["planned"]) <= len(rows)
        bound = run.lag_bound
        in_time = [sum(row.sent is not None and row.sent <= end + bound + slack for row in rows)
                   for slack in (-ROUNDING, ROUNDING)]
        answered = sorted(row.response for row in rows if row.ok)
        lags = sorted(row.lag for row in rows if row.lag is not None)
        own = sorted(row.own_lag for row in rows if row.own_lag is not None)
        p99 = QUANTILES["p99"]
        expected.append({
            "slot": Exactly(int(slot["slot"])),
            "phase": Exactly(rows[0].phase if rows else slot["phase"]),
            "startUnixUs": Exactly(int(slot["start_unix_us"])),
            "durationUs": Exactly(int(slot["duration_us"])),
            "rps": Near(float(slot["rps"]), 1e-6),
            "planned": Exactly(int(slot["planned"])),
            "issued": Between(*in_time),
            "returned": Exactly(sum(row.response is not None for row in rows)),
            "failed": Exactly(sum(not row.ok for row in rows)),
            "coldStarts": Exactly(sum(row.cold is True for row in rows)),
            "lagP99Us": near(percentile(lags, p99)),
            "ownLagP99Us": near(percentile(own, p99)),
            "saturated": flags(lambda at, r=rows, s=slot, e=end, c=is_complete: is_saturated(
                r, int(s["planned"]), e, c, at), bound),
            "openLoop": flags(lambda at, r=rows: is_open_loop(r, at), bound),
            "responseP50Us": near(percentile(answered, QUANTILES["p50"])),
            "responseP99Us": near(percentile(answered, p99)),
        } | of_slot(run, slot))
    return expected


def verdict(run, expected_slots, field, bad):
    """Whether a verdict holds for a measured slot, and for which."""
    measured = [slot for slot in expected_slots if slot["phase"].value == "measure"]
    certain = [slot["slot"].value for slot in measured if slot[field].allowed == (bad,)]
    possible = [slot["slot"].value for slot in measured if bad in slot[field].allowed]
    return certain, possible


class SlotList:
    """Numbers of slots: all that are certain, none that is not possible."""

    def __init__(self, certain, possible):
        self.certain, self.possible = set(certain), set(possible)

    def fault(self, found):
        numbers = set(found or [])
        fits = self.certain <= numbers <= self.possible
        return None if fits else f"{sorted(numbers)}, expected {sorted(self.certain)} to {sorted(self.possible)}"


def saturated(run, expected_slots):
    certain, possible = verdict(run, expected_slots, "saturated", True)
    return {"saturated": OneOf(*{bool(certain), bool(possible)}), "reason": Anything(),
            "slots": SlotList(certain, possible)}


def open_loop(run, expected_slots):
    certain, possible = verdict(run, expected_slots, "openLoop", False)
    # The peer's limit is known from its settings, which no row has; so is what would do, which follows from it.
    return {"violated": OneOf(*{bool(certain), bool(possible)}), "reason": Anything(),
            "slots": SlotList(certain, possible), "streamLimit": Anything(), "connectionsNeeded": Anything()}


def merged(spans):
    """Spans of time, those that overlap as one."""
    joined = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([begin, end])
    return joined


def stalls_of(rows, bound):
    """By side, the spans in which the loader was late by more than the bound."""
    send = [(row.due, row.sent) for row in rows if row.own_lag is not None and row.own_lag > bound]
    receive = [(row.sent + row.response, row.sent + row.response + row.receive_lag)
               for row in rows if row.sent is not None and row.response is not None and (row.receive_lag or 0) > bound]
    return {"send": merged(send), "receive": merged(receive)}


def touched(rows, bound):
    return [row for row in rows if row.late > bound]


class Marked:
    """The percentiles that touched rows change; those near the limit of 5 % may be there or not."""

    def __init__(self, changed, possible):
        self.changed, self.possible = changed, possible

    def fault(self, found):
        given = {(one["figure"], one["percentile"]): one for one in found or []}
        missing = [key for key in self.changed if key not in given]
        wrong = [key for key in given if key not in self.possible]
        for key in given.keys() & self.possible.keys():
            value, untouched = self.possible[key]
            if value.fault(given[key]["value"]) or untouched.fault(given[key].get("untouched")):
                wrong.append((*key, given[key]))
        return f"missing {missing}, wrong {wrong}" if missing or wrong else None


def marked(figures, touched_rows):
    """Which percentiles of these figures (field of the summary: rows, value of a row) the touched rows change."""
    left_out = {row.number for row in touched_rows}
    changed, possible = [], {}
    for field, (rows, value_of) in figures.items():
        all_values = sorted(value for row in rows if (value := value_of(row)) is not None)
        untouched = sorted(value for row in rows
                           if row.number not in left_out and (value := value_of(row)) is not None)
        for name, quantile in QUANTILES.items():
            value, without = percentile(all_values, quantile), percentile(untouched, quantile)
            if value is None or len(all_values) == len(untouched):
                continue
            change = math.inf if without is None else abs(value - without) / value if value else 0.0
            slack = 2e-3 + 2 * ROUNDING / value if value else 0.0
            if change > CHANGE + slack:
                changed.append((field, name))
            if change > CHANGE - slack:
                possible[field, name] = (near(value), near(without))
    return Marked(changed, possible)


def stalls(run, figures):
    """The message Stalls."""
    measured = [row for row in run.rows if row.counted]
    sides = stalls_of(measured, run.lag_bound)
    lengths = [end - begin for spans in sides.values() for begin, end in spans]
    late = touched(measured, run.lag_bound)
    return {
        "count": Exactly(len(lengths)),
        "longestUs": Near(max(lengths, default=0), 0, ROUNDING),
        "totalUs": Near(sum(lengths), 0, ROUNDING * (len(lengths) + 1)),
        "listed": Listed(sides),
        "touched": Exactly(len(late)),
        "marked": marked(figures, late),
    }


class Listed:
    """The longest stalls, in order of time."""

    def __init__(self, sides):
        self.known = [(begin, end - begin, side) for side, spans in sides.items() for begin, end in spans]

    def fault(self, found):
        found = found or []
        if [one["startUnixUs"] for one in found] != sorted(one["startUnixUs"] for one in found):
            return "not in order of time"
        for one in found:
            if not any(side == one["side"] and abs(begin - one["startUnixUs"]) <= ROUNDING
                       and abs(length - one["durationUs"]) <= ROUNDING for begin, length, side in self.known):
                return f"{one} is no stall of the rows"
        least = min((one["durationUs"] for one in found), default=math.inf)
        left_out = len(self.known) - len(found)
        longer = sum(length > least + ROUNDING for _, length, _ in self.known)
        if self.known and not found:
            return f"none of {len(self.known)}"
        return None if longer <= len(found) else f"{left_out} left out, some of which are longer"
