"""Comparing what was computed with what the summary says. Every field of the summary must be expected."""


class Exactly:
    """This value."""

    def __init__(self, value):
        self.value = value

    def fault(self, found):
        return None if found == self.value else f"{found}, expected {self.value}"


class Near:
    """This number, within a share of it or an amount; None: it must be absent."""

    def __init__(self, value, share=0.0, amount=0.0):
        self.value, self.share, self.amount = value, share, amount

    def fault(self, found):
        if self.value is None or found is None:
            return None if found is self.value else f"{said(found)}, expected {said(self.value)}"
        bound = self.amount + self.share * abs(self.value)
        return None if abs(found - self.value) <= bound + 1e-9 else f"{found}, expected {self.value} ± {bound:g}"


class OneOf:
    """Any of these; where a value lies at a bound, rows and summary round it differently."""

    def __init__(self, *allowed):
        self.allowed = allowed

    def fault(self, found):
        return None if found in self.allowed else f"{said(found)}, expected one of {self.allowed}"


class Between:
    """A number from one to another."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    def fault(self, found):
        if found is not None and self.low <= found <= self.high:
            return None
        return f"{said(found)}, expected {self.low} to {self.high}"


class Anything:
    """What rows can't tell: texts, and what the platform reports."""

    def fault(self, _found):
        return None


def said(value):
    return "absent" if value is None else value


def differences(expected, found, path=""):
    """A line for each difference."""
    if isinstance(expected, dict):
        if found is None:
            return [f"{path}: absent"]
        lines = []
        for key in expected.keys() | found.keys():
            inner = f"{path}.{key}" if path else key
            if key not in expected:
                lines.append(f"{inner}: {found[key]}, which is not recomputed")
            else:
                lines += differences(expected[key], found.get(key), inner)
        return sorted(lines)
    if isinstance(expected, list):
        if found is None or len(found) != len(expected):
            return [f"{path}: {len(found or [])} entries, expected {len(expected)}"]
        pairs = enumerate(zip(expected, found))
        return [line for index, (one, other) in pairs for line in differences(one, other, f"{path}[{index}]")]
    fault = expected.fault(found)
    return [] if fault is None else [f"{path}: {fault}"]
