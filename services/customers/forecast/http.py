"""The next purchase over HTTP: which model, how good, who is expected; and to train now."""

from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from services.customers.forecast import store
from services.customers.forecast.training import Training
from services.customers.forecast.views import (
    DayView,
    ExpectedView,
    ForecastView,
    Runs,
    RunView,
    SoonView,
)
from shared import clock
from shared.events.values import Id
from shared.web.auth import require
from shared.web.problems import Problem

_READS = [Depends(require("customers:read"))]
_WRITES = [Depends(require("customers:write"))]
_CONFLICTS: dict[int | str, dict[str, Any]] = {HTTPStatus.CONFLICT: {}}
_UNKNOWN: dict[int | str, dict[str, Any]] = {HTTPStatus.NOT_FOUND: {}}
_DAY = 10
_AFTER = Query(
    pattern=r"^(\d{4}-\d{2}-\d{2}~[A-Za-z0-9@+._:() -]{1,64})?$",
    description="the last page's `next`",
)
Limit = Annotated[int, Query(ge=1, le=200)]


def routes(training: Training) -> APIRouter:
    """The API of forecasts."""
    router = APIRouter(prefix="/v1/forecast", tags=["forecast"])
    _add_models(router, training)
    _add_expected(router, training)
    return router


def _add_models(router: APIRouter, training: Training) -> None:
    pool = training.pool

    @router.get("", dependencies=_READS)
    async def models() -> ForecastView:
        """The models of the next purchase: how good each is on times of the past, and which is used."""
        async with pool.acquire() as connection:
            used = await store.latest_done(connection)
            latest = await store.runs(connection, 1)
        return ForecastView.of(used, latest[0] if latest else None)

    @router.get("/runs", dependencies=_READS)
    async def runs(limit: Limit = 30) -> Runs:
        """Trainings, the last asked for first."""
        async with pool.acquire() as connection:
            found = await store.runs(connection, limit)
        return Runs(items=tuple(RunView.of(run) for run in found))

    @router.get("/runs/{run_id}", dependencies=_READS, responses=_UNKNOWN)
    async def run(run_id: Id) -> RunView:
        """A training: how far it is, or what came of it."""
        async with pool.acquire() as connection:
            found = await store.find(connection, run_id)
        if found is None:
            raise Problem.of_field(HTTPStatus.NOT_FOUND, "Not found", "run_id", "no such training")
        return RunView.of(found)

    @router.post(
        "/runs", dependencies=_WRITES, status_code=HTTPStatus.ACCEPTED, responses=_CONFLICTS
    )
    async def train() -> RunView:
        """Train now: it begins within a second or two. A training that waits or is under way is not begun again."""
        run_id = await training.ask("asked")
        async with pool.acquire() as connection:
            found = run_id and await store.find(connection, run_id)
        if not found:
            raise Problem(
                HTTPStatus.CONFLICT, "Under way", "A training waits already, or is under way."
            )
        return RunView.of(found)


def _add_expected(router: APIRouter, training: Training) -> None:
    @router.get("/expected", dependencies=_READS)
    async def expected(
        days: Annotated[int, Query(ge=1, le=91, description="today is the first")] = 7,
        after: Annotated[str, _AFTER] = "",
        limit: Limit = 50,
    ) -> ExpectedView:
        """Who is expected to buy in the next days (UTC), by day and id."""
        first = clock.now().date()
        last = first + timedelta(days=days - 1)
        async with training.pool.acquire() as connection:
            counted = await store.by_day(connection, first, last)
            found = await store.soon(connection, first, last, _cursor(after), limit)
        items = tuple(SoonView.of(one) for one in found)
        end = items[-1] if len(items) == limit else None
        return ExpectedView(
            by_day=tuple(
                DayView(day=day, customers=counted.get(day, 0))
                for day in (first + timedelta(days=n) for n in range(days))
            ),
            items=items,
            next=f"{end.expected_on}~{end.customer_id}" if end else None,
        )


def _cursor(after: str) -> tuple[date, str]:
    if not after:
        return date.min, ""
    try:
        return date.fromisoformat(after[:_DAY]), after[_DAY + 1 :]
    except ValueError:
        raise Problem.of_field(
            HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid", "after", "is not a day"
        ) from None
