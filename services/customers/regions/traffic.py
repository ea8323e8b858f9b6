"""What of a region's traffic is little: against the chain, and against the region's own past.

Whole weeks (from Monday, by the stores' days): the last ``RECENT_WEEKS`` against the ``BEFORE_WEEKS`` before them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from typing import Literal

RECENT_WEEKS, BEFORE_WEEKS = 4, 8
WEEKS = RECENT_WEEKS + BEFORE_WEEKS
Reason = Literal["falls_behind", "few_per_store"]

_ALL = 10_000
_FEWEST_BEFORE = 100  # purchases: of fewer nothing can be told
_FALLS_BEHIND = -1_000  # by 10% or more against the chain
_FEW_PER_STORE = 6_000  # under 60% of the chain's
_Z = 1.96  # 95%


@dataclass(frozen=True)
class Region:
    """A region: its purchases in each of the last ``WEEKS`` weeks, the oldest first, its stores, and its customers.

    ``customers`` bought in the recent weeks, ``customers_before`` in as many weeks before them (estimates).
    """

    region: str
    weeks: Sequence[int]
    stores: int
    customers: int
    customers_before: int

    @property
    def recent(self) -> int:
        """Purchases of the recent weeks."""
        return sum(self.weeks[-RECENT_WEEKS:])

    @property
    def before(self) -> int:
        """Purchases of the weeks before them."""
        return sum(self.weeks[:-RECENT_WEEKS])


@dataclass(frozen=True)
class Finding:
    """What is found of a region; changes and shares in basis points, nothing where there is too little to tell.

    ``change``: purchases per week against the weeks before; ``chain_change`` the same of the chain; ``against_chain`` the one
    over the other. ``sure``: it is no chance that the region's share of the chain has fallen (95%).
    ``per_store``: purchases per store as a share of the chain's.
    """

    region: Region
    change: int | None
    chain_change: int | None
    against_chain: int | None
    sure: bool
    per_store: int | None
    reasons: tuple[Reason, ...]


def first_week(today: date) -> date:
    """The Monday of the first week that is looked at; the current week is none of them."""
    return this_week(today) - timedelta(weeks=WEEKS)


def this_week(day: date) -> date:
    """The Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def findings(regions: Sequence[Region]) -> list[Finding]:
    """What is found of each region, those with reasons first, the most behind the chain before the others."""
    recent = sum(one.recent for one in regions)
    before = sum(one.before for one in regions)
    with_stores = [one for one in regions if one.stores]
    per_store = (sum(one.recent for one in with_stores), sum(one.stores for one in with_stores))
    found = [_found(one, recent, before, per_store, alone=len(regions) == 1) for one in regions]
    return sorted(
        found,
        key=lambda one: (
            not one.reasons,
            _ALL if one.against_chain is None else one.against_chain,
            one.region.region,
        ),
    )


def _found(
    region: Region, recent: int, before: int, of_stores: tuple[int, int], *, alone: bool
) -> Finding:
    change = _change(region.recent, region.before)
    chain_change = _change(recent, before)
    against = sure = per_store = None
    if not alone and region.before >= _FEWEST_BEFORE and recent > 0:
        against = _rounded(region.recent * before - region.before * recent, region.before * recent)
        sure = _has_fallen(region.recent, recent, region.before, before)
    in_stores, stores = of_stores
    if not alone and region.stores and in_stores > 0:
        per_store = region.recent * stores * _ALL // (region.stores * in_stores)
    reasons: list[Reason] = []
    if against is not None and against <= _FALLS_BEHIND and sure:
        reasons.append("falls_behind")
    if per_store is not None and per_store < _FEW_PER_STORE and before >= _FEWEST_BEFORE:
        reasons.append("few_per_store")
    return Finding(region, change, chain_change, against, bool(sure), per_store, tuple(reasons))


def _change(recent: int, before: int) -> int | None:
    """Of purchases per week (basis points)."""
    if before < _FEWEST_BEFORE:
        return None
    weekly, weekly_before = recent * BEFORE_WEEKS, before * RECENT_WEEKS
    return _rounded(weekly - weekly_before, weekly_before)


def _rounded(part: int, whole: int) -> int:
    return (2 * part * _ALL + whole) // (2 * whole)


def _has_fallen(part: int, whole: int, part_before: int, whole_before: int) -> bool:
    """Whether a share has fallen by more than chance explains: the test of two proportions.

    Purchases of one customer are not independent of each other, so that it is sure somewhat too easily.
    """
    pooled = (part + part_before) / (whole + whole_before)
    error = sqrt(pooled * (1 - pooled) * (1 / whole + 1 / whole_before))
    if error == 0:
        return False
    return part / whole - part_before / whole_before < -_Z * error


def weekly(purchases: Mapping[date, int], today: date) -> tuple[int, ...]:
    """Purchases of each of the weeks that are looked at, from those by the weeks' Mondays."""
    first = first_week(today)
    return tuple(purchases.get(first + timedelta(weeks=n), 0) for n in range(WEEKS))
