"""Emissions, their posting, and the export of their codes."""

from collections.abc import AsyncIterator, Callable, Sequence
from http import HTTPStatus
from itertools import zip_longest
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from starlette.responses import StreamingResponse

from services.emission.codes import NewEmission
from services.emission.http.desk import (
    CONFLICTS,
    READS,
    SECRET,
    WRITES,
    After,
    Desk,
    Limit,
    answer,
    known,
    needs,
    not_found,
)
from services.emission.store import emissions as emission_store
from services.emission.store.emissions import EmissionRow
from services.emission.views import Emissions, EmissionView
from shared.events.values import Id
from shared.web.body import json_body
from shared.web.problems import Problem

_CHUNKS_PER_READ = 20


def emission_routes(desk: Callable[[], Desk]) -> APIRouter:
    """Emissions and their codes."""
    router = APIRouter(prefix="/emissions")

    @router.post(
        "", status_code=HTTPStatus.CREATED, dependencies=WRITES, responses=known(EmissionView)
    )
    async def add(
        new: Annotated[NewEmission, Depends(json_body(NewEmission))], response: Response
    ) -> EmissionView:
        """Write an emission: a draft, until it is posted."""
        row, is_new = await desk().authoring.add_emission(new)
        return answer(response, EmissionView.of(row), is_new=is_new)

    @router.get("", dependencies=READS)
    async def emissions(after: After = "", limit: Limit = 100) -> Emissions:
        """Emissions by id."""
        async with desk().pool.acquire() as connection:
            found = await emission_store.emissions(
                connection, after, limit, desk().authoring.cipher
            )
        items = [EmissionView.of(row) for row in found]
        return Emissions(items=items, next=items[-1].emission_id if len(items) == limit else None)

    @router.get("/{emission_id}", dependencies=READS)
    async def emission(emission_id: Id) -> EmissionView:
        """An emission and how far its posting is."""
        return EmissionView.of(await _emission(desk(), emission_id))

    @router.post(
        "/{emission_id}/post",
        status_code=HTTPStatus.ACCEPTED,
        dependencies=WRITES,
        responses=CONFLICTS,
    )
    async def post(emission_id: Id) -> EmissionView:
        """Have the codes made and published, in the background."""
        row = await desk().authoring.post_emission(emission_id)
        desk().poster.wake()
        return EmissionView.of(row)

    @router.get(
        "/{emission_id}/codes",
        dependencies=needs("codes:export"),
        response_class=StreamingResponse,
        responses={HTTPStatus.OK: {"content": {"text/csv": {}}}} | CONFLICTS,
    )
    async def codes(emission_id: Id) -> Response:
        """All codes of a posted emission, as CSV: `code`, and `customer_id` if any is bound."""
        row = await _emission(desk(), emission_id)
        if row.status != "posted":
            message = "the emission is not posted"
            raise Problem.of_field(HTTPStatus.CONFLICT, "Not posted", "status", message)
        name = f'attachment; filename="{emission_id.replace(":", "_")}.csv"'
        return StreamingResponse(
            _csv(desk(), row),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": name, **SECRET},
        )

    return router


async def _emission(desk: Desk, emission_id: str) -> EmissionRow:
    async with desk.pool.acquire() as connection:
        row = await emission_store.emission(connection, emission_id, desk.authoring.cipher)
    if row is None:
        raise not_found("emission_id", "no such emission")
    return row


async def _csv(desk: Desk, row: EmissionRow) -> AsyncIterator[bytes]:
    """No connection is held between reads: the client may be slow."""
    cipher, after = desk.authoring.cipher, 0
    yield b"code,customer_id\r\n" if row.bound else b"code\r\n"
    while after < row.posted_chunks:
        async with desk.pool.acquire() as connection:
            chunks = await emission_store.chunks(connection, row.number, after, _CHUNKS_PER_READ)
            holders = await emission_store.holders(connection, row.number, after, _CHUNKS_PER_READ)
        for chunk, ciphertext in chunks:
            codes = cipher.decrypt(ciphertext, row.asked.emission_id, chunk)
            yield _lines(codes, holders.get(chunk, []) if row.bound else None)
            after = chunk


def _lines(codes: Sequence[str], customers: Sequence[str] | None) -> bytes:
    """Neither codes nor customer ids have characters that CSV would quote."""
    if customers is None:
        return "".join(f"{code}\r\n" for code in codes).encode()
    pairs = zip_longest(codes, customers, fillvalue="")
    return "".join(f"{code},{customer_id}\r\n" for code, customer_id in pairs).encode()
