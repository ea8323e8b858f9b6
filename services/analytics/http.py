"""The statistics over HTTP: questions and answers, and a live stream."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import Response, StreamingResponse

from services.analytics import figures, queries
from services.analytics.changes import Changes
from services.analytics.insight_http import add_insights
from services.analytics.live import Live, ReadingFailedError
from services.analytics.parameters import Filter, RowsFilter, SeriesFilter, StreamFilter
from services.analytics.reading import Dimension, Question, Reading, reading
from shared import clock
from shared.web.auth import Scope, authenticate, require
from shared.web.problems import Problem

_MOST_CHOICES = 1_000
_SCOPE: Scope = "statistics:read"


def routes(pool: asyncpg.Pool, changes: Changes) -> APIRouter:
    """The statistics API (scope ``statistics:read``)."""
    router = APIRouter()
    _add_questions(router, pool)
    _add_stream(router, pool, changes)
    return router


@asynccontextmanager
async def _asked(pool: asyncpg.Pool, question: Question) -> AsyncIterator[Reading]:
    try:
        async with reading(pool, question, clock.now()) as read:
            yield read
    except asyncpg.QueryCanceledError as error:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "The statistics take too long to read",
            "Ask for a shorter time, or come back later.",
            headers={"Retry-After": "10"},
        ) from error
    except asyncpg.InvalidParameterValueError as error:
        # PostgreSQL has a list of time zones of its own.
        raise Problem.of_field(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "The request has invalid parameters",
            "time_zone",
            "the database does not know this time zone",
        ) from error


def _add_questions(router: APIRouter, pool: asyncpg.Pool) -> None:
    api = APIRouter(
        prefix="/v1/statistics", tags=["statistics"], dependencies=[Depends(require(_SCOPE))]
    )

    @api.get("/totals")
    async def totals(asked: Annotated[Filter, Query()]) -> figures.TotalsAnswer:
        """Totals of all receipts and of the instruments, and those of the time before."""
        async with _asked(pool, asked.question) as read:
            return await read.totals()

    @api.get("/series")
    async def series(asked: Annotated[SeriesFilter, Query()]) -> figures.SeriesAnswer:
        """Totals per minute, hour or day: at most 1,500 points, the latest."""
        async with _asked(pool, asked.question) as read:
            return await read.series()

    @api.get("/by/{dimension}")
    async def by(
        dimension: Dimension, asked: Annotated[RowsFilter, Query()]
    ) -> figures.PlacesAnswer:
        """Totals by store, device or region."""
        async with _asked(pool, asked.question) as read:
            return await read.by(dimension)

    @api.get("/instruments")
    async def instruments(asked: Annotated[RowsFilter, Query()]) -> figures.InstrumentsAnswer:
        """Totals by instrument of a campaign, with the reasons of its refusals."""
        async with _asked(pool, asked.question) as read:
            return await read.instruments()

    @api.get("/refusals")
    async def refusals(asked: Annotated[Filter, Query()]) -> figures.RefusalsAnswer:
        """How many cart revisions got nothing from an instrument that was considered, by reason."""
        async with _asked(pool, asked.question) as read:
            return await read.refusals()

    @api.get("/choices")
    async def choices() -> figures.Choices:
        """What there is to filter by: at most 1,000 campaigns, stores and regions each."""
        async with pool.acquire() as connection:
            return figures.Choices.model_validate(await queries.choices(connection, _MOST_CHOICES))

    add_insights(api, lambda question: _asked(pool, question))
    router.include_router(api)


def _add_stream(router: APIRouter, pool: asyncpg.Pool, changes: Changes) -> None:
    async def read_snapshot(question: Question) -> figures.Snapshot:
        async with reading(pool, question, clock.now()) as read:
            return await read.snapshot()

    live = Live(changes, read_snapshot)

    @router.get(
        "/v1/statistics/stream",
        tags=["statistics"],
        dependencies=[Depends(require(_SCOPE))],
        response_class=StreamingResponse,
        responses={HTTPStatus.OK.value: {"content": {"text/event-stream": {}}}},
    )
    async def stream(
        request: Request,
        asked: Annotated[StreamFilter, Query()],
        last_event_id: Annotated[str | None, Header(max_length=64)] = None,
    ) -> Response:
        """Server-sent events: ``snapshot`` when the figures changed, at most twice a second.

        A snapshot's id is that of its figures: who comes back with the latest gets only the next.
        Ends with ``expired`` when the token has, with ``failed`` when the figures can't be read.
        """
        question = asked.question
        if live.is_full(question):
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "Too many different dashboards are open",
                "Close some, or come back later.",
                headers={"Retry-After": "30"},
            )
        return StreamingResponse(
            _events(request, live, question, last_event_id),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )


async def _events(
    request: Request, live: Live, question: Question, seen: str | None
) -> AsyncIterator[str]:
    yield "retry: 1500\n\n"
    try:
        async with aclosing(live.watch(question, seen)) as updates:
            async for update in updates:
                # A stream outlives its request's check: an expired token must not read on.
                authenticate(request)
                if update is None:
                    yield ": still here\n\n"
                else:
                    yield f"id: {update.digest}\nevent: snapshot\ndata: {update.body}\n\n"
    except Problem:
        yield "event: expired\ndata: {}\n\n"
    except ReadingFailedError:
        yield "event: failed\ndata: {}\n\n"
