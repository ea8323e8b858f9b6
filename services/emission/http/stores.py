"""Stores."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends

from services.emission.http.desk import READS, WRITES, After, Desk, Limit
from services.emission.references import NewStores
from services.emission.store import references as reference_store
from services.emission.views import Stores, StoresChanged
from shared.web.body import json_body


def store_routes(desk: Callable[[], Desk]) -> APIRouter:
    """Stores."""
    router = APIRouter(prefix="/stores")

    @router.put("", dependencies=WRITES)
    async def save(new: Annotated[NewStores, Depends(json_body(NewStores))]) -> StoresChanged:
        """Keep stores, each in place of what was known of it."""
        changed = await desk().references.save_stores(new.stores)
        return StoresChanged(stores=len(new.stores), changed=changed)

    @router.get("", dependencies=READS)
    async def stores(after: After = "", limit: Limit = 100) -> Stores:
        """Stores by id."""
        async with desk().pool.acquire() as connection:
            items = await reference_store.stores(connection, after, limit)
        return Stores(items=items, next=items[-1].store_id if len(items) == limit else None)

    return router
