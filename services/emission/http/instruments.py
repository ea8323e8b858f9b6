"""Instruments."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from services.emission.http.desk import (
    READS,
    WRITES,
    After,
    Desk,
    Limit,
    answer,
    check_same_id,
    known,
    not_found,
)
from services.emission.store import campaigns as campaign_store
from services.emission.views import Instruments
from shared.events.promotion import Instrument
from shared.events.values import Id
from shared.web.body import json_body


def instrument_routes(desk: Callable[[], Desk]) -> APIRouter:
    """Instruments."""
    router = APIRouter(prefix="/instruments")

    @router.post(
        "", status_code=HTTPStatus.CREATED, dependencies=WRITES, responses=known(Instrument)
    )
    async def add(
        new: Annotated[Instrument, Depends(json_body(Instrument))], response: Response
    ) -> Instrument:
        """Write an instrument."""
        instrument, is_new = await desk().authoring.add_instrument(new)
        return answer(response, instrument, is_new=is_new)

    @router.put("/{instrument_id}", dependencies=WRITES)
    async def edit(
        instrument_id: Id, new: Annotated[Instrument, Depends(json_body(Instrument))]
    ) -> Instrument:
        """Replace an instrument; started campaigns that use it get a new version."""
        check_same_id("instrument_id", instrument_id, new.instrument_id)
        return await desk().authoring.edit_instrument(new)

    @router.get("", dependencies=READS)
    async def instruments(after: After = "", limit: Limit = 100) -> Instruments:
        """Instruments by id."""
        async with desk().pool.acquire() as connection:
            items = await campaign_store.list_instruments(connection, after, limit)
        return Instruments(
            items=items, next=items[-1].instrument_id if len(items) == limit else None
        )

    @router.get("/{instrument_id}", dependencies=READS)
    async def instrument(instrument_id: Id) -> Instrument:
        """An instrument."""
        async with desk().pool.acquire() as connection:
            found = await campaign_store.instrument(connection, instrument_id)
        if found is None:
            raise not_found("instrument_id", "no such instrument")
        return found

    return router
