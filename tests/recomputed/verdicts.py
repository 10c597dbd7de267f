"""Whose fault it is: slots, stalls, and the percentiles that stalls show in."""

import math
from collections import defaultdict

from .compare import Anything, Between, Exactly, Near, OneOf, said
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


def by_worker(rows):
    """The rows of each worker; nothing for a run without workers."""
    of = defaultdict(list)
    for row in rows:
        if row.worker is not None:
            of[row.worker].append(row)
    return of


def saturated_workers(rows, end, bound):
    """The workers that were the bottleneck of a slot, each judged by what came due of its share."""
    return {worker for worker, of in by_worker(rows).items() if is_saturated(of, len(of), end, True, bound)}


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
                r, int(s["planned"]), e, c, at) or bool(saturated_workers(r, e, at)), bound),
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
            "slots": SlotList(certain, possible), "workersNeeded": WorkersNeeded(run, expected_slots, certain, possible)}


class WorkersNeeded:
    """How many workers would do, which only some slots tell: those whose sends are spread evenly over their time."""

    def __init__(self, run, expected_slots, certain, possible):
        slots_of = {slot["slot"].value: slot for slot in expected_slots}
        known = {number: workers_needed(run, slots_of[number]) for number in possible}
        self.certain = max((known[number] or 0 for number in certain), default=0)
        self.possible = max((known[number] or 0 for number in possible), default=0)

    def fault(self, found):
        # What was sent at the edge of a part may count in the next one here.
        fits = self.certain - 1 <= (found or 0) <= self.possible + (self.possible > 0)
        return None if fits else f"{said(found)}, expected {self.certain} to {self.possible}"


def workers_needed(run, slot):
    """Asked for over what was sent, with three tenths to spare; nothing where the slot does not say what could be sent."""
    rows = [row for row in run.rows if row.slot == slot["slot"].value]
    counted = [row for row in rows if row.mark != "step_warmup"]
    start, length, planned = (slot[name].value for name in ("startUnixUs", "durationUs", "planned"))
    in_time = sum(row.due + row.own_lag <= start + length + run.lag_bound if row.own_lag is not None
                  else row.status != "not_sent" or row.waited > 0 or row.over_memory for row in counted)
    held = any(row.over_memory or row.over_limit for row in rows)
    is_short = in_time < SENT * planned
    if held or length == 0 or by_worker(rows) or not is_short or not is_open_loop(counted, run.lag_bound) or len(counted) < planned:
        return None
    parts = [0] * 10
    for row in rows:
        part = (row.sent - start) * 10 // length if row.sent is not None else 10
        if part < 10:
            parts[part] += 1
    middle = parts[1:-1]
    can, asked = sum(middle) / 8 * 10, len(rows)
    is_even = max(middle) > 0 and min(middle) >= 0.8 * max(middle)
    return math.ceil(asked / (0.7 * can)) if is_even and can < asked else None


def open_loop(run, expected_slots):
    certain, possible = verdict(run, expected_slots, "openLoop", False)
    # The peer's limit is known from its settings, which no row has; so is what would do, which follows from it.
    return {"violated": OneOf(*{bool(certain), bool(possible)}), "reason": Anything(),
            "slots": SlotList(certain, possible), "streamLimit": Anything(), "connectionsNeeded": Anything()}


def merged(spans, slack):
    """Spans of time; those no further apart than the slack are one. Below zero, it is by how much they must overlap."""
    joined = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1] + slack:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([begin, end])
    return joined


def stalls_of(rows, bound, slack):
    """By worker and side, the spans in which it was late by more than the bound, joined with that slack."""
    return {(worker, side): spans for worker, of in {None: [row for row in rows if row.worker is None], **by_worker(rows)}.items()
            for side, spans in stalls_of_one(of, bound, slack).items()}


def stalls_of_one(rows, bound, slack):
    """By side, the spans of one worker, or of a loader without workers."""
    send = [(row.due, row.sent) for row in rows if row.own_lag is not None and row.own_lag > bound]
    receive = [(row.sent + row.response, row.sent + row.response + row.receive_lag)
               for row in rows if row.sent is not None and row.response is not None and (row.receive_lag or 0) > bound]
    return {"send": merged(send, slack), "receive": merged(receive, slack)}


class Touched:
    """The rows that the loader was late for. Within the rounding of its columns a row at the bound may be one or not."""

    def __init__(self, rows, bound):
        self.certain = [row for row in rows if row.late > bound + ROUNDING]
        self.possible = [row for row in rows if row.late > bound - ROUNDING]

    def either_way(self):
        """The sets of numbers of rows that may have been left out, at their least and at their most."""
        return [{row.number for row in rows} for rows in (self.certain, self.possible)]


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


class NearAny:
    """Near one of these, or between them."""

    def __init__(self, values):
        self.values = values

    def fault(self, found):
        if any(near(value).fault(found) is None for value in self.values):
            return None
        known = [value for value in self.values if value is not None]
        between = found is not None and known and min(known) <= found <= max(known)
        return None if between else f"{said(found)}, expected one of {self.values}"


def marked(figures, touched):
    """Which percentiles of these figures (field of the summary: rows, value of a row) the touched rows change."""
    changed, possible = [], {}
    for field, (rows, value_of) in figures.items():
        all_values = sorted(value for row in rows if (value := value_of(row)) is not None)
        without_them = [sorted(value for row in rows
                               if row.number not in left_out and (value := value_of(row)) is not None)
                        for left_out in touched.either_way()]
        for name, quantile in QUANTILES.items():
            value, rest = percentile(all_values, quantile), [percentile(some, quantile) for some in without_them]
            if value is None or len(all_values) == len(without_them[-1]):
                continue
            changes = [math.inf if one is None else abs(value - one) / value if value else 0.0 for one in rest]
            slack = 2e-3 + 2 * ROUNDING / value if value else 0.0
            if min(changes) > CHANGE + slack:
                changed.append((field, name))
            if max(changes) > CHANGE - slack:
                possible[field, name] = (near(value), NearAny(rest))
    return Marked(changed, possible)


def lengths_of(sides):
    return [end - begin for spans in sides.values() for begin, end in spans]


def tally(rows, lag_bound):
    """How many stalls these rows show, the longest, and their length in all: what each may be."""
    fewest, most = (stalls_of(rows, lag_bound - slack, slack) for slack in (-ROUNDING, ROUNDING))
    certain, possible = lengths_of(fewest), lengths_of(most)
    # A row at the bound may be a stall of its own, a part of another, or join two.
    at_bound = sum(abs(lag - lag_bound) <= ROUNDING for row in rows for lag in (row.own_lag, row.receive_lag)
                   if lag is not None)
    rounding = ROUNDING * (len(certain) + len(possible) + at_bound + 1)
    return (Between(min(len(certain), len(possible)) - at_bound, max(len(certain), len(possible)) + at_bound),
            Between(max(certain, default=0) - ROUNDING, max(possible, default=0) + ROUNDING),
            Between(sum(certain) - rounding, sum(possible) + rounding))


def stalls(run, figures):
    """The message Stalls."""
    measured = [row for row in run.rows if row.counted]
    fewest, most = (stalls_of(measured, run.lag_bound - slack, slack) for slack in (-ROUNDING, ROUNDING))
    touched = Touched(measured, run.lag_bound)
    count, longest, total = tally(measured, run.lag_bound)
    return {
        "count": count,
        "longestUs": longest,
        "totalUs": total,
        "listed": Listed(fewest, most),
        "touched": Between(len(touched.certain), len(touched.possible)),
        "marked": marked(figures, touched),
    }


def around(span, other):
    """Whether a span has all of another one."""
    return span[0] <= other[0] + ROUNDING and other[1] <= span[1] + ROUNDING


class Listed:
    """The longest stalls, in order of time. The rows show at least the first spans, at most the others."""

    def __init__(self, fewest, most):
        self.fewest, self.most = fewest, most

    def is_known(self, one):
        span = (one["startUnixUs"], one["startUnixUs"] + one["durationUs"])
        key = (one.get("worker"), one["side"])
        touching = [known for known in self.fewest.get(key, [])
                    if known[0] + ROUNDING < span[1] and span[0] + ROUNDING < known[1]]
        within = any(around(known, span) for known in self.most.get(key, []))
        return within and all(around(span, known) for known in touching)

    def fault(self, found):
        found = found or []
        if [one["startUnixUs"] for one in found] != sorted(one["startUnixUs"] for one in found):
            return "not in order of time"
        for one in found:
            if not self.is_known(one):
                return f"{one} is no stall of the rows"
        certain, possible = lengths_of(self.fewest), lengths_of(self.most)
        # One that the daemon joined may be several here.
        apart = max(len(certain) - len(possible), 0)
        least = min((one["durationUs"] for one in found), default=math.inf)
        longer = sum(length > least + ROUNDING for length in certain)
        if certain and not found:
            return f"none of {len(certain)}"
        return None if longer <= len(found) + apart else f"{len(certain) - len(found)} left out, some of which are longer"
