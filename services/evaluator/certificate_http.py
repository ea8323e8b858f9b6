"""Certificates over HTTP: limits with what is left of them, and their numbered slots."""

import csv
import io
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path as Folder
from typing import Annotated, Any, Literal

import asyncpg
from fastapi import APIRouter, Depends, Header, Path, Query, Request
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from services.evaluator import certificate
from services.evaluator.certificate import Leased, Slot, Standing
from services.evaluator.store import certificate as store
from services.evaluator.store import ledger
from shared.database import Connection
from shared.web.auth import Scope, require
from shared.web.pages import Pages
from shared.web.problems import Problem

_PAGES = Folder(__file__).parent / "pages"
_SCOPE: Scope = "ledger:read"
_MOST = 1_000
_ROWS_A_CHUNK = 500
_CSV = "text/csv; charset=utf-8"
_HEADINGS = (
    "number",
    "state",
    "amount",
    "receipt_id",
    "redemption_id",
    "campaign_id",
    "instrument_id",
    "taken_at",
    "history",
    "differences",
)

# As long as a limit's id may be, and nothing that PostgreSQL cannot hold.
_NAME: dict[str, Any] = {"max_length": 500, "pattern": r"^[^\x00]*$"}
LimitId = Annotated[str, Path(**_NAME)]
Many = Annotated[int, Query(ge=1, le=_MOST)]


class LimitStanding(BaseModel):
    """A limit: free + held + leased + used = cap, in redemptions or (``money``) minor units.

    Of a rolling limit (``window_days``) that is within its window; ``ever_used`` is what was ever used.
    ``consistent``: the counter is what the ledger adds up to; None if that was not asked.
    """

    limit_id: str
    money: bool
    window_days: int | None
    cap: int | None
    free: int
    held: int
    leased: int
    used: int
    ever_used: int
    consistent: bool | None
    differences: list[str]


class Limits(BaseModel):
    """A page of limits, by their ids; ``next`` is what the next page comes ``after``, if there is one."""

    limits: list[LimitStanding]
    next: str | None


class HistoryEntry(BaseModel):
    """A state that a redemption took; ``event``: what brought it (none: time did), in hex."""

    status: str
    at: str
    event: str | None


class NumberedSlot(BaseModel):
    """A slot, or what one redemption takes of a limit on money; numbered as they were first taken.

    ``receipt_id`` is None of a reward at the end of a period.
    """

    number: int
    state: Literal["held", "leased", "used"]
    amount: int
    use_id: str
    kind: str
    campaign_id: str
    instrument_id: str
    receipt_id: str | None
    status: str
    taken_at: str
    history: list[HistoryEntry]
    differences: list[str]


class LeasedSlots(BaseModel):
    """What a store has leased and not used: ``amount``, the slots from the first to the last (not of money)."""

    lease_id: str
    store_id: str
    first: int | None
    last: int | None
    amount: int
    granted_at: str
    expires_at: str


class FreeSlots(BaseModel):
    """All from the first to the last are free."""

    first: int
    last: int


class Certificate(BaseModel):
    """A limit with a page of the slots that are held and used, of ``taken`` in all, and all other slots.

    ``next`` is the number of the next page's first.
    """

    limit: LimitStanding
    taken: int
    slots: list[NumberedSlot]
    leased: list[LeasedSlots]
    free: FreeSlots | None
    next: int | None


def routes(pool: asyncpg.Pool) -> APIRouter:
    """The API of certificates, and the page that shows them."""
    router = APIRouter()
    router.include_router(_api(pool))
    pages = Pages("evaluator", _PAGES)

    @router.get("/certificate", include_in_schema=False)
    async def page(request: Request) -> Response:
        return pages.show(request, _SCOPE, "certificate.js", styles=("certificate.css",))

    pages.add_assets(router)
    return router


def _api(pool: asyncpg.Pool) -> APIRouter:
    router = APIRouter(
        prefix="/v1/limits", tags=["limits"], dependencies=[Depends(require(_SCOPE))]
    )

    @router.get("", summary="Limits, and what is left of them")
    async def limits(
        after: Annotated[str, Query(**_NAME)] = "",
        search: Annotated[str, Query(**_NAME)] = "",
        limit: Many = 50,
        *,
        check: Annotated[
            bool, Query(description="add the ledger up, too; takes longer where there is much")
        ] = True,
    ) -> Limits:
        async with pool.acquire() as connection:
            now = await ledger.now(connection)
            ids = await store.limit_ids(connection, after, limit + 1, search)
            read = store.standings if check else store.counted
            found = await read(connection, ids[:limit], now) if ids else []
        return Limits(
            limits=[_standing(one, checked=check) for one in found],
            next=ids[limit - 1] if len(ids) > limit else None,
        )

    @router.get(
        "/{limit_id:path}/certificate",
        summary="A limit's numbered slots, with receipts and history; as JSON or CSV",
        response_model=Certificate,
        responses={HTTPStatus.OK.value: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    )
    async def certificate_of(
        limit_id: LimitId,
        first: Annotated[int, Query(ge=1, le=10**9, description="the number to begin at")] = 1,
        limit: Many = 200,
        format_: Annotated[
            Literal["json", "csv"] | None, Query(alias="format", description="csv is not paged")
        ] = None,
        accept: Annotated[str | None, Header()] = None,
    ) -> Response:
        async with pool.acquire() as connection:
            now = await ledger.now(connection)
            found = await store.standings(connection, [limit_id], now)
        if not found:
            message = "No such limit: nothing has taken of it yet."
            raise Problem(HTTPStatus.NOT_FOUND, "Not found", message)
        if format_ == "csv" or (format_ is None and (accept or "").startswith("text/csv")):
            return StreamingResponse(_as_csv(pool, found[0]), media_type=_CSV)
        async with pool.acquire() as connection, connection.transaction():
            page = await _page(connection, found[0], first, limit)
        return Response(page.model_dump_json(), media_type="application/json")

    return router


def _standing(standing: Standing, *, checked: bool) -> LimitStanding:
    now = standing.now
    different = certificate.differences(standing) if checked else []
    return LimitStanding(
        limit_id=standing.limit_id,
        money=standing.money,
        window_days=standing.window_days,
        cap=standing.cap,
        free=standing.free,
        held=now.held,
        leased=now.leased,
        used=now.used,
        ever_used=standing.counted.used,
        consistent=not different if checked else None,
        differences=different,
    )


def _leased(one: Leased) -> LeasedSlots:
    lease = one.lease
    return LeasedSlots(
        lease_id=lease.lease_id,
        store_id=lease.store_id,
        first=one.first,
        last=one.last,
        amount=lease.left,
        granted_at=lease.granted_at.isoformat(),
        expires_at=lease.expires_at.isoformat(),
    )


async def _page(connection: Connection, standing: Standing, first: int, most: int) -> Certificate:
    now = await ledger.now(connection)
    uses = store.uses(connection, standing.limit_id, now, skip=first - 1, most=most + 1)
    found = certificate.slots([use async for use in uses], first)
    leases = await store.leases(connection, standing.limit_id)
    free = certificate.free_slots(standing)
    return Certificate(
        limit=_standing(standing, checked=True),
        taken=standing.occupied - standing.taken.leased,
        slots=[NumberedSlot.model_validate(certificate.document(slot)) for slot in found[:most]],
        leased=[_leased(one) for one in certificate.leased_slots(standing, leases)],
        free=FreeSlots(first=free[0], last=free[1]) if free else None,
        next=first + most if len(found) > most else None,
    )


async def _as_csv(pool: asyncpg.Pool, standing: Standing) -> AsyncIterator[str]:
    """All slots, a chunk at a time: a limit may have a million."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_HEADINGS)
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        number = 0
        now = await ledger.now(connection)
        async for use in store.uses(connection, standing.limit_id, now):
            for slot in certificate.slots([use], number + 1):
                number = slot.number
                writer.writerow(_row(slot))
            if number % _ROWS_A_CHUNK == 0:
                yield text.getvalue()
                text.seek(0)
                text.truncate()
        leases = await store.leases(connection, standing.limit_id)
    rest = [
        ("leased", one.first, one.last, one.lease.left)
        for one in certificate.leased_slots(standing, leases)
    ]
    free = certificate.free_slots(standing)
    if free is not None:
        rest.append(("free", *free, free[1] - free[0] + 1))
    for state, first, last, amount in rest:
        numbers = "" if first is None else f"{first}–{last}"
        writer.writerow((numbers, state, amount, *[""] * (len(_HEADINGS) - 3)))
    yield text.getvalue()


def _row(slot: Slot) -> tuple[object, ...]:
    return (
        slot.number,
        slot.state,
        slot.amount,
        slot.receipt_id or "",
        slot.use_id,
        slot.campaign_id,
        slot.instrument_id,
        slot.taken_at.isoformat(),
        "; ".join(f"{change.status} {change.at.isoformat()}" for change in slot.history),
        "; ".join(slot.differences),
    )
