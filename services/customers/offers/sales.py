"""The volume of sales: what is counted of receipts by day, and what a rule about it says. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from services.customers import store_clock
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


_NO_ZONES: Mapping[str, ZoneInfo] = {}


def fold(facts: Iterable[object], zones: Mapping[str, ZoneInfo] = _NO_ZONES) -> dict[Cell, Sold]:
    """What receipts and returns add to which cells.

    A return counts where and on the day of its sale, but not in groups: it does not say of which the goods were. ``zones``
    are those of the stores: a return does not say what the clock said when it was sold.
    """
    days: dict[tuple[date, str], _Sums] = {}
    for fact in facts:
        if isinstance(fact, Receipt):
            of_day = days.setdefault((store_clock.day(fact), fact.currency), {})
            _add_receipt(of_day, fact)
        elif isinstance(fact, Returned):
            zone = zones.get(fact.sold_in or "")
            day = (fact.sold_at if zone is None else fact.sold_at.astimezone(zone)).date()
            _add_return(days.setdefault((day, fact.currency), {}), fact)
    return {
        Cell(day, kind, place_id, currency): Sold(purchases, paid)
        for (day, currency), sums in days.items()
        for (kind, place_id), (purchases, paid) in sums.items()
    }


# Of one day in one currency: most receipts of a batch are of few, and their places are met again and again.
_Sums = dict[tuple[Kind, str], list[int]]


def _add(sums: _Sums, kind: Kind, place_id: str, purchases: int, paid: int) -> None:
    found = sums.get((kind, place_id))
    if found is None:
        sums[kind, place_id] = [purchases, paid]
    else:
        found[0] += purchases
        found[1] += paid


def _add_receipt(sums: _Sums, receipt: Receipt) -> None:
    paid = receipt.paid
    _add(sums, "chain", "", 1, paid)
    _add(sums, "region", receipt.region, 1, paid)
    _add(sums, "store", receipt.store_id, 1, paid)
    groups: dict[str, int] = {}
    for line in receipt.lines:
        if line.group:
            groups[line.group] = groups.get(line.group, 0) + line.amount - line.discount
    for group, of_group in groups.items():
        _add(sums, "group", group, 1, of_group)


def _add_return(sums: _Sums, returned: Returned) -> None:
    back, refund = -1 if returned.complete else 0, -returned.refund
    _add(sums, "chain", "", back, refund)
    if returned.sold_in is not None and returned.region is not None:
        _add(sums, "region", returned.region, back, refund)
        _add(sums, "store", returned.sold_in, back, refund)


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
