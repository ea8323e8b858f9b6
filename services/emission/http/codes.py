"""The codes of an emission, for who may take them away."""

from collections.abc import AsyncIterator, Callable, Sequence
from http import HTTPStatus
from itertools import zip_longest
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from starlette.responses import StreamingResponse

from services.emission.http.desk import CONFLICTS, SECRET, Desk
from services.emission.http.emissions import emission_row
from services.emission.store import emissions as emission_store
from services.emission.store.emissions import EmissionRow
from shared.events.values import Id
from shared.web.auth import Principal, require
from shared.web.problems import Problem

_CHUNKS_PER_READ = 20
_Exporter = Annotated[Principal, Depends(require("codes:export"))]


def code_routes(desk: Callable[[], Desk]) -> APIRouter:
    """Codes as they are given away; each export is kept in the changes."""
    router = APIRouter(prefix="/emissions")

    @router.get(
        "/{emission_id}/codes",
        response_class=StreamingResponse,
        responses={HTTPStatus.OK: {"content": {"text/csv": {}}}} | CONFLICTS,
    )
    async def codes(caller: _Exporter, emission_id: Id) -> Response:
        """All codes of a posted emission, as CSV: `code`, and `customer_id` if any is bound."""
        row = await emission_row(desk(), emission_id)
        if row.status != "posted":
            message = "the emission is not posted"
            raise Problem.of_field(HTTPStatus.CONFLICT, "Not posted", "status", message)
        await desk().authoring.record_export(emission_id, row.posted_codes, caller.subject)
        name = f'attachment; filename="{emission_id.replace(":", "_")}.csv"'
        return StreamingResponse(
            _csv(desk(), row),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": name, **SECRET},
        )

    return router


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
