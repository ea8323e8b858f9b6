"""The statistics over HTTP: questions and answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Depends, Query

from services.analytics import feed, figures, names, streams
from services.analytics.answers import OR_CSV, answered
from services.analytics.changes import Changes
from services.analytics.figures import Figures
from services.analytics.freshness import Ends, freshness
from services.analytics.insight.http import add_insights
from services.analytics.parameters import (
    ActivationsTableFilter,
    RowsFilter,
    SeriesFilter,
    TableFilter,
)
from services.analytics.reading import Dimension, Question, Reading, Statistics
from services.analytics.sharing import KEPT_SECONDS, Sharing
from shared import clock
from shared.web.auth import Scope, require
from shared.web.problems import Problem

_MOST_CHOICES = 1_000
_SCOPE: Scope = "statistics:read"


def routes(
    pool: asyncpg.Pool,
    changes: Changes,
    ends: Ends | None = None,
    *,
    kept_seconds: float = KEPT_SECONDS,
) -> APIRouter:
    """The statistics API (scope ``statistics:read``).

    What every open dashboard asks for beside its stream is answered once in ``kept_seconds``.
    """
    source = Statistics(pool, ends or Ends())
    router = APIRouter()
    _add_questions(router, Asking(source), Sharing(kept_seconds))
    router.include_router(streams.routes(source, changes))
    return router


@dataclass(frozen=True)
class Asking:
    """Opens readings; what goes wrong in them is a problem with a status of HTTP."""

    source: Statistics

    @asynccontextmanager
    async def __call__(self, question: Question) -> AsyncIterator[Reading]:
        """A reading that answers the question."""
        try:
            async with self.source.reading(question, clock.now()) as read:
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


def _add_questions(router: APIRouter, asking: Asking, sharing: Sharing[Figures]) -> None:
    api = APIRouter(
        prefix="/v1/statistics", tags=["statistics"], dependencies=[Depends(require(_SCOPE))]
    )

    @api.get("/totals", response_model=figures.TotalsAnswer, responses=OR_CSV)
    async def totals(asked: Annotated[TableFilter, Query()]) -> Any:
        """Totals of all receipts and of the instruments, and those of the time before."""
        async with asking(asked.question) as read:
            return answered(asked, await read.totals(), "totals")

    @api.get("/series", response_model=figures.SeriesAnswer, responses=OR_CSV)
    async def series(asked: Annotated[SeriesFilter, Query()]) -> Any:
        """Totals per minute, hour or day: at most 1,500 points, the latest."""
        async with asking(asked.question) as read:
            return answered(asked, await read.series(), "series")

    @api.get("/by/{dimension}", response_model=figures.PlacesAnswer, responses=OR_CSV)
    async def by(dimension: Dimension, asked: Annotated[RowsFilter, Query()]) -> Any:
        """Totals by store, device or region."""
        async with asking(asked.question) as read:
            return answered(asked, await read.by(dimension), f"by-{dimension}")

    @api.get("/campaigns", response_model=figures.CampaignsAnswer, responses=OR_CSV)
    async def campaigns(asked: Annotated[RowsFilter, Query()]) -> Any:
        """Totals by campaign."""
        async with asking(asked.question) as read:
            return answered(asked, await read.campaigns(), "campaigns")

    @api.get("/instruments", response_model=figures.InstrumentsAnswer, responses=OR_CSV)
    async def instruments(asked: Annotated[RowsFilter, Query()]) -> Any:
        """Totals by instrument of a campaign, with the reasons of its refusals."""
        async with asking(asked.question) as read:
            return answered(asked, await read.instruments(), "instruments")

    @api.get("/codes", response_model=figures.CodesAnswer, responses=OR_CSV)
    async def codes(asked: Annotated[RowsFilter, Query()]) -> Any:
        """Totals by the emission whose code was used, and of what was got without a code."""
        async with asking(asked.question) as read:
            return answered(asked, await read.codes(), "codes")

    @api.get("/refusals", response_model=figures.RefusalsAnswer, responses=OR_CSV)
    async def refusals(asked: Annotated[TableFilter, Query()]) -> Any:
        """How many cart revisions got nothing from an instrument that was considered, by reason."""
        async with asking(asked.question) as read:
            return answered(asked, await read.refusals(), "refusals")

    @api.get("/activations", response_model=figures.ActivationsAnswer, responses=OR_CSV)
    async def activations(asked: Annotated[ActivationsTableFilter, Query()]) -> Any:
        """The latest activations one by one: of the last 100,000, and of the last day."""
        async with asking.source.pool.acquire() as connection:
            fresh = await freshness(connection, asking.source.ends.known)
            rows = await feed.latest(connection, asked.selection, asked.limit)
        return answered(
            asked, figures.ActivationsAnswer(**dict(fresh), rows=tuple(rows)), "activations"
        )

    @api.get("/choices")
    async def choices() -> figures.Choices:
        """What there is to filter by: at most 1,000 of each."""
        async with asking.source.pool.acquire() as connection:
            return figures.Choices.model_validate(await names.choices(connection, _MOST_CHOICES))

    add_insights(api, asking, sharing)
    router.include_router(api)
