"""Groups that are bought together, over HTTP."""

from datetime import datetime
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Depends, Query

from services.customers.cross_sell import store
from services.customers.cross_sell.search import Search
from services.customers.cross_sell.store import Directed, Order, Wanted
from shared.database import Connection
from shared.events.customers import Share
from shared.events.values import Event, Text
from shared.web.auth import Principal, require

_READS = [Depends(require("customers:read"))]
Author = Annotated[Principal, Depends(require("customers:write"))]
_SEARCH = Query(
    max_length=200,
    pattern=r"^[^\x00-\x1f\x7f]*$",
    description="words, all of which are in the name, anywhere and in any case",
)
_Limit = Annotated[int, Query(ge=1, le=1_000)]


class PairView(Event):
    """Two groups on the same receipts: ``together`` of ``of_group`` receipts with the group had the related one, too.

    ``support`` is their share of all receipts, ``confidence`` of those with the group (both in basis points), ``lift`` how
    much oftener that is than by chance (hundredths: 250 is two and a half times as often).
    """

    group: str
    related: str
    together: int
    of_group: int
    of_related: int
    support: Share
    confidence: Share
    lift: int

    @classmethod
    def of(cls, directed: Directed) -> "PairView":
        """The view of a pair."""
        group, pair = directed
        is_first = group == pair.first
        of_group, of_related = pair.of_first, pair.of_second
        return cls(
            group=group,
            related=pair.second if is_first else pair.first,
            together=pair.together,
            of_group=of_group if is_first else of_related,
            of_related=of_related if is_first else of_group,
            support=pair.support,
            confidence=pair.confidence(group),
            lift=pair.lift,
        )


class CrossSell(Event):
    """Pairs of groups, as they were found in ``receipts`` of all ``of_receipts`` since a time; none were looked for yet."""

    made_at: datetime | None
    since: datetime | None
    receipts: int
    of_receipts: int
    items: tuple[PairView, ...]


class GroupView(Event):
    """A group of products, and on how many of the receipts that were looked at it was."""

    group: str
    receipts: int


class Groups(Event):
    """Groups of products, those on the most receipts first."""

    items: tuple[GroupView, ...]


def routes(pool: asyncpg.Pool) -> APIRouter:
    """The API of related groups."""
    router = APIRouter(prefix="/v1/cross-sell", tags=["insights"])

    @router.get("", dependencies=_READS)
    async def related(
        group: Annotated[Text | None, Query(description="seen from this group; none: all")] = None,
        min_receipts: Annotated[int, Query(ge=1, le=10**9, description="with both")] = 20,
        min_support: Annotated[Share, Query()] = 0,
        min_confidence: Annotated[Share, Query()] = 0,
        min_lift: Annotated[int, Query(ge=0, le=10**6, description="hundredths")] = 120,
        sort: Annotated[Order, Query(description="the highest first")] = "lift",
        limit: _Limit = 100,
    ) -> CrossSell:
        """Which groups are bought together: for a discount on related goods."""
        wanted = Wanted(group, min_receipts, min_support, min_confidence, min_lift, sort, limit)
        async with pool.acquire() as connection:
            return await _found(connection, wanted)

    @router.post("")
    async def renew(_: Author) -> CrossSell:
        """Look for them anew just now; it is done every night, too."""
        await Search(pool).renew()
        async with pool.acquire() as connection:
            return await _found(connection, Wanted(receipts=20, lift=120))

    @router.get("/groups", dependencies=_READS)
    async def groups(search: Annotated[str, _SEARCH] = "", limit: _Limit = 100) -> Groups:
        """Groups of products that were bought lately."""
        async with pool.acquire() as connection:
            found = await store.groups(connection, search.split(), limit)
        return Groups(items=tuple(GroupView(group=g, receipts=n) for g, n in found))

    return router


async def _found(connection: Connection, wanted: Wanted) -> CrossSell:
    made = await store.made(connection)
    if made is None:
        return CrossSell(made_at=None, since=None, receipts=0, of_receipts=0, items=())
    pairs = await store.pairs(connection, wanted, made.receipts)
    return CrossSell(
        made_at=made.made_at,
        since=made.since,
        receipts=made.receipts,
        of_receipts=made.of_receipts,
        items=tuple(PairView.of(one) for one in pairs),
    )
