"""What the modes set out to find, as far as rows tell."""

from .compare import Anything, Exactly, OneOf
from .figures import distribution, near
from .run import duration_us

# How long after the burst's last invocation its effect is measured.
AFTERMATH_US = 1e6


def burst(run, rows):
    """The message BurstFindings: the hold before the burst, and the burst until a second after its last invocation."""
    ok = [row for row in rows if row.ok]
    hold = min((int(slot["start_unix_us"]) for slot in run.slots if float(slot["rps"]) >= target_rate(run)), default=0)
    of_burst = [row.due for row in rows if row.mark == "burst"]
    begin, end = min(of_burst, default=0), max(of_burst, default=0) + AFTERMATH_US
    before = [row for row in ok if hold <= row.due < begin and not row.mark]
    # Which row is the first behind the end depends on the burst's length, which is in the plan alone.
    victims = [row for row in rows if row.mark == "victim"]
    succeeded = [row for row in victims if row.ok]
    return {
        "steadyBeforeUs": distribution(row.response for row in before if row.function == "steady"),
        "steadyDuringUs": distribution(row.response for row in ok
                                       if begin <= row.due < end and row.function == "steady" and not row.mark),
        "burstyBeforeUs": distribution(row.response for row in before if row.function == "bursty"),
        "burstUs": distribution(row.response for row in ok if row.mark == "burst"),
        "victimUs": near(succeeded[0].response if succeeded else None),
        "victimCold": OneOf(bool(succeeded[0].cold), succeeded[0].cold) if succeeded else OneOf(None, False),
    }


def target_rate(run):
    return float(run.spec["burst"]["targetRps"])


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
