"""Which segments a customer is in: every definition at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.customers.profile import State
from services.customers.segments.check import NEVER, Check, View
from services.customers.segments.definition import Definition
from services.customers.segments.evaluation import compiled
from services.customers.segments.rfm import Fifths, scored
from shared.events.customers import Forecast, Rfm


@dataclass(frozen=True)
class Assessment:
    """The segments of a customer, and until when (seconds since 1970) they are so if nothing happens."""

    segments: frozenset[str]
    rfm: Rfm | None
    until: int


@dataclass(frozen=True)
class Rules:
    """What customers are assessed by: definitions by segment, and the fifths of all customers."""

    definitions: Mapping[str, Definition] = field(default_factory=dict)
    fifths: Fifths | None = None
    _checks: Sequence[tuple[str, Check]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Compile the definitions."""
        checks = [(one, compiled(definition)) for one, definition in self.definitions.items()]
        object.__setattr__(self, "_checks", checks)

    def view(self, state: State, forecast: Forecast | None, now: int) -> View:
        """A customer as definitions see them at a time (seconds since 1970)."""
        view = View(state, forecast)
        view.rfm, view.rfm_until = scored(view, self.fifths, now)
        return view

    def assess(self, state: State, forecast: Forecast | None, now: int) -> Assessment:
        """Which segments the customer is in."""
        view = self.view(state, forecast, now)
        found = []
        soonest = view.rfm_until  # the profile says the fifths, too
        for segment_id, check in self._checks:
            member, until = check(view, now)
            if member:
                found.append(segment_id)
            soonest = min(soonest, until)
        return Assessment(frozenset(found), view.rfm, soonest)


NOBODY = Assessment(frozenset(), None, NEVER)
"""Of a customer of whom nothing is known."""
