"""The volume of sales: what is counted of receipts by day, and what a rule about it says. Pure."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from services.customers.messages import Receipt, Returned
from services.customers.offers.policy import SalesRule

_ALL = 10_000  # basis points
_YEAR_DAYS = 364  # 52 weeks
KEPT_DAYS = _YEAR_DAYS + 2 * 90
"""As long as a rule can look back, and some more."""
Kind = Literal["chain", "region", "store", "group"]


class Place(NamedTuple):
    """What sales are counted of: the chain (no id), a region, a store, a product group."""

    kind: Kind
    id: str = ""


class Cell(NamedTuple):
    """A day of a place, in one currency. The day is the store's."""

    day: date
    kind: Kind
    id: str
    currency: str


class Sold(NamedTuple):
    """Purchases, and what was paid for them (minor units)."""

    purchases: int = 0
    paid: int = 0


def fold(facts: Iterable[object]) -> dict[Cell, Sold]:
    """What receipts and returns add to which cells.

    A return counts where and on the day of its sale, but not in groups: it does not say of which the goods were.
    """
    sums: dict[Cell, Sold] = {}
    for fact in facts:
        for cell, sold in _cells(fact):
            known = sums.get(cell, _NOTHING)
            sums[cell] = Sold(known.purchases + sold.purchases, known.paid + sold.paid)
    return sums


_NOTHING = Sold()


def _cells(fact: object) -> Iterator[tuple[Cell, Sold]]:
    if isinstance(fact, Receipt):
        day = _day(fact.occurred_at, fact.utc_offset_minutes)
        sold = Sold(1, fact.paid)
        yield Cell(day, "chain", "", fact.currency), sold
        yield Cell(day, "region", fact.region, fact.currency), sold
        yield Cell(day, "store", fact.store_id, fact.currency), sold
        groups: dict[str, int] = {}
        for line in fact.lines:
            if line.group:
                groups[line.group] = groups.get(line.group, 0) + line.amount - line.discount
        for group, paid in groups.items():
            yield Cell(day, "group", group, fact.currency), Sold(1, paid)
    elif isinstance(fact, Returned):
        day = _day(fact.sold_at, None)
        back = Sold(-1 if fact.complete else 0, -fact.refund)
        yield Cell(day, "chain", "", fact.currency), back
        if fact.sold_in is not None and fact.region is not None:
            yield Cell(day, "region", fact.region, fact.currency), back
            yield Cell(day, "store", fact.sold_in, fact.currency), back


def _day(at: datetime, offset_minutes: int | None) -> date:
    if offset_minutes is None:
        return at.date()
    return (at + timedelta(minutes=offset_minutes) - (at.utcoffset() or timedelta())).date()


class Asked(NamedTuple):
    """Sales of a place in two spans of days, first days included, last ones not."""

    place: Place
    measure: Literal["purchases", "paid"]
    recent: tuple[date, date]
    base: tuple[date, date]


def asked(
    rule: SalesRule, today: date, *, store_id: str | None, region: str | None
) -> Asked | None:
    """What a rule has to know on a day, for a customer of this store; None if it needs one and there is none.

    ``today`` itself is not over and does not count.
    """
    place_id: str | None = rule.id
    if place_id is None:
        place_id = {"chain": "", "region": region, "store": store_id, "group": None}[rule.of]
    if place_id is None:
        return None
    starts = today - timedelta(days=rule.days)
    back = timedelta(days=rule.days if rule.against == "days_before" else _YEAR_DAYS)
    base = (starts - back, today - back)
    return Asked(Place(rule.of, place_id), rule.measure, (starts, today), base)


def share(recent: int, base: int) -> int | None:
    """What the recent sales are of the others, in basis points, half up; None if those were nothing."""
    if base <= 0:
        return None
    return (2 * max(recent, 0) * _ALL + base) // (2 * base)


def holds(rule: SalesRule, found: int) -> bool:
    """Whether the share (basis points) is as the rule says."""
    return (rule.at_least is None or rule.at_least <= found) and (
        rule.below is None or found < rule.below
    )
