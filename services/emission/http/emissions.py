"""Emissions, their posting, and the export of their codes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response

from services.emission.codes import NewEmission
from services.emission.http.desk import (
    CONFLICTS,
    READS,
    Author,
    Desk,
    Part,
    answer,
    known,
    next_of,
    not_found,
    sort_by,
)
from services.emission.store import emissions as emission_store
from services.emission.store.emissions import EmissionRow
from services.emission.views import Emissions, EmissionView
from shared.events.values import Id
from shared.web.auth import Principal, require
from shared.web.body import json_body

_CHUNKS_PER_READ = 20
_Exporter = Annotated[Principal, Depends(require("codes:export"))]
_Status = Literal["draft", "posting", "posted"]


def emission_routes(desk: Callable[[], Desk]) -> APIRouter:
    """Emissions and their codes."""
    router = APIRouter(prefix="/emissions")

    @router.post("", status_code=HTTPStatus.CREATED, responses=known(EmissionView))
    async def add(
        author: Author,
        new: Annotated[NewEmission, Depends(json_body(NewEmission))],
        response: Response,
    ) -> EmissionView:
        """Write an emission: a draft, until it is posted."""
        row, is_new = await desk().authoring.add_emission(new, author.subject)
        return answer(response, EmissionView.of(row), is_new=is_new)

    @router.get("", dependencies=READS)
    async def emissions(
        part: Part,
        sort: Annotated[str, sort_by(emission_store.LISTING)] = "",
        status: Annotated[list[_Status], Query(max_length=3)] = [],  # noqa: B006 - FastAPI copies it
        kind: Annotated[list[Literal["mass", "personal"]], Query(max_length=2)] = [],  # noqa: B006
        on: date | None = None,
    ) -> Emissions:
        """Emissions: searched, filtered, sorted; by id where no order is asked for.

        `on`: their codes are valid on this day (UTC), at least for a while.
        """
        page = replace(part, sort=sort)
        wanted = emission_store.WantedEmissions(status, kind, on)
        async with desk().pool.acquire() as connection:
            found, total = await emission_store.emissions(
                connection, wanted, page, desk().authoring.cipher
            )
        items = [EmissionView.of(row) for row in found]
        ids = [one.emission_id for one in items]
        return Emissions(items=items, total=total, next=next_of(page, ids))

    @router.get("/{emission_id}", dependencies=READS)
    async def emission(emission_id: Id) -> EmissionView:
        """An emission and how far its posting is."""
        return EmissionView.of(await emission_row(desk(), emission_id))

    @router.post(
        "/{emission_id}/post",
        status_code=HTTPStatus.ACCEPTED,
        responses=CONFLICTS,
    )
    async def post(author: Author, emission_id: Id) -> EmissionView:
        """Have the codes made and published, in the background."""
        row = await desk().authoring.post_emission(emission_id, author.subject)
        desk().poster.wake()
        return EmissionView.of(row)

    return router


async def emission_row(desk: Desk, emission_id: str) -> EmissionRow:
    """The emission; raises ``Problem`` (404)."""
    async with desk.pool.acquire() as connection:
        row = await emission_store.emission(connection, emission_id, desk.authoring.cipher)
    if row is None:
        raise not_found("emission_id", "no such emission")
    return row
