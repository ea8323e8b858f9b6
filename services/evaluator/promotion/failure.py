"""Why an instrument gives nothing: a reason, and the gap where more of something would do."""

import msgspec

from shared.events.outcome import Reason, Unit
from shared.events.selection import Comparison

MILLION = 1_000_000


class Failure(msgspec.Struct, frozen=True, gc=False):
    """Why an instrument gives nothing, and the gap.

    ``condition`` is what failed: a code condition's id, others' kind, a limit's name. ``missing`` is
    how much more of ``unit`` would do; None where more would not help. ``share``: millionths of what
    is needed that are missing. ``near``: nothing else is missing. ``outranked_by`` is the (campaign,
    instrument) that was preferred. ``left`` is what is left of the limit that refused.
    """

    reason: Reason
    condition: str | None = None
    missing: int | None = None
    unit: Unit | None = None
    share: int = 0
    near: bool = False
    outranked_by: tuple[str, str] | None = None
    left: int | None = None


def gap(condition: str, missing: int, needed: int, unit: Unit) -> Failure:
    """So much more is needed, of so much in all (both above zero)."""
    share = missing * MILLION // needed
    return Failure("condition_not_met", condition, missing, unit, share, True)


def holds(actual: int, compare: Comparison) -> bool:
    """Whether the comparison holds for what is there."""
    match compare.op:
        case ">=":
            return actual >= compare.value
        case ">":
            return actual > compare.value
        case "=":
            return actual == compare.value
        case "<":
            return actual < compare.value
        case "<=":
            return actual <= compare.value
        case "between":
            return compare.value <= actual <= (compare.upper or 0)


class Bar(msgspec.Struct, frozen=True):
    """A compiled comparison: ``least`` ≤ actual ≤ ``most`` (None: no upper end)."""

    name: str
    unit: Unit
    least: int
    most: int | None

    def failure(self, actual: int) -> Failure | None:
        """None if it holds; a gap if more would do."""
        if actual < self.least:
            return gap(self.name, self.least - actual, self.least, self.unit)
        if self.most is not None and actual > self.most:
            return Failure("condition_not_met", self.name)
        return None


def bar(compare: Comparison, name: str, unit: Unit) -> Bar:
    """Compile a comparison of whole numbers."""
    match compare.op:
        case ">=":
            return Bar(name, unit, compare.value, None)
        case ">":
            return Bar(name, unit, compare.value + 1, None)
        case "=":
            return Bar(name, unit, compare.value, compare.value)
        case "<":
            return Bar(name, unit, 0, compare.value - 1)
        case "<=":
            return Bar(name, unit, 0, compare.value)
        case "between":
            return Bar(name, unit, compare.value, compare.upper)
