"""Segments over HTTP: authoring, members, previews; and the fifths of all customers."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Depends, Query, Response

from services.customers.forecast.store import Expect
from services.customers.segments import catalogue, catalogue_store, fifths_store, store
from services.customers.segments.builtin import templates
from services.customers.segments.catalogue import NoSuchSegmentError, RefusedError
from services.customers.segments.catalogue_store import Wanted
from services.customers.segments.fifths import Fifths
from services.customers.segments.preview import Preview
from services.customers.segments.sentence import Language, sentence
from services.customers.segments.views import (
    TREND_DAYS,
    ChangeView,
    Days,
    EditedSegment,
    History,
    Members,
    MemberView,
    NewSegment,
    PreviewView,
    RfmView,
    Segments,
    SegmentView,
    Templates,
    TemplateView,
    Tried,
    days_of,
)
from shared import clock
from shared.database import Connection
from shared.events.values import Id
from shared.web.auth import Principal, require
from shared.web.body import json_body
from shared.web.problems import Problem

_READS = [Depends(require("customers:read"))]
Author = Annotated[Principal, Depends(require("customers:write"))]
InLanguage = Annotated[Language, Query(description="of the sentence")]
_SEARCH = Query(
    max_length=200,
    pattern=r"^[^\x00-\x1f\x7f]*$",
    description="words, all of which are in the name or the id, anywhere and in any case",
)
_SORT = Query(
    pattern=f"^(-?({'|'.join(sorted(catalogue_store.ORDERS))}))?$",
    description="the order; with `-` before it, turned round; by id where none is asked for",
)
_AFTER = Query(max_length=64, pattern=r"^[!-~ ]*$", description="the last page's `next`")
_Limit = Annotated[int, Query(ge=1, le=1_000)]
_Offset = Annotated[int, Query(ge=0, le=1_000_000, description="so many are left out")]
_CONFLICTS: dict[int | str, dict[str, Any]] = {HTTPStatus.CONFLICT: {}}
_KNOWN: dict[int | str, dict[str, Any]] = {
    HTTPStatus.OK: {"model": SegmentView, "description": "It was there already"},
    **_CONFLICTS,
}


def routes(pool: asyncpg.Pool, expect: Expect) -> APIRouter:
    """The API of segments; ``expect`` says what is forecast of customers."""
    router = APIRouter(prefix="/v1", tags=["segments"])
    _add_lists(router, pool)
    _add_previews(router, Preview(pool, expect))
    _add_authoring(router, pool)
    _add_segment(router, pool)
    _add_rfm(router, pool)
    return router


@contextmanager
def _refusals() -> Iterator[None]:
    """What the catalogue refuses, as problems."""
    try:
        yield
    except NoSuchSegmentError as error:
        raise _not_found() from error
    except RefusedError as error:
        raise Problem.of_field(HTTPStatus.CONFLICT, "Refused", "segment_id", str(error)) from error


def _not_found() -> Problem:
    return Problem.of_field(HTTPStatus.NOT_FOUND, "Not found", "segment_id", "no such segment")


def _add_lists(router: APIRouter, pool: asyncpg.Pool) -> None:
    @router.get("/segments", dependencies=_READS)
    async def segments(
        search: Annotated[str, _SEARCH] = "",
        archived: Annotated[bool | None, Query(description="only such")] = None,
        sort: Annotated[str, _SORT] = "",
        offset: _Offset = 0,
        limit: _Limit = 100,
        language: InLanguage = "en",
    ) -> Segments:
        """Segments: searched, filtered, sorted, with how many members each had on the last 30 days."""
        wanted = Wanted(search.split(), archived, sort, offset, limit)
        today = clock.now().date()
        since = today - timedelta(days=TREND_DAYS)
        async with pool.acquire() as connection:
            found, total = await catalogue_store.page(connection, wanted)
            ids = [row.segment_id for row in found]
            days = await catalogue_store.days(connection, ids, since)
        items = []
        for row in found:
            own = [day for day in days if day.segment_id == row.segment_id]
            trend = tuple(one.members for one in days_of(row, own, today, TREND_DAYS))
            items.append(SegmentView.of(row, language, trend))
        return Segments(items=tuple(items), total=total)

    @router.get("/segments/templates", dependencies=_READS)
    async def beginnings() -> Templates:
        """What a new segment may begin as."""
        return Templates(items=tuple(TemplateView.of(one) for one in templates()))


def _add_previews(router: APIRouter, preview: Preview) -> None:
    @router.post("/segments/preview", dependencies=_READS)
    async def tried(
        asked: Annotated[Tried, Depends(json_body(Tried))],
        language: InLanguage = "en",
    ) -> PreviewView:
        """How many customers a definition is met by, and a few of them; nothing is kept.

        Of up to 10,000 customers all are looked at, of more a sample; for 3 seconds at most.
        """
        found = await preview.of(asked.definition, clock.now())
        return PreviewView.of(found, sentence(asked.definition, language))


def _add_authoring(router: APIRouter, pool: asyncpg.Pool) -> None:
    @router.post("/segments", status_code=HTTPStatus.CREATED, responses=_KNOWN)
    async def add(
        author: Author,
        new: Annotated[NewSegment, Depends(json_body(NewSegment))],
        response: Response,
        language: InLanguage = "en",
    ) -> SegmentView:
        """Add a segment: all customers are looked at from now on (`progress`)."""
        async with pool.acquire() as connection, connection.transaction():
            with _refusals():
                row, is_new = await catalogue.add(
                    connection,
                    new.segment_id,
                    new.name,
                    new.definition,
                    by=author.subject,
                    now=clock.now(),
                )
        if not is_new:
            response.status_code = HTTPStatus.OK
        return SegmentView.of(row, language)

    @router.put("/segments/{segment_id}", responses=_CONFLICTS)
    async def edit(
        author: Author,
        segment_id: Id,
        new: Annotated[EditedSegment, Depends(json_body(EditedSegment))],
        language: InLanguage = "en",
    ) -> SegmentView:
        """Change a segment; if its definition is another one, all customers are looked at anew."""
        async with pool.acquire() as connection, connection.transaction():
            with _refusals():
                row = await catalogue.edit(
                    connection,
                    segment_id,
                    new.name,
                    new.definition,
                    by=author.subject,
                    now=clock.now(),
                )
        return SegmentView.of(row, language)

    def add_turn(name: str, *, archived: bool, text: str) -> None:
        async def turn(author: Author, segment_id: Id, language: InLanguage = "en") -> SegmentView:
            async with pool.acquire() as connection, connection.transaction():
                with _refusals():
                    row = await catalogue.archive(
                        connection,
                        segment_id,
                        archived=archived,
                        by=author.subject,
                        now=clock.now(),
                    )
            return SegmentView.of(row, language)

        turn.__doc__ = text
        router.add_api_route(
            f"/segments/{{segment_id}}/{name}",
            turn,
            methods=["POST"],
            name=name,
            responses=_CONFLICTS,
        )

    add_turn("archive", archived=True, text="Archive a segment: all its members leave.")
    add_turn("restore", archived=False, text="Bring back an archived segment.")


def _add_segment(router: APIRouter, pool: asyncpg.Pool) -> None:
    async def row_of(connection: Connection, segment_id: str) -> catalogue_store.Row:
        row = await catalogue_store.find(connection, segment_id)
        if row is None:
            raise _not_found()
        return row

    @router.get("/segments/{segment_id}", dependencies=_READS)
    async def segment(segment_id: Id, language: InLanguage = "en") -> SegmentView:
        """A segment, and how far looking at all customers has come since it was changed."""
        async with pool.acquire() as connection:
            return SegmentView.of(await row_of(connection, segment_id), language)

    @router.get("/segments/{segment_id}/members", dependencies=_READS)
    async def members(
        segment_id: Id, after: Annotated[str, _AFTER] = "", limit: _Limit = 100
    ) -> Members:
        """Who is in a segment, by id, and since when."""
        async with pool.acquire() as connection:
            await row_of(connection, segment_id)
            found = await store.members(connection, segment_id, after, limit)
        following = found[-1].customer_id if len(found) == limit else None
        return Members(items=tuple(MemberView.of(one) for one in found), next=following)

    @router.get("/segments/{segment_id}/history", dependencies=_READS)
    async def history(
        segment_id: Id, offset: _Offset = 0, limit: _Limit = 100, language: InLanguage = "en"
    ) -> History:
        """What was done to a segment and by whom, the newest first."""
        async with pool.acquire() as connection:
            await row_of(connection, segment_id)
            found, total = await catalogue_store.history(connection, segment_id, offset, limit)
        return History(items=tuple(ChangeView.of(one, language) for one in found), total=total)

    @router.get("/segments/{segment_id}/days", dependencies=_READS)
    async def days(segment_id: Id, days: Annotated[int, Query(ge=1, le=400)] = TREND_DAYS) -> Days:
        """How many entered and left on each of the last days (UTC), and how many were members then."""
        today = clock.now().date()
        async with pool.acquire() as connection:
            row = await row_of(connection, segment_id)
            since = today - timedelta(days=days)
            counted = await catalogue_store.days(connection, [segment_id], since)
        return Days(items=days_of(row, counted, today, days))


def _add_rfm(router: APIRouter, pool: asyncpg.Pool) -> None:
    async def view() -> RfmView:
        async with pool.acquire() as connection:
            kept = await fifths_store.latest(connection)
            return RfmView.of(kept, await fifths_store.grid(connection))

    @router.get("/rfm", dependencies=_READS)
    async def rfm() -> RfmView:
        """Where the fifths of recency, frequency and monetary value end, and how many customers are where."""
        return await view()

    @router.post("/rfm")
    async def renew(_: Author) -> RfmView:
        """Find the fifths anew just now; it is done every night, too. Nothing changes while there are too few customers."""
        await Fifths(pool).renew()
        return await view()
