"""Regions with little traffic, over HTTP."""

from datetime import date

import asyncpg
from fastapi import APIRouter, Depends

from services.customers.regions import store
from services.customers.regions.traffic import (
    BEFORE_WEEKS,
    RECENT_WEEKS,
    Finding,
    Reason,
    findings,
    first_week,
)
from shared import clock
from shared.events.values import Event
from shared.web.auth import require

_READS = [Depends(require("customers:read"))]


class RegionView(Event):
    """A region: purchases of each week, the oldest first, and what is found of them.

    Changes and shares are in basis points, none where there is too little to tell. `change`: purchases per week in the
    `recent` weeks against those `before`; `against_chain`: that against the chain's; `sure`: with 95% certainty the region's
    share of the chain has fallen. `per_store`: purchases per store as a share of the chain's. `customers` (estimates):
    who bought in the recent weeks, and in as many weeks before. `reasons`: why codes for the region are suggested.
    """

    region: str
    weeks: tuple[int, ...]
    recent: int
    before: int
    change: int | None
    chain_change: int | None
    against_chain: int | None
    sure: bool
    stores: int
    per_store: int | None
    customers: int
    customers_before: int
    reasons: tuple[Reason, ...]

    @classmethod
    def of(cls, found: Finding) -> "RegionView":
        """The view of what was found."""
        region = found.region
        return cls(
            region=region.region,
            weeks=tuple(region.weeks),
            recent=region.recent,
            before=region.before,
            change=found.change,
            chain_change=found.chain_change,
            against_chain=found.against_chain,
            sure=found.sure,
            stores=region.stores,
            per_store=found.per_store,
            customers=region.customers,
            customers_before=region.customers_before,
            reasons=found.reasons,
        )


class Traffic(Event):
    """Regions, those with little traffic first; weeks are whole ones from `first_week` (a Monday) on."""

    first_week: date
    recent_weeks: int
    before_weeks: int
    items: tuple[RegionView, ...]


def routes(pool: asyncpg.Pool) -> APIRouter:
    """The API of regions."""
    router = APIRouter(prefix="/v1/regions", tags=["insights"])

    @router.get("/traffic", dependencies=_READS)
    async def traffic() -> Traffic:
        """How many purchases regions have had, and where codes for a region may bring more: with the figures behind it."""
        today = clock.now().date()
        async with pool.acquire() as connection:
            found = findings(await store.regions(connection, today))
        return Traffic(
            first_week=first_week(today),
            recent_weeks=RECENT_WEEKS,
            before_weeks=BEFORE_WEEKS,
            items=tuple(RegionView.of(one) for one in found),
        )

    return router
