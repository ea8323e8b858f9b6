"""The statistics over HTTP: questions and answers, a live stream, and the dashboard page."""

import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Depends, Header, Query, Request
from jinja2 import Environment, FileSystemLoader
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)

from services.analytics import figures, queries
from services.analytics.changes import Changes
from services.analytics.live import Live, ReadingFailedError
from services.analytics.parameters import Filter, RowsFilter, SeriesFilter, StreamFilter
from services.analytics.reading import Dimension, Question, Reading, reading
from shared import clock
from shared.web.auth import COOKIE, InvalidTokenError, Scope, Verifier, authenticate, require
from shared.web.problems import Problem

_PAGES = Path(__file__).parent / "pages"
_PROJECT = Path(__file__).parents[2]
_ECHARTS = Path("echarts", "dist", "echarts.min.js")
_ASSETS = {
    "dashboard.css": "text/css",
    "dashboard.js": "text/javascript",
    "charts.js": "text/javascript",
    "figures.js": "text/javascript",
    "theme.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_FOREVER = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
}
_MOST_CHOICES = 1_000
_SCOPE: Scope = "statistics:read"


def routes(pool: asyncpg.Pool, changes: Changes) -> APIRouter:
    """The statistics API (scope ``statistics:read``) and the page that shows it."""
    router = APIRouter()
    _add_questions(router, pool)
    _add_stream(router, pool, changes)
    _add_page(router)
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


def _add_page(router: APIRouter) -> None:
    pages = Environment(loader=FileSystemLoader(_PAGES), autoescape=True)
    files = _files()
    version = _version(files)

    @router.get("/", include_in_schema=False)
    async def dashboard(request: Request, token: str | None = None) -> Response:
        verifier: Verifier = request.app.state.verifier
        if token is not None:
            return _signed_in(request, verifier, token) or sign_in(
                "That token is not valid any more."
            )
        try:
            caller = authenticate(request)
        except Problem:
            expired = COOKIE in request.cookies
            return sign_in("Your session has ended." if expired else None)
        if _SCOPE not in caller.scopes:
            return sign_in("Your token does not allow reading statistics.", HTTPStatus.FORBIDDEN)
        page = pages.get_template("dashboard.html").render(version=version)
        return HTMLResponse(page, headers=_PAGE_HEADERS)

    def sign_in(why: str | None, status: int = HTTPStatus.UNAUTHORIZED) -> Response:
        page = pages.get_template("sign_in.html").render(version=version, why=why)
        return HTMLResponse(page, status, headers=_PAGE_HEADERS)

    @router.get("/assets/{version}/{name}", include_in_schema=False)
    async def asset(version: str, name: str) -> Response:  # noqa: ARG001 - makes caches forget
        if name not in files:
            raise Problem(HTTPStatus.NOT_FOUND, "No such asset", f"There is no asset {name!r}.")
        path, media_type = files[name]
        if not path.is_file():
            raise Problem(
                HTTPStatus.NOT_FOUND,
                "The asset is not installed",
                f"{name} comes from npm: install the packages of package.json.",
            )
        return FileResponse(path, media_type=media_type, headers=_FOREVER)


def _signed_in(request: Request, verifier: Verifier, token: str) -> Response | None:
    """Keeps a valid token in a cookie and takes it out of the address bar."""
    try:
        verifier.verify(token)
    except InvalidTokenError:
        return None
    response = RedirectResponse("/", HTTPStatus.SEE_OTHER, headers=_PAGE_HEADERS)
    response.set_cookie(
        COOKIE,
        token,
        path="/",
        httponly=True,
        # Not strict: a link from a mail or a wiki would lose it on the way to the page. Cookies open
        # nothing but safe methods here.
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


def _files() -> dict[str, tuple[Path, str]]:
    """The assets by name: their files and media types. ECharts is what npm installed."""
    modules = Path(os.environ.get("TILLSTREAM_NODE_MODULES", _PROJECT / "node_modules"))
    files = {name: (_PAGES / name, media_type) for name, media_type in _ASSETS.items()}
    return files | {"echarts.min.js": (modules / _ECHARTS, "text/javascript")}


def _version(files: dict[str, tuple[Path, str]]) -> str:
    """A digest of the assets: part of their addresses, so that they may be cached for ever."""
    digest = hashlib.sha256()
    for path, _ in files.values():
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
