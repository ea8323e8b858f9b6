"""What all customers together come to: where their fifths end, and which groups many of them buy."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.customers.profile import State
from services.customers.segments.check import View
from services.customers.segments.rfm import Population, figures

REGULAR_RECEIPTS, REGULAR_DAYS = 3, 90
"""Who has a group on so many receipts of the last days is a regular buyer of it."""


@dataclass
class Survey:
    """Counts customers, one after another; it keeps a few numbers of each, and nothing else."""

    population: Population = field(default_factory=Population)
    buyers: Counter[str] = field(default_factory=Counter)

    def add(self, states: Iterable[State], now: int) -> None:
        """Count customers at a time (seconds since 1970)."""
        for state in states:
            view = View(state)
            found = figures(view, now)
            if found is not None:
                self.population.add(found)
                self.buyers.update(_regular(view, now))

    def favourites(self, most: int) -> list[str]:
        """The groups that most customers buy regularly."""
        ranked = sorted(self.buyers.items(), key=lambda one: (-one[1], one[0]))
        return [group for group, _ in ranked[:most]]


def _regular(view: View, now: int) -> list[str]:
    """The groups that the customer buys regularly."""
    receipts: Counter[int] = Counter()
    for visit in view.visits[view.begin(REGULAR_DAYS, now) :]:
        receipts.update(bought.group for bought in visit.goods if bought.quantity > 0)
    names = view.state.names
    return [
        names[group]
        for group, count in receipts.items()
        if count >= REGULAR_RECEIPTS and names[group]
    ]
