"""When a customer buys: week by week, and by hour and weekday, of the visits that are kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from services.customers.profile import DAY_S, State, Visit

_HOURS, _WEEKDAYS = 24, 7
_MOST_WEEKS = 60
_EPOCH = date(1970, 1, 1)
_FIRST_MONDAY = 4  # days from 1 January 1970, a Thursday, to the first Monday


@dataclass(frozen=True)
class Week:
    """A week from Monday, by the stores' clocks: purchases, those with a promotion, and what was paid in the main currency."""

    monday: date
    purchases: int
    promo_purchases: int
    paid: int


def main_currency(state: State) -> str | None:
    """The currency of most purchases; of two, the first by name."""
    ranked = sorted(state.spent.items(), key=lambda one: (-one[1].purchases, one[0]))
    return ranked[0][0] if ranked else None


def weeks(state: State, now_s: int) -> list[Week]:
    """Every week from that of the first visit that is kept up to now (seconds since 1970), ``_MOST_WEEKS`` at most."""
    visits = list(state.live())
    if not visits:
        return []
    currency = main_currency(state)
    sums: dict[int, list[int]] = {}
    for visit in visits:
        counted = sums.setdefault(_week(_local_day(visit)), [0, 0, 0])
        counted[0] += 1
        counted[1] += visit.promo
        counted[2] += visit.paid if state.names[visit.currency] == currency else 0
    last = max(_week(now_s // DAY_S), *sums)
    first = max(min(sums), last - _MOST_WEEKS + 1)
    return [
        Week(_EPOCH + timedelta(days=_FIRST_MONDAY + n * _WEEKDAYS), *sums.get(n, (0, 0, 0)))
        for n in range(first, last + 1)
    ]


def heat(visits: Iterable[Visit]) -> list[list[int]]:
    """How many purchases were made on each weekday (from Monday) in each hour, by the stores' clocks."""
    found = [[0] * _HOURS for _ in range(_WEEKDAYS)]
    for visit in visits:
        local = visit.at + visit.offset_minutes * 60
        found[(local // DAY_S - _FIRST_MONDAY) % _WEEKDAYS][local % DAY_S // 3600] += 1
    return found


def _local_day(visit: Visit) -> int:
    return (visit.at + visit.offset_minutes * 60) // DAY_S


def _week(day: int) -> int:
    return (day - _FIRST_MONDAY) // _WEEKDAYS
