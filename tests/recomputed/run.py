"""What a run left in its directory."""

import csv
import gzip
import json
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

UNITS_US = {"ns": 1e-3, "us": 1.0, "µs": 1.0, "ms": 1e3, "s": 1e6, "m": 6e7, "h": 3.6e9, "d": 8.64e10}

# Kinds of functions that run for as long as they are asked to; "trace" where the spec names none.
TIMED_KINDS = {"", "trace", "timed"}


def duration_us(text, default):
    """A duration of a spec, such as `1m30s`, in microseconds."""
    if text is None:
        return default
    parts = re.findall(r"([0-9.]+)\s*([a-zµ]+)", str(text))
    return sum(float(number) * UNITS_US[unit] for number, unit in parts)


@dataclass(frozen=True)
class Row:
    """A row of invocations.csv; times in microseconds, None where unknown."""

    function: str
    phase: str
    slot: int
    mark: str
    due: int
    lag: int | None
    connect: int | None
    stream_wait: int | None
    receive_lag: int | None
    response: int | None
    requested: int
    actual: int | None
    status: str
    cold: bool | None
    memory_kib: int
    error: str
    instances: int | None
    instances_desired: int | None
    worker: int | None
    number: int

    @property
    def ok(self):
        return self.status == "ok"

    @property
    def over_memory(self):
        """Whether the run's own bound of the memory in flight held it back."""
        return self.status == "not_sent" and self.error.endswith("(maxMemoryInFlight)")

    @property
    def over_limit(self):
        """Whether the run's own bound of the invocations in flight held it back."""
        return self.status == "not_sent" and self.error.endswith("(maxInFlight)")

    @property
    def sent(self):
        return None if self.lag is None else self.due + self.lag

    @property
    def waited(self):
        return (self.connect or 0) + (self.stream_wait or 0)

    @property
    def own_lag(self):
        return None if self.lag is None else max(self.lag - self.waited, 0)

    @property
    def from_due(self):
        return None if self.response is None or self.lag is None else self.lag + self.response

    @property
    def scheduling_latency(self):
        if self.response is None or self.actual is None or self.actual > self.response:
            return None
        return self.response - self.actual

    @property
    def slowdown(self):
        return self.response / self.requested if self.response is not None and self.requested > 0 else None

    @property
    def late(self):
        """What the loader itself added to it, before the send and behind the answer."""
        return (self.own_lag or 0) + (self.receive_lag or 0)

    @property
    def counted(self):
        """Whether it is of the measured phase, and not of a step's warm-up."""
        return self.phase == "measure" and self.mark != "step_warmup"


@dataclass(frozen=True)
class Run:
    """A run directory, read."""

    summary: dict
    spec: dict
    rows: list
    slots: list
    functions: list
    scales: list
    events: list

    @property
    def lag_bound(self):
        return duration_us(self.spec.get("saturation", {}).get("lag"), 10e3)

    @property
    def objective(self):
        """Responses up to this count for goodput; None: all that succeeded."""
        return duration_us(self.spec.get("slo", {}).get("response"), None)

    @property
    def is_timed(self):
        return self.spec.get("function", {}).get("kind", "") in TIMED_KINDS


def table(directory, name):
    """The rows of a table, packed or not."""
    packed = directory / f"{name}.gz"
    opened = gzip.open(packed, "rt", newline="") if packed.exists() else open(directory / name, newline="")
    with opened as lines:
        return list(csv.DictReader(lines))


def whole(text):
    return int(text) if text else None


def row(number, fields):
    return Row(
        function=fields["function"],
        phase=fields["phase"],
        slot=int(fields["slot"]),
        mark=fields["mark"],
        due=int(fields["due_unix_us"]),
        lag=whole(fields["dispatch_lag_us"]),
        connect=whole(fields["connect_us"]),
        stream_wait=whole(fields["stream_wait_us"]),
        receive_lag=whole(fields["receive_lag_us"]),
        response=whole(fields["response_us"]),
        requested=int(fields["requested_runtime_us"]),
        actual=whole(fields["actual_runtime_us"]),
        status=fields["status"],
        cold={"": None, "true": True, "false": False}[fields["cold_start"]],
        memory_kib=int(fields["requested_memory_kib"]),
        error=fields["error"],
        instances=whole(fields.get("instances")),
        instances_desired=whole(fields.get("instances_desired")),
        worker=whole(fields.get("worker")),
        number=number,
    )


def read(path):
    directory = Path(path)
    return Run(
        summary=json.loads((directory / "summary.json").read_text()),
        spec=yaml.safe_load((directory / "spec.yaml").read_text()) or {},
        rows=[row(number, fields) for number, fields in enumerate(table(directory, "invocations.csv"))],
        slots=table(directory, "slots.csv"),
        functions=table(directory, "functions.csv"),
        scales=table(directory, "scales.csv"),
        events=table(directory, "events.csv") if (directory / "events.csv").exists() else [],
    )
