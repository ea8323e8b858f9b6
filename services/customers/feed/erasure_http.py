"""Erasure over HTTP."""

from http import HTTPStatus
from typing import Annotated
from uuid import uuid4

import asyncpg
from fastapi import APIRouter, Depends, Query

from services.customers.feed import erasure_store
from services.customers.feed.erasure import erase
from services.customers.feed.pseudonym import pseudonym
from services.customers.feed.views import ErasureAsked, Erasures, ErasureView
from shared import clock
from shared.events.customers import Erasure
from shared.events.values import CustomerId, Id
from shared.web.auth import Principal, require
from shared.web.problems import Problem

_READS = [Depends(require("customers:read"))]
Eraser = Annotated[Principal, Depends(require("customers:erase"))]
After = Annotated[str, Query(pattern=r"^[A-Za-z0-9]{0,64}$", description="the last page's `next`")]
Limit = Annotated[int, Query(ge=1, le=100)]


def routes(pool: asyncpg.Pool, key: bytes) -> APIRouter:
    """To erase a customer (scope ``customers:erase``), and what became of it."""
    router = APIRouter(prefix="/v1", tags=["erasures"])

    @router.post("/customers/{customer_id}/erasure", status_code=HTTPStatus.ACCEPTED)
    async def begin(caller: Eraser, customer_id: CustomerId) -> ErasureAsked:
        """Erase a customer everywhere: here at once, in the other services within seconds.

        It cannot be undone. What happened up to now is forgotten; a purchase later begins a new profile.
        An id that nobody knows is erased, too: another service, or the log, may.
        """
        now = clock.now()
        erasure = Erasure(erasure_id=uuid4().hex, customer_id=customer_id, requested_at=now)
        async with pool.acquire() as connection, connection.transaction():
            await erase(connection, key, erasure, caller.subject, now)
        return ErasureAsked(erasure_id=erasure.erasure_id)

    @router.get("/erasures", dependencies=_READS)
    async def latest(
        customer_id: Annotated[CustomerId | None, Query(description="of this one")] = None,
        after: After = "",
        limit: Limit = 25,
    ) -> Erasures:
        """Erasures, the latest first; those of a customer, if one is named: of ids only hashes are kept."""
        subject = None if customer_id is None else pseudonym(key, customer_id)
        async with pool.acquire() as connection:
            found = await erasure_store.latest(
                connection, subject=subject, after=after, limit=limit
            )
        items = tuple(ErasureView.of(one) for one in found)
        return Erasures(items=items, next=items[-1].erasure_id if len(items) == limit else None)

    @router.get("/erasures/{erasure_id}", dependencies=_READS)
    async def report(erasure_id: Id) -> ErasureView:
        """What was erased where, as far as the services have said so."""
        async with pool.acquire() as connection:
            found = await erasure_store.find(connection, erasure_id)
        if found is None:
            raise Problem.of_field(
                HTTPStatus.NOT_FOUND, "Not found", "erasure_id", "no such erasure"
            )
        return ErasureView.of(found)

    return router
