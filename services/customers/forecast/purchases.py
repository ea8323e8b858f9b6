"""Histories from profiles: days are 24 hours, counted back from now, so that the last one is as full as all others."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from services.customers.forecast.history import History, Purchase, gather
from services.customers.profile import DAY_S, KEPT_DAYS, State

Scale = Mapping[str, float]
"""What is paid for a mean receipt in each currency: sums of several can be compared by it."""


def scale_of(states: Iterable[State]) -> dict[str, float]:
    """What a mean receipt comes to, by currency."""
    sums: dict[str, list[int]] = {}
    for state in states:
        for visit in state.live():
            counted = sums.setdefault(state.names[visit.currency], [0, 0])
            counted[0] += 1
            counted[1] += visit.paid
    return {currency: paid / number for currency, (number, paid) in sums.items() if paid > 0}


def days_known(states: Iterable[State], now: int) -> int:
    """Since how many days there have been purchases: ``KEPT_DAYS`` at most, 0 without any."""
    firsts = (next((visit.at for visit in state.live() if visit.at < now), now) for state in states)
    first = min(firsts, default=now)
    return min(KEPT_DAYS, -(-(now - first) // DAY_S))


def history(states: Sequence[State], now: int, days: int, scale: Scale) -> History:
    """The last ``days`` days of the customers, one row each; paid in mean receipts."""
    return gather(days, len(states), _purchases(states, now, days, scale))


def _purchases(states: Sequence[State], now: int, days: int, scale: Scale) -> Iterator[Purchase]:
    start = now - days * DAY_S
    for row, state in enumerate(states):
        factors = [1 / scale[name] if name in scale else 0.0 for name in state.names]
        for visit in state.live():
            yield row, (visit.at - start) // DAY_S, visit.paid * factors[visit.currency]
