"""What definitions look at, and what they answer."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

from services.customers.profile import DAY_S, State, Visit
from shared.events.customers import Forecast, Rfm
from shared.events.selection import Comparison

NEVER = 1 << 62
"""A time (seconds since 1970) that does not come."""
LOW, HIGH = -(1 << 62), 1 << 62
Range = tuple[int, int]
"""The lowest and the highest value that a comparison lets pass; ``LOW`` and ``HIGH``: no bound."""
Answer = tuple[bool, int]
"""Whether it is so, and until when (seconds since 1970; ``NEVER``: for ever)."""


@dataclass(slots=True)
class View:
    """A customer, prepared once for all definitions. ``visits`` did not come back; ``times`` are theirs, oldest first.

    ``rfm`` is so until ``rfm_until`` (seconds), if nothing is bought.
    """

    state: State
    forecast: Forecast | None = None
    rfm: Rfm | None = None
    rfm_until: int = NEVER
    visits: list[Visit] = field(init=False)
    times: list[int] = field(init=False)
    index: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.visits = [visit for visit in self.state.visits if not visit.returned]
        self.times = [visit.at for visit in self.visits]
        self.index = {name: n for n, name in enumerate(self.state.names)}

    def begin(self, days: int, now: int) -> int:
        """The position of the first visit within the last ``days`` days."""
        return bisect_right(self.times, now - days * DAY_S)

    def latest(self) -> int | None:
        """When the last purchase was (seconds); none: never."""
        return self.times[-1] if self.times else self.state.forgotten_at


Check = Callable[[View, int], Answer]
"""Answers for a customer at a time (whole seconds since 1970)."""


def passing(compare: Comparison | None) -> Range:
    """The values that a comparison lets pass; without one all."""
    if compare is None:
        return LOW, HIGH
    value = compare.value
    upper = value if compare.upper is None else compare.upper
    return {
        ">=": (value, HIGH),
        ">": (value + 1, HIGH),
        "=": (value, value),
        "<": (LOW, value - 1),
        "<=": (LOW, value),
        "between": (value, upper),
    }[compare.op]


def constant(compare: Comparison, value: Callable[[State], int]) -> Check:
    """Compares what time does not change."""
    low, high = passing(compare)

    def check(view: View, _: int) -> Answer:
        return low <= value(view.state) <= high, NEVER

    return check
