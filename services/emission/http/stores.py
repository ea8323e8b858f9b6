"""Stores."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from services.emission.http.desk import READS, Author, Desk, Ids, Part, next_of, sort_by
from services.emission.references import NewStores
from services.emission.store import references as reference_store
from services.emission.views import Stores, StoresChanged
from shared.events.values import Text
from shared.web.body import json_body


def store_routes(desk: Callable[[], Desk]) -> APIRouter:
    """Stores."""
    router = APIRouter(prefix="/stores")

    @router.put("")
    async def save(
        author: Author,
        new: Annotated[NewStores, Depends(json_body(NewStores))],
    ) -> StoresChanged:
        """Keep stores, each in place of what was known of it."""
        changed = await desk().references.save_stores(new.stores, author.subject)
        return StoresChanged(stores=len(new.stores), changed=changed)

    @router.get("", dependencies=READS)
    async def stores(
        part: Part,
        sort: Annotated[str, sort_by(reference_store.STORES)] = "",
        region: Annotated[list[Text], Query(max_length=100)] = [],  # noqa: B006 - FastAPI copies it
        store: Ids = [],  # noqa: B006
    ) -> Stores:
        """Stores: searched, filtered, sorted; by id where no order is asked for."""
        page = replace(part, sort=sort)
        async with desk().pool.acquire() as connection:
            items, total = await reference_store.stores(connection, page, regions=region, ids=store)
        ids = [one.store_id for one in items]
        return Stores(items=items, total=total, next=next_of(page, ids))

    return router
