"""Recency, frequency and monetary value: each in fifths of all customers, and the class of the three.

After J. R. Bult and T. Wansbeek, "Optimal Selection for Direct Mail" (Marketing Science 14, 1995), and A. M. Hughes,
"Strategic Database Marketing" (1994), whose fifths these are. Frequency and monetary value are of the last
``WINDOW_DAYS``; who has bought nothing since is in no class. Equal values get equal fifths, so that a fifth may be empty.
"""

import json
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from services.customers.profile import DAY_S, Visit
from services.customers.segments.check import NEVER, View
from services.customers.segments.definition import RfmClass
from shared.events.customers import Rfm

WINDOW_DAYS = 365
FEWEST = 100
"""Customers: fifths of fewer would say little."""
_FIFTHS = 5
_BEST = 5

# By recency (rows, 5 is the latest) and the mean of frequency and monetary value, rounded half up (columns 1–5). The
# two axes are those of Putler's "RFM analysis"; the ten fields that don't overlap are the common ones of its 5 × 5 grid.
_CLASSES: Mapping[int, Sequence[RfmClass]] = {
    5: ("new", "potential-loyalists", "potential-loyalists", "champions", "champions"),
    4: ("promising", "potential-loyalists", "potential-loyalists", "loyal", "loyal"),
    3: ("about-to-sleep", "about-to-sleep", "needs-attention", "loyal", "loyal"),
    2: ("hibernating", "hibernating", "at-risk", "at-risk", "cannot-lose"),
    1: ("hibernating", "hibernating", "at-risk", "at-risk", "cannot-lose"),
}


def rfm_class(recency: int, frequency: int, monetary: int) -> RfmClass:
    """The class of three fifths (1–5)."""
    return _CLASSES[recency][(frequency + monetary + 1) // 2 - 1]


@dataclass(frozen=True, slots=True)
class Figures:
    """A customer's own: whole days since the last purchase, how many there were, and what was paid in a currency."""

    days: int
    purchases: int
    currency: str
    paid: int


def figures(view: View, now: int) -> Figures | None:
    """The figures at a time (seconds), of the currency of most purchases; none without a purchase in the window."""
    visits = view.visits[view.begin(WINDOW_DAYS, now) :]
    if not visits:
        return None
    currency = _main_currency(visits, view.state.names)
    paid = sum(visit.paid for visit in visits if visit.currency == currency)
    days = max(0, (now - visits[-1].at) // DAY_S)
    return Figures(days, len(visits), view.state.names[currency], paid)


def _main_currency(visits: Sequence[Visit], names: Sequence[str]) -> int:
    counts = Counter(visit.currency for visit in visits)
    return min(counts, key=lambda one: (-counts[one], names[one]))


@dataclass(frozen=True)
class Fifths:
    """Where one fifth ends and the next begins: the highest value of each but the last, from the lowest.

    ``days`` since the last purchase, ``purchases``, and what was paid by currency (minor units).
    """

    days: Sequence[int]
    purchases: Sequence[int]
    paid: Mapping[str, Sequence[int]]

    @classmethod
    def stored(cls, days: Sequence[int], purchases: Sequence[int], paid: str) -> "Fifths":
        """Fifths as they are kept; ``paid`` is ``stored_paid``."""
        by_currency = {currency: tuple(ends) for currency, ends in json.loads(paid).items()}
        return cls(tuple(days), tuple(purchases), by_currency)

    @property
    def stored_paid(self) -> str:
        """What was paid, by currency, as it is kept."""
        return json.dumps({currency: list(ends) for currency, ends in self.paid.items()})


@dataclass
class Population:
    """All customers' figures: three numbers of each."""

    days: "array[int]" = field(default_factory=lambda: array("q"))
    purchases: "array[int]" = field(default_factory=lambda: array("q"))
    paid: dict[str, "array[int]"] = field(default_factory=dict)

    def add(self, one: Figures) -> None:
        """Count a customer."""
        self.days.append(one.days)
        self.purchases.append(one.purchases)
        self.paid.setdefault(one.currency, array("q")).append(one.paid)

    def fifths(self) -> Fifths | None:
        """Where their fifths end; none if they are fewer than ``FEWEST``."""
        if len(self.days) < FEWEST:
            return None
        return Fifths(
            _ends(self.days),
            _ends(self.purchases),
            {currency: _ends(paid) for currency, paid in sorted(self.paid.items())},
        )


def _ends(values: "array[int]") -> tuple[int, ...]:
    ordered = sorted(values)
    return tuple(ordered[ceil(n * len(ordered) / _FIFTHS) - 1] for n in range(1, _FIFTHS))


def scored(view: View, fifths: Fifths | None, now: int) -> tuple[Rfm | None, int]:
    """The customer's fifths and class at a time, and until when (seconds) they hold if nothing is bought."""
    found = figures(view, now)
    if fifths is None or found is None or found.currency not in fifths.paid:
        return None, _next_leaving(view, now) if fifths and found else NEVER
    recency = _BEST - bisect_left(fifths.days, found.days)
    frequency = 1 + bisect_left(fifths.purchases, found.purchases)
    monetary = 1 + bisect_left(fifths.paid[found.currency], found.paid)
    rfm = Rfm(
        recency=recency,
        frequency=frequency,
        monetary=monetary,
        rfm_class=rfm_class(recency, frequency, monetary),
    )
    return rfm, min(_older(view, fifths, recency), _fewer(view, fifths, rfm, now))


def _older(view: View, fifths: Fifths, recency: int) -> int:
    """When the last purchase is in an older fifth."""
    if recency == 1:
        return NEVER
    return view.times[-1] + (fifths.days[_BEST - recency] + 1) * DAY_S


def _fewer(view: View, fifths: Fifths, rfm: Rfm, now: int) -> int:
    """When purchases that leave the window take frequency or monetary value to a lower fifth, at the earliest."""
    visits = view.visits[view.begin(WINDOW_DAYS, now) :]
    currency = visits[0].currency
    if any(visit.currency != currency for visit in visits):  # the main one may become another
        return visits[0].at + WINDOW_DAYS * DAY_S
    name = view.state.names[currency]
    fewest = fifths.purchases[rfm.frequency - 2] if rfm.frequency > 1 else 0
    least = fifths.paid[name][rfm.monetary - 2] if rfm.monetary > 1 else None
    count, paid = len(visits), sum(visit.paid for visit in visits)
    for visit in visits:
        count -= 1
        paid -= visit.paid
        if count <= fewest or (least is not None and paid <= least):
            return visit.at + WINDOW_DAYS * DAY_S
    return NEVER


def _next_leaving(view: View, now: int) -> int:
    return view.times[view.begin(WINDOW_DAYS, now)] + WINDOW_DAYS * DAY_S
