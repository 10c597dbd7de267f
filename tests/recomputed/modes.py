"""What the modes set out to find, as far as rows tell."""

from .compare import Anything, Exactly
from .figures import distribution, near
from .run import duration_us

# How long the burst lasts, and how long after it its effect is measured.
BURST_US, AFTERMATH_US = 1e6, 1e6


def burst(run, rows):
    """The message BurstFindings: the hold before the burst in its middle, and the burst until a second after it."""
    spec = run.spec["burst"]
    steps, hold_us = int(spec.get("targetRps", 8)), duration_us(spec.get("hold"), 240e6)
    hold = run.summary["t0UnixUs"] + steps * duration_us(spec.get("stepDuration"), 60e6)
    begin = hold + (hold_us - BURST_US) / 2
    end = begin + BURST_US + AFTERMATH_US
    ok = [row for row in rows if row.ok]
    of = {function: [row for row in ok if row.function == function and not row.mark] for function in ("steady", "bursty")}
    victims = [row for row in ok if row.mark == "victim"]
    return {
        "steadyBeforeUs": distribution(row.response for row in of["steady"] if hold <= row.due < begin),
        "steadyDuringUs": distribution(row.response for row in of["steady"] if begin <= row.due < end),
        "burstyBeforeUs": distribution(row.response for row in of["bursty"] if hold <= row.due < begin),
        "burstUs": distribution(row.response for row in ok if row.mark == "burst"),
        "victimUs": near(victims[0].response if victims else None),
        "victimCold": Exactly(victims[0].cold if victims else None),
    }


def coldstart(run, rows):
    """The message ColdStartFindings; which function stood at zero, rows do not tell."""
    meant = sum(row.mark == "cold" for row in rows)
    found = run.summary["coldstart"]
    return {
        "requested": Exactly(found["achieved"] + found["shortfall"]),
        "achieved": Exactly(meant),
        "shortfall": Exactly(sum(found["shortfallBySlot"])),
        "shortfallBySlot": Anything(),
        "endedAtOverload": Anything(),
    }


def findings(run, rows):
    """The findings of the run's mode."""
    mode = run.summary["mode"]
    # Capacity depends on backlogs and on the searches' order of slots; the tests with known servers are for it.
    of = {"burst": burst, "coldstart": coldstart}.get(mode)
    expected = {name: Exactly(None) for name in ("rps", "burst", "coldstart")}
    if mode == "rps":
        expected["rps"] = Anything()
    elif of is not None:
        expected[mode] = of(run, rows)
    return expected
